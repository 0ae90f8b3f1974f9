import Testing

@Suite struct `Images by URL` {
    /// A host of images.
    private func host(
        type: String = "image/png", status: String = "200 OK", _ fields: [String] = [], body: String = "PNGDATA"
    ) throws -> ScriptedUpstream {
        try ScriptedUpstream { connection, _ in try connection.reply(body, status: status, fields, type: type) }
    }

    private func configuration(_ provider: ScriptedUpstream, media: String) -> Configuration {
        var configuration = Configuration(
            provider, #"capabilities: [{models: ["*"], image_urls: false}], adapter: "ollama""#)
        configuration.media = media
        return configuration
    }

    private func request(_ url: String) -> String {
        #"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"What is this?"},{"type":"image_url","image_url":{"url":"\#(url)"}}]}]}"#
    }

    @Test func `are put into the request for a provider that takes them as data alone`() throws {
        let (provider, images) = (try ScriptedUpstream(), try host())
        try withSluice(
            configuration(provider, media: "fetch_urls: true, allow_private_addresses: true"), provider, images
        ) { sluice in
            let reply = try sluice.chat(
                request("http://127.0.0.1:\(images.port)/a/b.png?x=1#top"), ["authorization: Bearer app"])
            #expect(reply.status == 200, "\(reply.text)")
            let sent = try provider.requests.first("the provider's").text
            #expect(sent.contains(#""url":"data:image/png;base64,UE5HREFUQQ==""#), "\(sent)")
            let asked = try images.requests.first("the host's")
            #expect(asked.head.hasPrefix("GET /a/b.png?x=1 HTTP/1.1"))
            #expect(asked["authorization"] == nil && asked["cookie"] == nil)
        }
    }

    @Test func `are not fetched from networks that are not public, nor where it is not wanted`() throws {
        let (provider, images) = (try ScriptedUpstream(), try host())
        for media in [
            "fetch_urls: true", #"fetch_urls: true, allow_private_addresses: true, hosts: ["images.example"]"#,
        ] {
            try withSluice(configuration(provider, media: media)) { sluice in
                for name in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
                    let reply = try sluice.chat(request("http://\(name):\(images.port)/a.png"))
                    #expect(reply.status == 400, "\(media) \(name) \(reply.text)")
                }
            }
        }
        #expect(images.requests.all.isEmpty && provider.requests.all.isEmpty)
        // Off, as it is by default: the image is lost, and named.
        try withSluice(configuration(provider, media: "")) { sluice in
            let reply = try sluice.chat(request("http://127.0.0.1:\(images.port)/a.png"))
            #expect(reply["x-sluice-dropped-fields"]?.contains("image_url") == true, "\(reply.text)")
        }
        #expect(images.requests.all.isEmpty)
        images.stop()
        provider.stop()
    }

    @Test(arguments: [
        ("text/html", "200 OK", "<html>"), ("image/png", "404 Not Found", "x"), ("image/png", "302 Found", ""),
        ("image/png", "200 OK", String(repeating: "x", count: 3000)),
    ])
    func `that turn out to be something else are refused`(type: String, status: String, body: String) throws {
        let (provider, images) = (
            try ScriptedUpstream(),
            try host(type: type, status: status, ["location: http://127.0.0.1:1/"], body: body)
        )
        try withSluice(
            configuration(provider, media: "fetch_urls: true, allow_private_addresses: true, bytes_max: 2048"),
            provider,
            images
        ) { sluice in
            let reply = try sluice.chat(request("http://127.0.0.1:\(images.port)/a.png"))
            #expect(reply.status == 400 && reply.json["error"]["code"].string == "invalid_image_url", "\(reply.text)")
            #expect(provider.requests.all.isEmpty)
        }
    }
}
