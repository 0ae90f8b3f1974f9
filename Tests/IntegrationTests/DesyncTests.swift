import Foundation
import Testing

@Suite struct `Bodies that nobody reads to their end` {
    private let hidden = "GET /v1/files/hidden HTTP/1.1\r\nhost: a\r\n\r\n"

    /// A provider that answers at the head, and would take what follows on the connection for the next request.
    private func hastyUpstream() throws -> ScriptedUpstream {
        try ScriptedUpstream(readsBodies: false) { connection, request in
            try connection.reply(#"{"target":"\#(request.target)"}"#)
        }
    }

    @Test func `of a request that the provider answered early never become a request there, nor here`() throws {
        let upstream = try hastyUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            for round in 1...10 {
                let attacker = try sluice.connect()
                let body = hidden + String(repeating: "x", count: 1000)
                try attacker.send(
                    "POST /v1/files?round=\(round) HTTP/1.1\r\nhost: a\r\ncontent-length: \(body.utf8.count)\r\n\r\n")
                let reply = try attacker.readResponse()
                #expect(reply.json["target"].string == "/v1/files?round=\(round)")
                try? attacker.send(body)
                let other = try sluice.exchange("GET", "/v1/files/other-\(round)")
                #expect(other.json["target"].string == "/v1/files/other-\(round)", "somebody else's answer")
                #expect(try attacker.takeRest().isEmpty)
            }
            #expect(!upstream.requests.all.contains { $0.target.contains("hidden") })
        }
    }

    @Test(arguments: [
        "POST /v1/unheard-of HTTP/1.1\r\nhost: a\r\n", "DELETE /v1/chat/completions HTTP/1.1\r\nhost: a\r\n",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-type: text/plain\r\n",
        "POST /v1/unheard-of HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\n",
        "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\nexpect: 100-continue, x\r\n",
        "GET /livez HTTP/1.1\r\nhost: a\r\n", "HEAD /v1/models HTTP/1.1\r\nhost: a\r\n",
        "GET /v1/models HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\n", "OPTIONS * HTTP/1.1\r\nhost: a\r\n",
    ])
    func `of a request that is answered here are no request`(head: String) throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let chunked = "\(String(hidden.utf8.count, radix: 16))\r\n\(hidden)\r\n0\r\n\r\n"
            for (framing, body) in [
                ("content-length: \(hidden.utf8.count)", hidden), ("transfer-encoding: chunked", chunked),
            ] {
                let wire = try sluice.connect()
                try wire.send(
                    "\(head)\(framing)\r\n\r\n\(body)"
                        + "GET /livez HTTP/1.1\r\nhost: a\r\nx-request-id: last\r\nconnection: close\r\n\r\n"
                )
                let text = String(decoding: try wire.takeRest(), as: UTF8.self)
                // The answer, and the one to what was really the next request unless the connection was closed.
                let answers = text.components(separatedBy: "HTTP/1.1 ").dropFirst().filter { !$0.hasPrefix("100") }
                #expect(
                    answers.count == 1 || answers.count == 2 && answers.last?.contains("x-request-id: last") == true,
                    "\(text)")
            }
            #expect(!upstream.requests.all.contains { $0.target.contains("hidden") })
        }
    }

    @Test func `a protocol that was asked for is not spoken, and the provider is not asked`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            for fields in [
                [
                    "connection: upgrade", "upgrade: websocket", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
                    "sec-websocket-version: 13",
                ],
                ["connection: upgrade, http2-settings", "upgrade: h2c", "http2-settings: AAMAAABkAAQAAP__"],
                [
                    "connection: keep-alive, x-secret-hop", "x-secret-hop: 1", "keep-alive: timeout=5",
                    "te: trailers, gzip",
                ],
            ] {
                let wire = try sluice.connect()
                let reply = try wire.chat(Sample.chat, fields)
                #expect(reply.status == 200 && reply.text == Sample.completion)
                // What follows on the connection is still a request, not a tunnel.
                try wire.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
                #expect(try wire.readResponse().status >= 400)
            }
            for request in upstream.requests.all {
                for name in ["upgrade", "http2-settings", "sec-websocket-key", "x-secret-hop", "keep-alive", "te"] {
                    #expect(request.values(name).isEmpty, "\(name)")
                }
                #expect(!request.values("connection").contains { $0.lowercased().contains("upgrade") })
            }
            #expect(upstream.requests.all.count == 3)
        }
    }

    @Test func `neither route nor credential depends on Host`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            for host in [
                "api.openai.com", "127.0.0.1:\(upstream.port)", "localhost", "[::1]:80", "metadata.google.internal",
            ] {
                let body = Sample.chat
                let wire = try sluice.connect()
                try wire.send(
                    "POST /v1/chat/completions HTTP/1.1\r\nhost: \(host)\r\nx-forwarded-host: evil.test\r\n"
                        + "content-length: \(body.utf8.count)\r\n\r\n\(body)")
                #expect(try wire.readResponse().status == 200)
            }
            for request in upstream.requests.all {
                #expect(request["host"] == "127.0.0.1:\(upstream.port)")
                #expect(request["authorization"] == "Bearer \(Secrets.provider)")
            }
        }
    }

    @Test func `nothing in a request becomes a line of the provider's request`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            for target in [
                "/v1/files/a%0d%0ax-injected:%20y", "/v1/files/a%00", "/v1/files/%0a", "/v1/files?x=%0d%0ax-injected:y",
            ] {
                let reply = try sluice.exchange("GET", target)
                #expect([200, 400].contains(reply.status), "\(target): \(reply.status)")
                #expect(reply["x-injected"] == nil)
            }
            let model = #"{"model":"m\r\nx-injected: y","messages":[],"user":"\u0000\r\n\r\n"}"#
            _ = try sluice.chat(model)
            for request in upstream.requests.all {
                #expect(request.values("x-injected").isEmpty, "\(request.head)")
                #expect(!request.target.contains { $0.isNewline })
            }
            for line in sluice.process.output.lines.all {
                #expect(
                    !line.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7F }, "\(line.debugDescription)")
            }
        }
    }
}
