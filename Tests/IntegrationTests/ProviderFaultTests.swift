import Foundation
import Testing

@Suite struct `When a provider fails` {
    @Test(arguments: [
        ("400 Bad Request", "caller"), ("401 Unauthorized", "gateway"), ("403 Forbidden", "gateway"),
        ("404 Not Found", "caller"),
        ("409 Conflict", "caller"), ("422 Unprocessable Entity", "caller"), ("429 Too Many Requests", "provider"),
        ("500 Internal Server Error", "provider"), ("503 Service Unavailable", "provider"),
        ("529 Overloaded", "provider"),
    ])
    func `its error is passed on with status, body and what to do next`(status: String, owner: String) throws {
        let body = #"{ "error":{"message":"nope","type":"t","param":null,"code":"c","extra":1.0e0} }"#
        let upstream = try ScriptedUpstream { connection, _ in
            let fields = [
                "retry-after: 7", "retry-after-ms: 6500", "x-request-id: up-1", "x-ratelimit-reset-requests: 1s",
            ]
            try connection.reply(body, status: status, fields)
        }
        var configuration = Configuration(upstream)
        configuration.retries = "same_target_max: 0, closed_max_ms: 0, closed_default_ms: 0"
        try withSluice(configuration, upstream) { sluice in
            let wire = try sluice.connect()
            let reply = try wire.chat(Sample.chat, ["x-request-id: e-1"])
            #expect("\(reply.status)" == status.prefix(3) && reply.text == body)
            #expect(
                reply["retry-after"] == "7" && reply["retry-after-ms"] == "6500"
                    && reply["x-ratelimit-reset-requests"] == "1s")
            #expect(reply["x-upstream-request-id"] == "up-1" && reply["x-sluice-error-owner"] == owner)
            let line = try sluice.exchangeLine("e-1")
            #expect(
                line["sluice.upstream.status_code"].int == reply.status
                    && line["sluice.upstream.request_id"].string == "up-1")
            #expect(line["event.outcome"].string == "provider_error" && line["sluice.upstream.attempts"].int == 1)
            #expect(try wire.chat().status == reply.status, "the connection is still good")
        }
    }

    @Test(arguments: [
        ("<html><h1>502 Bad Gateway</h1></html>", "text/html", "502 Bad Gateway"),
        ("upstream connect error", "text/plain", "upstream connect error"),
        (#"{"detail":"Not authenticated"}"#, "application/json", "Not authenticated"),
        (#"{"message":"model is loading","error_code":3}"#, "application/json", "model is loading"),
        (#"{"error":"plain words"}"#, "application/json", "plain words"),
        (#"{"errors":[{"x":"deep"}]}"#, "application/json", "deep"),
        ("", "application/json", "500"), ("\u{0}\u{1}\"\\\n", "application/octet-stream", "500"),
        ("[1,2", "application/json", "[1,2"),
    ])
    func `what is no OpenAI error is put into one`(body: String, type: String, words: String) throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.reply(body, status: "500 Internal Server Error", type: type)
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let reply = try sluice.chat()
            #expect(reply.status == 500 && reply["content-type"] == "application/json")
            let error = reply.json["error"]
            #expect(error["message"].string?.contains(words) == true, "\(reply.text)")
            #expect(error["message"].string?.contains("mock") == true, "it says who")
            #expect(error["type"].string == "api_error" && error.keys == ["code", "message", "param", "type"])
        }
    }

    @Test func `an endless error page is cut short`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.wire.send(
                "HTTP/1.1 500 Oops\r\ncontent-type: text/html\r\ntransfer-encoding: chunked\r\n\r\n")
            while true { try connection.chunk(String(repeating: "<p>", count: 10_000)) }
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let reply = try sluice.chat()
            #expect(reply.status == 500 && reply.json["error"].isValid && reply.body.count < 4096)
        }
    }

    @Test(arguments: ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
    func `a redirect is not followed, and not passed on`(status: String) throws {
        let other = try ScriptedUpstream()
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.reply(
                "moved", status: status, ["location: http://127.0.0.1:\(other.port)/v1/chat/completions"])
        }
        try withSluice(Configuration(upstream), upstream, other) { sluice in
            let reply = try sluice.chat()
            #expect(
                reply.status == 502 && reply["location"] == nil
                    && reply.json["error"]["code"].string == "upstream_malformed")
            #expect(other.requests.all.isEmpty)
        }
    }

    struct Broken: CustomTestStringConvertible {
        let bytes: String
        var testDescription: String { "\(bytes.prefix(90))" }
    }

    static let broken = [
        "", "\r\n\r\n", "nonsense\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/3.0 200 OK\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nab", "HTTP/1.1 200 OK\r\nbad name: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"half\":",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n{\"a\":1,",
        "HTTP/1.1 200 OK\r\nx: " + String(repeating: "y", count: 1 << 20) + "\r\n\r\n",
        "HTTP/1.1 200 OK\r\n" + String(repeating: "x: y\r\n", count: 5000) + "\r\n",
    ].map(Broken.init)

    @Test(arguments: broken)
    func `what is no complete answer is 502, and the next request gets a good one`(broken: Broken) throws {
        let upstream = try ScriptedUpstream { connection, request in
            if request["x-request-id"] == "good" { return try connection.reply(Sample.completion) }
            try? connection.wire.send(broken.bytes)
            connection.isOver = true
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            let reply = try wire.chat()
            #expect(reply.status == 502, "\(reply.head)")
            #expect(reply.json["error"]["code"].string?.hasPrefix("upstream_") == true, "\(reply.text)")
            #expect(reply["x-sluice-error-owner"] == "provider")
            #expect(try wire.chat(Sample.chat, ["x-request-id: good"]).text == Sample.completion)
        }
    }

    @Test func `a long body that breaks off is visibly cut`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.wire.send("HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: 100000\r\n\r\n")
            try connection.wire.send([UInt8](repeating: 7, count: 50_000))
            connection.isOver = true
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            try wire.ask("GET", "/v1/files/f/content", ["x-request-id: cut"], nil)
            #expect(throws: Wire.Failure.self) { try wire.readResponse() }
            #expect(try sluice.exchangeLine("cut")["error.code"].string == "upstream_truncated")
        }
    }

    @Test func `a port where nobody listens is 502`() throws {
        let (fd, port) = try ScriptedUpstream.listen()
        close(fd)
        var configuration = Configuration()
        configuration.providers = [#""gone": {base_url: "http://127.0.0.1:\#(port)/v1"}"#]
        try withSluice(configuration) { sluice in
            let reply = try sluice.chat()
            #expect(reply.status == 502 && reply.json["error"]["code"].string == "upstream_connect")
            #expect(reply.json["error"]["message"].string?.contains("gone") == true)
        }
    }

    @Test func `a name that does not exist is told within the time to connect`() throws {
        var configuration = Configuration()
        configuration.providers = [#""lost": {base_url: "http://no-such-host.invalid/v1", proxy: "none"}"#]
        configuration.timeouts = "connect_ms: 500"
        try withSluice(configuration) { sluice in
            let start = ContinuousClock.now
            let reply = try sluice.chat()
            // Without a name service that answers, nothing is known but that it took too long.
            #expect([502, 504].contains(reply.status), "\(reply.text)")
            #expect(["upstream_name", "upstream_connect_timeout"].contains(reply.json["error"]["code"].string))
            #expect(.now - start < .seconds(3))
        }
    }

    @Test func `an address that does not answer is 504`() throws {
        // A listener whose queue is full answers no connection attempt.
        let (fd, port) = try ScriptedUpstream.listen()
        defer { close(fd) }
        _ = listen(fd, 0)
        let fillers = (0..<4).map { _ in Background { try? Wire(port: port) } }
        defer { withExtendedLifetime(fillers) {} }
        var configuration = Configuration()
        configuration.providers = [#""full": {base_url: "http://127.0.0.1:\#(port)/v1"}"#]
        configuration.timeouts = "connect_ms: 300"
        try withSluice(configuration) { sluice in
            let wires = try (0..<6).map { _ in try sluice.connect() }
            for wire in wires { try wire.ask("POST", "/v1/chat/completions", [], Sample.chat) }
            let codes = try wires.suffix(1).map { try $0.readResponse().json["error"]["code"].string }
            #expect(codes == ["upstream_connect_timeout"])
        }
    }

    @Test func `silence is 504 after first_byte_ms, and holds up nobody else`() throws {
        let upstream = try ScriptedUpstream { connection, request in
            if request.text.contains("quick") { return try connection.reply(Sample.completion) }
            _ = try connection.awaitEnd()
        }
        var configuration = Configuration(upstream)
        configuration.timeouts = "first_byte_ms: 700"
        try withSluice(configuration, upstream) { sluice in
            let start = ContinuousClock.now
            let wires = try (0..<50).map { _ in try sluice.connect() }
            for wire in wires { try wire.ask("POST", "/v1/chat/completions", [], Sample.chat) }
            try upstream.requests.count(50, "requests")
            #expect(try sluice.chat(#"{"model":"quick","messages":[]}"#).status == 200)
            for wire in wires {
                let reply = try wire.readResponse()
                #expect(reply.status == 504 && reply.json["error"]["code"].string == "upstream_timeout")
            }
            #expect(.now - start >= .milliseconds(700))
            try upstream.ends.count(50, "closed connections")
        }
    }

    @Test func `an exchange takes no longer than total_ms, however it drips`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.wire.send(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n")
            while true {
                try connection.wire.send(" ")
                usleep(20_000)
            }
        }
        var configuration = Configuration(upstream)
        configuration.timeouts = "total_ms: 1000"
        try withSluice(configuration, upstream) { sluice in
            let reply = try sluice.chat()
            #expect(reply.status == 504 && reply.json["error"]["code"].string == "total_timeout")
        }
    }
}
