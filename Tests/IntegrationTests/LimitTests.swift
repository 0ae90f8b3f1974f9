import Foundation
import Testing

@Suite struct `Limits towards applications` {
    @Test func `one connection too many is told so, and health still answers`() throws {
        var configuration = Configuration()
        configuration.limits = "connections_max: 3"
        try withSluice(configuration) { sluice in
            let wires = try (0..<3).map { _ in try sluice.connect() }
            for wire in wires { #expect(try wire.exchange("GET", "/livez").status == 200) }
            let refused = try sluice.connect()
            let reply = try refused.readResponse(to: "GET")
            #expect(
                reply.status == 503 && reply.json["error"]["code"].string == "too_many_connections"
                    && reply["connection"] == "close")
            try refused.awaitEnd()
            #expect(try sluice.health().status == 200)
            wires[0].close()
            // Another one is welcome once the first has gone.
            let deadline = Patience.deadline
            while try sluice.connect().exchange("GET", "/livez").status != 200 { #expect(.now < deadline) }
            for wire in wires.dropFirst() { #expect(try wire.exchange("GET", "/livez").status == 200) }
        }
    }

    @Test func `connections that were closed after their reply are not counted`() throws {
        var configuration = Configuration()
        configuration.limits = "connections_max: 2"
        try withSluice(configuration) { sluice in
            var open: [Wire] = []
            for round in 1...10 {
                let wire = try sluice.connect()
                #expect(try wire.exchange("GET", "/livez", ["connection: close"]).status == 200, "round \(round)")
                try wire.awaitEnd()
                // Ours stays half open: Sluice does not wait for us.
                open.append(wire)
            }
        }
    }

    @Test func `requests beyond in_flight_max are shed`() throws {
        let gate = Recorder<Bool>()
        let upstream = try ScriptedUpstream { connection, _ in
            try gate.first("the gate")
            try connection.reply(Sample.completion)
        }
        var configuration = Configuration(upstream)
        configuration.limits = "in_flight_max: 2"
        try withSluice(configuration, upstream) { sluice in
            let wires = try (0..<2).map { _ in try sluice.connect() }
            for wire in wires { try wire.ask("POST", "/v1/chat/completions", [], Sample.chat) }
            try upstream.requests.count(2, "requests")
            let reply = try sluice.chat()
            #expect(reply.status == 503 && reply.json["error"]["code"].string == "too_many_requests_in_flight")
            #expect(reply["retry-after"] != nil && reply["x-sluice-error-owner"] == "gateway")
            gate.record(true)
            for wire in wires { #expect(try wire.readResponse().status == 200) }
            #expect(try sluice.chat().status == 200)
        }
    }

    @Test(arguments: ["", "GET /livez HTTP/1.1\r\n", "GET /livez HTTP/1.1\r\nhost: a\r\nx: "])
    func `a head that does not come to its end in time is 408, however it drips`(beginning: String) throws {
        var configuration = Configuration()
        configuration.timeouts = "head_ms: 400"
        try withSluice(configuration) { sluice in
            let wire = try sluice.connect()
            let start = ContinuousClock.now
            try wire.send(beginning)
            if beginning.isEmpty {
                try wire.awaitEnd()
            } else {
                let drip = Background<Bool> {
                    while (try? wire.send("y")) != nil { usleep(50_000) }
                    return true
                }
                let reply = try wire.readResponse(to: "GET")
                #expect(reply.status == 408 && reply["connection"] == "close")
                wire.endSending()
                try drip.value()
            }
            #expect(.now - start >= .milliseconds(350) && .now - start < .seconds(8))
        }
    }

    @Test(arguments: ["/v1/chat/completions", "/v1/files"])
    func `a body that stalls is 408`(path: String) throws {
        let upstream = try ScriptedUpstream(readsBodies: false) { connection, _ in _ = try connection.awaitEnd() }
        var configuration = Configuration(upstream)
        configuration.timeouts = "body_stall_ms: 400"
        try withSluice(configuration, upstream) { sluice in
            let wire = try sluice.connect()
            try wire.send("POST \(path) HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n{\"model\"")
            let reply = try wire.readResponse()
            #expect(reply.status == 408 && reply.json["error"]["code"].string == "request_timeout", "\(reply.text)")
            #expect(reply["connection"] == "close")
        }
    }

    @Test func `a body that drips is 408 after body_total_ms`() throws {
        let upstream = try ScriptedUpstream()
        var configuration = Configuration(upstream)
        configuration.timeouts = "body_stall_ms: 500, body_total_ms: 1000"
        try withSluice(configuration, upstream) { sluice in
            let wire = try sluice.connect()
            let start = ContinuousClock.now
            try wire.send("POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n")
            let drip = Background<Bool> {
                while (try? wire.send(" ")) != nil { usleep(50_000) }
                return true
            }
            #expect(try wire.readResponse().status == 408)
            #expect(.now - start >= .milliseconds(900))
            wire.endSending()
            try drip.value()
            #expect(upstream.requests.all.isEmpty)
        }
    }

    @Test func `an unused connection is closed after idle_ms, without a word`() throws {
        var configuration = Configuration()
        configuration.timeouts = "idle_ms: 1000"
        try withSluice(configuration) { sluice in
            let wire = try sluice.connect()
            #expect(try wire.exchange("GET", "/livez").status == 200)
            let start = ContinuousClock.now
            #expect(try wire.takeRest() == [])
            #expect(.now - start >= .milliseconds(900))
        }
    }

    @Test(arguments: [
        ("GET /livez HTTP/1.1\r\nhost: a\r\nx: " + String(repeating: "y", count: 5000) + "\r\n\r\n", 431),
        ("GET /livez HTTP/1.1\r\nhost: a\r\n" + String(repeating: "x: y\r\n", count: 30) + "\r\n", 431),
        ("GET /v1/files?q=" + String(repeating: "q", count: 600) + " HTTP/1.1\r\nhost: a\r\n\r\n", 414),
        ("GET /livez HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", 400), ("GET /livez HTTP/1.1\r\n\r\n", 400),
        ("GET /livez HTTP/1.1\nhost: a\n\n", 400), ("GET /livez HTTP/1.1\r\nhost: a\r\n folded\r\n\r\n", 400),
        ("POST /v1/files HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        ("GET /livez HTTP/2.0\r\nhost: a\r\n\r\n", 505), ("CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n", 405),
        ("GET /livez HTTP/1.1\r\nhost: a\r\nexpect: miracles\r\n\r\n", 417),
    ])
    func `what is no acceptable request is refused, and its connection closed`(request: String, status: Int) throws {
        let upstream = try ScriptedUpstream()
        var configuration = Configuration(upstream)
        configuration.limits = "head_bytes_max: 4096, header_fields_max: 20, target_bytes_max: 512"
        try withSluice(configuration, upstream) { sluice in
            let wire = try sluice.connect()
            try wire.send(request + "GET /livez HTTP/1.1\r\nhost: a\r\n\r\n")
            let reply = try wire.readResponse(to: "GET")
            #expect(reply.status == status && reply.json["error"]["message"].string != nil, "\(reply.head)")
            #expect(reply["connection"] == "close")
            try wire.awaitEnd()
            #expect(upstream.requests.all.isEmpty)
            try sluice.line("the refusal") {
                $0["message"].string == "request refused" || $0["message"].string == "exchange"
            }
        }
    }

    @Test func `slow connections hold up nobody else`() throws {
        try withSluice(Configuration()) { sluice in
            let slow = try (0..<400).map { _ in try sluice.connect() }
            for wire in slow { try wire.send("POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\n") }
            let wire = try sluice.connect()
            let start = ContinuousClock.now
            for _ in 1...100 { #expect(try wire.chat(Sample.echo).status == 200) }
            #expect(.now - start < .seconds(5))
            withExtendedLifetime(slow) {}
        }
    }
}

@Suite struct `The log` {
    @Test func `has one line an exchange, with what it was about`() throws {
        let upstream = try ScriptedUpstream()
        var configuration = Configuration(upstream)
        configuration.models = #""fast": {provider: "mock", upstream_model: "small"}"#
        try withSluice(configuration, upstream) { sluice in
            let wire = try sluice.connect()
            for round in 1...20 { _ = try wire.chat(#"{"model":"fast","messages":[]}"#, ["x-request-id: n-\(round)"]) }
            let line = try sluice.exchangeLine("n-20")
            #expect(line["log.level"].string == "info" && line["http.request.method"].string == "POST")
            #expect(line["url.path"].string == "/v1/chat/completions" && line["http.response.status_code"].int == 200)
            #expect(line["gen_ai.request.model"].string == "fast" && line["sluice.upstream.model"].string == "small")
            #expect(line["gen_ai.provider.name"].string == "mock" && line["sluice.upstream.attempts"].int == 1)
            #expect(line["gen_ai.usage.input_tokens"].int == 5 && line["gen_ai.usage.output_tokens"].int == 2)
            #expect(line["client.address"].string == "127.0.0.1" && line["event.outcome"].string == "complete")
            #expect(
                (line["event.duration"].int ?? 0) > 0
                    && line["http.response.body.bytes"].int == Sample.completion.utf8.count)
            #expect(sluice.exchangeLines().count == 20)
        }
    }

    @Test func `cannot be forged, and keeps no prompt`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let model = #"m\",\"forged\":\"yes\n{\"message\":\"forged\"}\u0007\u2028"#
            _ = try sluice.chat(
                #"{"model":"\#(model)","messages":[{"role":"user","content":"my \#(Secrets.mark) prompt"}]}"#)
            let line = try sluice.line("the exchange") { $0["message"].string == "exchange" }
            #expect(line["gen_ai.request.model"].string == JSON("\"\(model)\"").string && line["forged"].string == nil)
            #expect(!sluice.process.output.lines.all.contains { $0.unicodeScalars.contains { $0.value < 0x20 } })
            let path = try sluice.exchange("GET", "/v1/unheard-of/%22%0A?key=\(Secrets.mark)")
            #expect(path.status == 404 || path.status == 400)
        }
    }

    @Test func `is quiet about exchanges where the configuration says so, and goes where it says`() throws {
        let file = NSTemporaryDirectory() + "sluice-\(UUID().uuidString).log"
        defer { try? FileManager.default.removeItem(atPath: file) }
        var configuration = Configuration()
        configuration.log = #"access: false, destination: "\#(file)""#
        try withSluice(configuration) { sluice in _ = try sluice.chat(Sample.echo) }
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let messages = text.split(separator: "\n").compactMap { JSON($0)["message"].string }
        #expect(messages.contains("ready") && messages.last == "stopped" && !messages.contains("exchange"))
    }

    @Test func `a file of it is opened again on SIGHUP, for who rotates it`() throws {
        let file = NSTemporaryDirectory() + "sluice-\(UUID().uuidString).log"
        defer { for path in [file, file + ".1"] { try? FileManager.default.removeItem(atPath: path) } }
        var configuration = Configuration()
        configuration.log = #"destination: "\#(file)""#
        try withSluice(configuration) { sluice in
            _ = try sluice.chat(Sample.echo, ["x-request-id: before"])
            try awaitText("before", in: file)
            try FileManager.default.moveItem(atPath: file, toPath: file + ".1")
            sluice.signal(SIGHUP)
            try awaitText("configuration reloaded", in: file)
            _ = try sluice.chat(Sample.echo, ["x-request-id: after"])
            try awaitText("\"after\"", in: file)
            #expect(try !String(contentsOfFile: file + ".1", encoding: .utf8).contains("\"after\""))
        }
    }

    @Test(arguments: [true, false])
    func `a log that takes nothing holds up neither requests nor the end`(isFull: Bool) throws {
        let file = NSTemporaryDirectory() + "sluice-\(UUID().uuidString).fifo"
        defer { try? FileManager.default.removeItem(atPath: file) }
        var reader: Int32 = -1
        if !isFull {
            // A pipe that somebody has open and does not read.
            _ = unsafe mkfifo(file, 0o600)
            reader = unsafe open(file, O_RDWR | O_CLOEXEC)
        }
        defer { if reader >= 0 { close(reader) } }
        var configuration = Configuration()
        configuration.log = #"destination: "\#(isFull ? "/dev/full" : file)""#
        try withSluice(configuration) { sluice in
            let wire = try sluice.connect()
            for _ in 1...1000 { #expect(try wire.chat(Sample.echo).status == 200) }
            sluice.signal(SIGTERM)
            #expect(try sluice.process.exitStatus() == 0)
        }
    }

    private func awaitText(_ text: String, in file: String) throws {
        let deadline = Patience.deadline
        while (try? String(contentsOfFile: file, encoding: .utf8))?.contains(text) != true {
            if .now > deadline { throw TimedOut("\(text) in the log file") }
            usleep(5000)
        }
    }
}
