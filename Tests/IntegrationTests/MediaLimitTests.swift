import Foundation
import Testing

/// Images that requests name by URL, fetched for a provider that takes them as data alone.
@Suite struct `Limits of images by URL` {
    private static let answer =
        #"{"candidates":[{"content":{"role":"model","parts":[{"text":"Blue."}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":2,"totalTokenCount":11}}"#

    private func configuration(_ upstream: ScriptedUpstream, _ media: String, _ limits: String = "") -> Configuration {
        var configuration = Configuration(
            upstream, #"dialect: "gemini", auth: "header:x-goog-api-key", capabilities: [{image_urls: false}]"#)
        configuration.media = media
        configuration.limits = limits
        return configuration
    }

    private func chat(_ urls: [String]) -> String {
        let parts = urls.map { #"{"type":"image_url","image_url":{"url":"\#($0)"}}"# }.joined(separator: ",")
        return #"{"model":"m","messages":[{"role":"user","content":[\#(parts)]}]}"#
    }

    private func images(_ byteCount: Int) throws -> ScriptedUpstream {
        try ScriptedUpstream { connection, request in
            if request.method == "POST" { return try connection.reply(Self.answer) }
            try connection.reply(String(repeating: "x", count: byteCount), type: "image/png")
        }
    }

    @Test func `one is fetched without a credential, and goes out as data`() throws {
        let upstream = try images(3)
        try withSluice(configuration(upstream, "fetch_urls: true, allow_private_addresses: true"), upstream) { sluice in
            let reply = try sluice.chat(chat(["http://127.0.0.1:\(upstream.port)/a.png"]))
            #expect(reply.status == 200, "\(reply.text)")
            let fetched = try upstream.requests.first("the image's request")
            #expect(fetched.target == "/a.png" && fetched["authorization"] == nil && fetched["x-goog-api-key"] == nil)
            #expect(upstream.requests.all.last?.text.contains("eHh4") == true)
        }
    }

    @Test func `this machine is not of the public internet`() throws {
        let upstream = try images(3)
        try withSluice(configuration(upstream, "fetch_urls: true"), upstream) { sluice in
            for host in [
                "127.0.0.1", "127.1", "0x7f000001", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0",
                "[64:ff9b::7f00:1]",
            ] {
                let reply = try sluice.chat(chat(["http://\(host):\(upstream.port)/a.png"]))
                #expect(
                    reply.status == 400 && reply.json["error"]["code"].string == "invalid_image_url",
                    "\(host): \(reply.text)")
            }
            #expect(upstream.requests.all.isEmpty)
        }
    }

    @Test func `together they are no longer than a request may be`() throws {
        let upstream = try images(3000)
        let configuration = configuration(
            upstream, "fetch_urls: true, allow_private_addresses: true", "body_bytes_max: 10000")
        try withSluice(configuration, upstream) { sluice in
            let url = "http://127.0.0.1:\(upstream.port)/a.png"
            #expect(try sluice.chat(chat([url, url])).status == 200)
            let reply = try sluice.chat(chat([url, url, url]))
            #expect(reply.status == 400 && reply.json["error"]["code"].string == "invalid_image_url", "\(reply.text)")
        }
    }

    @Test func `nobody waits for one when the application has gone`() throws {
        let ended = Recorder<ContinuousClock.Instant>()
        let upstream = try ScriptedUpstream { connection, request in ended.record(try connection.awaitEnd()) }
        let configuration = configuration(
            upstream, "fetch_urls: true, allow_private_addresses: true, timeout_ms: 60000")
        try withSluice(configuration, upstream) { sluice in
            let wire = try sluice.connect()
            let body = chat(["http://127.0.0.1:\(upstream.port)/a.png"])
            try wire.send(
                Array(
                    "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)"
                        .utf8))
            _ = try upstream.requests.first("the image's request")
            wire.close()
            _ = try ended.first("the end of the image's connection")
            try sluice.awaitQuiet()
        }
    }
}
