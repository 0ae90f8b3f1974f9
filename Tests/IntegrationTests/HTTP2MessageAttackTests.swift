import Foundation
import Testing

@Suite struct `Messages of HTTP/2 that would be others in HTTP/1.1` {
    struct Malformed: CustomTestStringConvertible {
        let testDescription: String
        let fields: [(String, String)]
        var data = Sample.chat

        init(_ name: String, _ fields: [(String, String)], data: String = Sample.chat) {
            testDescription = name
            self.fields = fields
            self.data = data
        }

        init(_ name: String, with more: (String, String), data: String = Sample.chat) {
            self.init(name, HTTP2Wire.post("/v1/chat/completions", [more]), data: data)
        }

        init(_ name: String, path: String) { self.init(name, HTTP2Wire.post(path)) }
    }

    static let malformed = [
        Malformed("a length that is too short", with: ("content-length", "5")),
        Malformed("a length that is too long", with: ("content-length", "5000")),
        Malformed("a length of zero", with: ("content-length", "0")),
        Malformed("a length that is none", with: ("content-length", "x")),
        Malformed("a negative length", with: ("content-length", "-1")),
        Malformed("two lengths in one", with: ("content-length", "59, 59")),
        Malformed(
            "two lengths",
            HTTP2Wire.post("/v1/chat/completions", [("content-length", "59"), ("content-length", "60")])),
        Malformed("transfer-encoding", with: ("transfer-encoding", "chunked"), data: "0\r\n\r\n\(Attack.hidden)"),
        Malformed("connection", with: ("connection", "x-y")),
        Malformed("keep-alive", with: ("keep-alive", "timeout=5")),
        Malformed("upgrade", with: ("upgrade", "h2c")),
        Malformed("proxy-connection", with: ("proxy-connection", "close")),
        Malformed("te that is not trailers", with: ("te", "gzip")),
        Malformed("CR LF in a value", with: ("x", "y\r\ntransfer-encoding: chunked")),
        Malformed("LF in a value", with: ("x", "y\nz: q")), Malformed("NUL in a value", with: ("x", "y\0z")),
        Malformed("CR LF in a name", with: ("x: y\r\nz", "q")), Malformed("a colon in a name", with: ("x: y", "q")),
        Malformed("a space in a name", with: ("x y", "q")),
        Malformed("an upper-case name", with: ("Content-Length", "59")),
        Malformed("an empty name", with: ("", "q")), Malformed("a pseudo-header nobody knows", with: (":x", "y")),
        Malformed("a pseudo-header too late", with: (":path", "/v1/files")),
        Malformed("a response's", with: (":status", "200")),
        Malformed("CR LF in the path", path: "/v1/files HTTP/1.1\r\nx: y"),
        Malformed("a space in the path", path: "/v1/files HTTP/1.1"),
        Malformed("an empty path", path: ""), Malformed("a path that is none", path: "v1/files"),
        Malformed("an absolute path", path: "http://b/v1/files"), Malformed("a fragment", path: "/v1/files#x"),
        Malformed(
            "CR LF in the method",
            [(":method", "GET / HTTP/1.1\r\nx: y"), (":scheme", "http"), (":path", "/v1/files"), (":authority", "a")]),
        Malformed(
            "a space in the method",
            [(":method", "GET /x"), (":scheme", "http"), (":path", "/v1/files"), (":authority", "a")]),
        Malformed("CONNECT", [(":method", "CONNECT"), (":authority", "a:443")]),
        Malformed("no method", [(":scheme", "http"), (":path", "/v1/files"), (":authority", "a")]),
        Malformed("no path", [(":method", "GET"), (":scheme", "http"), (":authority", "a")]),
        Malformed("two paths", HTTP2Wire.get("/v1/files") + [(":path", "/v1/models")]),
        Malformed(
            "CR LF in the authority",
            [(":method", "GET"), (":scheme", "http"), (":path", "/v1/files"), (":authority", "a\r\nx: y")]),
        Malformed(
            "a user in the authority",
            [(":method", "GET"), (":scheme", "http"), (":path", "/v1/files"), (":authority", "x/#@y")]),
        Malformed("another Host", with: ("host", "b")),
    ]

