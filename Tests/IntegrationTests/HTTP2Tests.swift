import Foundation
import Testing

@Suite(.enabled(if: Curl.isThere, "curl is not installed")) struct `HTTP/2 by prior knowledge` {
    private func url(_ sluice: SluiceProcess, _ path: String) -> String { "http://127.0.0.1:\(sluice.ports[0])\(path)" }

    private func chat(_ sluice: SluiceProcess, _ body: String = Sample.chat, _ arguments: [String] = []) throws -> Curl {
        try Curl(url(sluice, "/v1/chat/completions"), ["--http2-prior-knowledge"] + arguments + Curl.posting(body))
    }

    @Test func `requests of every kind are served on the port of HTTP/1.1`() throws {
        let upstream = try ScriptedUpstream { connection, request in
            guard request.text.contains(#""stream":true"#) else { return try connection.reply(Sample.completion) }
            try connection.startStream()
            for event in [Sample.delta("a"), Sample.finish, Sample.usage, Sample.done] { try connection.event(event) }
            try connection.endStream()
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let reply = try chat(sluice)
            #expect(reply.status == 200 && reply.version == "2" && reply.body == Sample.completion)
            let stream = try chat(sluice, Sample.streamedChat, ["-N"])
            #expect(stream.exit == 0 && stream.body == [Sample.delta("a"), Sample.finish, "[DONE]"].map { "data: \($0)\n\n" }.joined())
            let head = try Curl(url(sluice, "/v1/models"), ["--http2-prior-knowledge", "--head"])
            #expect(head.status == 200 && head.version == "2" && head.body.contains("content-type: application/json"))
            #expect(try chat(sluice, "{").status == 400)
            #expect(try chat(sluice).status == 200, "HTTP/1.1 still")
            #expect(try sluice.chat().status == 200)
            for request in upstream.requests.all {
                #expect(request.values("authorization") == ["Bearer \(Secrets.provider)"] && !request.head.contains(Secrets.application))
                #expect(request.values("content-length").count == 1)
            }
        }
    }

    @Test func `a body without a length, and a large one, arrive whole`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let text = String(repeating: "Lorem ipsum dolor sit amet. ", count: 60_000)
            let body = #"{"model":"m","messages":[{"role":"user","content":"\#(text)"}]}"#
            let file = sluice.path("body.json")
            try body.write(toFile: file, atomically: true, encoding: .utf8)
            for more in [[], ["-H", "content-length:", "-H", "transfer-encoding: chunked"]] {
                let reply = try Curl(
                    url(sluice, "/v1/chat/completions"),
                    ["--http2-prior-knowledge", "-H", "content-type: application/json", "-T", file, "-X", "POST"] + more)
                #expect(reply.status == 200, "\(reply)")
            }
            for request in try upstream.requests.count(2, "requests") { #expect(request.body == Array(body.utf8)) }
        }
    }

    // curl 7.88 loses what came before RST_STREAM in the same read: nghttp shows it.

    private func nghttp(_ sluice: SluiceProcess, _ body: String) throws -> String {
        let file = sluice.path("body.json")
        try body.write(toFile: file, atomically: true, encoding: .utf8)
        let arguments = ["-v", "-d", file, "-H", "content-type: application/json", url(sluice, "/v1/chat/completions")]
        return try Tool.run("nghttp", arguments).output
    }

    @Test(.enabled(if: Tool.find("nghttp") != nil, "nghttp is not installed"))
    func `a body that is too long is 413, and no more of it is wanted`() throws {
        let upstream = try ScriptedUpstream()
        var configuration = Configuration(upstream)
        configuration.limits = "body_bytes_max: 4096"
        try withSluice(configuration, upstream) { sluice in
            let output = try nghttp(sluice, #"{"model":"m","messages":[],"pad":"\#(String(repeating: "x", count: 100_000))"}"#)
            #expect(output.contains(":status: 413") && output.contains("request_too_large"), "\(output)")
            #expect(output.contains("error_code=NO_ERROR(0x00)") && upstream.requests.all.isEmpty)
        }
    }

    @Test(.enabled(if: Tool.find("nghttp") != nil, "nghttp is not installed"))
    func `a stream that breaks is reset after its error event`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            try connection.event(Sample.delta("a"))
            connection.isOver = true
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let output = try nghttp(sluice, Sample.streamedChat)
            #expect(output.contains("data: \(Sample.delta("a"))") && output.contains("upstream_truncated"), "\(output)")
            #expect(output.contains("error_code=INTERNAL_ERROR(0x02)") && !output.contains("data: [DONE]"))
            #expect(try chat(sluice, Sample.streamedChat, ["-N"]).exit == 92, "curl sees it as well")
        }
    }

    @Test(.enabled(if: Tool.find("h2load") != nil, "h2load is not installed"))
    func `many streams on few connections are all answered`() throws {
        let upstream = try ScriptedUpstream()
        var configuration = Configuration(upstream)
        configuration.workers = 2
        try withSluice(configuration, upstream) { sluice in
            let body = sluice.path("body.json")
            try Sample.chat.write(toFile: body, atomically: true, encoding: .utf8)
            let outcome = try Tool.run(
                "h2load",
                ["-n", "2000", "-c", "4", "-m", "25", "-d", body, "-H", "content-type: application/json", url(sluice, "/v1/chat/completions")],
                within: .seconds(60))
            #expect(outcome.output.contains("2000 succeeded, 0 failed, 0 errored, 0 timeout"), "\(outcome.output)")
            #expect(outcome.output.contains("status codes: 2000 2xx"))
            #expect(upstream.requests.all.count == 2000)
        }
    }

    @Test func `an idle connection is told to go at the end, and does not hold it up`() throws {
        try withSluice(Configuration()) { sluice in
            let wire = try sluice.connect()
            try wire.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            try wire.send([0, 0, 0, 4, 0, 0, 0, 0, 0])
            // Its SETTINGS and the acknowledgement of ours: the connection stands.
            var kinds: Set<UInt8> = []
            while !kinds.isSuperset(of: [4]) { kinds.insert(try frame(wire).type) }
            let start = ContinuousClock.now
            sluice.signal(SIGTERM)
            var sawGoAway = false
            while let frame = try? frame(wire) { if frame.type == 7 { sawGoAway = true } }
            #expect(sawGoAway)
            #expect(try sluice.process.exitStatus() == 0)
            #expect(.now - start < .seconds(5))
        }
    }

    private func frame(_ wire: Wire) throws -> (type: UInt8, payload: [UInt8]) {
        let head = try wire.take(9)
        return (head[3], try wire.take(Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])))
    }

    @Test func `a listener that speaks no HTTP/2 says so in HTTP/1.1`() throws {
        var configuration = Configuration()
        let certificates = Certificates.shared
        configuration.listeners = [
            #"{address: "127.0.0.1:0", http2: false}"#,
            #"{address: "127.0.0.1:0", http2: false, tls: {certificates: [\#(certificates.listed("server"))]}}"#,
            #"{address: "127.0.0.1:0"}"#,
        ]
        try withSluice(configuration) { sluice in
            let refused = try Curl("http://127.0.0.1:\(sluice.ports[0])/health", ["--http2-prior-knowledge"])
            #expect(refused.version != "2")
            let overTLS = try Curl("https://localhost:\(sluice.ports[1])/health", ["--http2", "--cacert", certificates.authority])
            #expect(overTLS.status == 200 && overTLS.version == "1.1")
            #expect(try Curl("http://127.0.0.1:\(sluice.ports[2])/health", ["--http2-prior-knowledge"]).version == "2")
        }
    }
}
