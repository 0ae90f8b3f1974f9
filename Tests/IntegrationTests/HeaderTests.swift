import Testing

@Suite struct `Header fields` {
    @Test func `the application's credential and cookies stay, and the provider gets its own key`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            for _ in 1...3 { _ = try wire.chat() }
            _ = try wire.exchange("GET", "/v1/files")
            for request in try upstream.requests.count(4, "requests") {
                #expect(request.values("authorization") == ["Bearer \(Secrets.provider)"])
                #expect(!request.head.contains(Secrets.application) && !request.head.contains(Secrets.cookie))
                #expect(request.values("cookie").isEmpty)
            }
        }
    }

    @Test func `with forward_authorization the application's credential goes in place of the key`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream, "forward_authorization: true"), upstream) { sluice in
            _ = try sluice.chat()
            let first = try upstream.requests.count(1, "requests")[0]
            #expect(first.values("authorization") == ["Bearer \(Secrets.application)"])
            let wire = try sluice.connect()
            try wire.send("GET /v1/files HTTP/1.1\r\nhost: a\r\n\r\n")
            _ = try wire.readResponse()
            let second = try upstream.requests.count(2, "requests")[1]
            #expect(second.values("authorization") == ["Bearer \(Secrets.provider)"], "it sent none of its own")
        }
    }

    @Test func `a key can travel in a field of its own, beside fixed fields`() throws {
        let upstream = try ScriptedUpstream()
        let members = #"auth: "header:api-key", headers: {"X-Team": "blue", "x-version": "2024-10-21"}"#
        try withSluice(Configuration(upstream, members), upstream) { sluice in
            _ = try sluice.chat(Sample.chat, ["api-key: sk-app-\(Secrets.mark)", "x-team: red"])
            let request = try upstream.requests.first("the request")
            #expect(request.values("api-key") == [Secrets.provider])
            #expect(request.values("x-team") == ["blue"] && request.values("x-version") == ["2024-10-21"])
            #expect(request.values("authorization").isEmpty)
        }
    }

    @Test func `several keys take turns`() throws {
        let upstream = try ScriptedUpstream()
        var configuration = Configuration()
        configuration.providers = [
            #""mock": {base_url: "http://127.0.0.1:\#(upstream.port)/v1", api_key: ["k-a", "k-b", "k-c"]}"#
        ]
        try withSluice(configuration, upstream) { sluice in
            let wire = try sluice.connect()
            for _ in 1...6 { _ = try wire.chat() }
            let keys = try upstream.requests.count(6, "requests").map { $0["authorization"] ?? "" }
            #expect(Set(keys) == ["Bearer k-a", "Bearer k-b", "Bearer k-c"])
            for key in Set(keys) { #expect(keys.filter { $0 == key }.count == 2) }
        }
    }

    @Test func `fields of the connection, of proxies and of nobody's business are not passed on`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let fields = [
                "connection: keep-alive, x-hop", "x-hop: 1", "keep-alive: timeout=5", "te: trailers", "upgrade: h2c",
                "proxy-authorization: Basic \(Secrets.mark)", "forwarded: for=10.0.0.1", "x-forwarded-for: 10.0.0.1",
                "x-real-ip: 10.0.0.1", "origin: http://evil.test", "referer: http://intranet/", "x-api-key: \(Secrets.mark)",
            ]
            let reply = try sluice.chat(Sample.chat, fields)
            #expect(reply.status == 200)
            let request = try upstream.requests.first("the request")
            for name in fields.map({ String($0.prefix { $0 != ":" }) }) { #expect(request.values(name).isEmpty, "\(name)") }
            #expect(request.values("host") == ["127.0.0.1:\(upstream.port)"])
        }
    }

    @Test func `fields that mean something to the provider are passed on as they are`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let fields = [
                "User-Agent: OpenAI/Python 1.99", "Accept: application/json", "Idempotency-Key: ik-1", "OpenAI-Beta: assistants=v2",
                "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "X-Stainless-Lang: python",
                "OpenAI-Organization: org-1", "OpenAI-Project: proj-1", "x-client-request-id: c-1",
            ]
            _ = try sluice.chat(Sample.chat, fields)
            let request = try upstream.requests.first("the request")
            for field in HTTPMessage.fields(fields) { #expect(request.values(field.name.lowercased()) == [field.value]) }
        }
    }

    @Test func `cookies and server names of the provider stay, and what describes the answer is returned`() throws {
        let kept = [
            "openai-processing-ms: 12", "openai-version: 2020-10-01", "x-ratelimit-remaining-requests: 99", "x-should-retry: false",
        ]
        let dropped = [
            "set-cookie: __cf_bm=\(Secrets.mark)", "server: cloudflare", "alt-svc: h3=\":443\"", "cf-ray: 1", "via: 1.1 google",
            "strict-transport-security: max-age=1", "x-powered-by: php", "connection: keep-alive, x-b", "x-b: 1",
            "access-control-allow-origin: *",
        ]
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.reply(Sample.completion, kept + dropped + ["x-request-id: req-of-provider"])
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let reply = try sluice.chat()
            for field in HTTPMessage.fields(kept) { #expect(reply.values(field.name) == [field.value]) }
            for field in HTTPMessage.fields(dropped) where field.name != "connection" {
                #expect(reply.values(field.name).isEmpty, "\(field.name)")
            }
            #expect(reply["x-upstream-request-id"] == "req-of-provider")
            #expect(reply["x-request-id"]?.hasPrefix("req_") == true)
        }
    }

    @Test func `trailers of a provider are held to the same list as its fields`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.wire.send(
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n"
                    + "set-cookie: a=\(Secrets.mark)\r\netag: \"1\"\r\nserver: x\r\n\r\n")
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let reply = try sluice.exchange("GET", "/v1/files/f/content")
            #expect(reply.text == "hi")
            #expect(reply.trailers == [HTTPMessage.Field(name: "etag", value: "\"1\"")])
        }
    }

    @Test func `an application's request id is used everywhere`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let reply = try sluice.chat(Sample.chat, ["x-request-id: trace-7.a_b:c"])
            #expect(reply["x-request-id"] == "trace-7.a_b:c")
            #expect(try upstream.requests.first("the request")["x-request-id"] == "trace-7.a_b:c")
            #expect(try sluice.exchangeLine("trace-7.a_b:c")["http.response.status_code"].int == 200)
        }
    }

    @Test(arguments: ["two words", "quote\"", String(repeating: "x", count: 129), "é", "a/b"])
    func `a request id that may not stand in a log is replaced`(id: String) throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let reply = try sluice.chat(Sample.chat, ["x-request-id: \(id)"])
            let given = try #require(reply["x-request-id"])
            #expect(given != id && given.hasPrefix("req_") && given.count == 36)
            #expect(try upstream.requests.first("the request")["x-request-id"] == given)
            _ = try sluice.exchangeLine(given)
        }
    }
}