    @Test func `are faults of their stream, and the others on the connection live on`() throws {
        let gate = Recorder<Int>()
        let upstream = try ScriptedUpstream { connection, request in
            if request.target.hasSuffix("patient") { try gate.first("the end of the attack") }
            try connection.reply(Sample.completion)
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let attacker = try HTTP2Wire(sluice)
            try attacker.send(HTTP2Wire.headers(1, HTTP2Wire.get("/v1/files/patient")))
            try upstream.requests.first("the stream that was there before")
            var stream: UInt32 = 1
            for malformed in Self.malformed {
                stream += 2
                try attacker.send(
                    HTTP2Wire.headers(stream, malformed.fields, flags: HTTP2Wire.endHeaders)
                        + HTTP2Wire.data(stream, malformed.data))
                let answer = try attacker.answer(on: stream)
                #expect(answer.goAwayCode == nil, "\(malformed.testDescription): the connection was cut")
                #expect(
                    answer.resetCode != nil || answer.isComplete && answer.status != 200,
                    "\(malformed.testDescription): \(answer)")
                if answer.goAwayCode != nil { return }
            }
            #expect(upstream.requests.all.map(\.target) == ["/v1/files/patient"])
            gate.record(1)
            let patient = try attacker.answer(on: 1)
            #expect(patient.isComplete && String(decoding: patient.body, as: UTF8.self) == Sample.completion)
            stream += 2
            try attacker.send(
                HTTP2Wire.headers(stream, HTTP2Wire.post(), flags: HTTP2Wire.endHeaders)
                    + HTTP2Wire.data(stream, Sample.chat))
            #expect(try attacker.answer(on: stream).isComplete)
        }
    }

    @Test func `a small block that unpacks into a large one is refused`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            try withStanding(sluice) {
                for _ in 1...10 {
                    let attacker = try HTTP2Wire(sluice)
                    // A field of 4000 bytes enters the table, and is then named 16,000 times: 64 MB.
                    let entry = [0x40] + HTTP2Wire.string("x") + HTTP2Wire.string(String(repeating: "y", count: 3900))
                    let bomb =
                        HTTP2Wire.block(HTTP2Wire.get("/v1/files")) + entry + [UInt8](repeating: 0xBE, count: 11_000)
                    for stream in stride(from: UInt32(1), to: 101, by: 2) {
                        try? attacker.send(HTTP2Wire.frame(1, flags: 5, stream: stream, bomb))
                    }
                    let answer = try attacker.answer(on: 1)
                    #expect(
                        answer.resetCode != nil || answer.goAwayCode != nil
                            || answer.isComplete && answer.status != 200, "\(answer)")
                }
            }
            #expect(!upstream.requests.all.contains { $0.target == "/v1/files" })
        }
    }

    @Test func `a hundred answers of a megabyte that nobody lets out are given up, and held nowhere`() throws {
        let reply = [UInt8](repeating: 7, count: 1 << 20)
        let upstream = try ScriptedUpstream { connection, request in
            guard request.method == "GET" else { return try connection.reply(Sample.completion) }
            try connection.wire.send(
                "HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: \(reply.count)\r\n\r\n")
            try connection.wire.send(reply)
        }
        var configuration = Configuration(upstream)
        configuration.timeouts = "downstream_stall_ms: 1500"
        try withSluice(configuration, upstream) { sluice in
            try withStanding(sluice) {
                let attacker = try HTTP2Wire(sluice, settings: [(4, 0)])
                for stream in stride(from: UInt32(1), to: 200, by: 2) {
                    try attacker.send(HTTP2Wire.headers(stream, HTTP2Wire.get("/v1/files/\(stream)/content")))
                }
                let frames = Recorder<UInt32>()
                _ = try attacker.frames(
                    upTo: { frame in
                        if frame.type == 3 { frames.record(frame.stream) }
                        return frames.all.count == 100
                    }, by: .now + .seconds(15))
                #expect(frames.all.count == 100, "\(frames.all.count) of 100 were given up")
            }
            // The provider's side is let go as well.
            try upstream.ends.count(100, "closed connections")
        }
    }
}
