import Foundation
import Testing

/// Circuit breakers and hedging, through the program: against `sluice mock`, which counts what it is asked.
@Suite struct `Targets in trouble` {
    private func withTargets(
        _ behaviours: [String], _ change: (inout Configuration) -> Void = { _ in },
        _ body: (SluiceProcess, MockProcess) throws -> Void
    ) throws {
        let mock = try MockProcess()
        defer { mock.stop() }
        var configuration = Configuration()
        configuration.retries = "backoff_base_ms: 5"
        configuration.breakers = ""
        configuration.providers.append(mock.provider("mock"))
        let targets = behaviours.enumerated().map { index, behaviour in
            #"{provider: "mock", upstream_model: "\#(behaviour)", priority: \#(index)}"#
        }
        configuration.models = "m: {targets: [\(targets.joined(separator: ", "))]}"
        change(&configuration)
        try withSluice(configuration) { sluice in try body(sluice, mock) }
    }

    private func targets(_ sluice: SluiceProcess) throws -> [JSON] {
        try sluice.health("/targets").json["targets"].array
    }

    private func post(_ path: String, _ sluice: SluiceProcess, _ fields: String = "") throws -> HTTPMessage {
        let wire = try Wire(port: sluice.adminPort)
        try wire.send("POST \(path) HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\(fields)\r\n")
        return try wire.readResponse()
    }

    // MARK: Breakers

    @Test func `one that fails for ever is left alone, and callers are told at once and for how long`() throws {
        let model = "gpt-mock+status=500"
        try withTargets([model]) {
            $0.breakers = "open_base_ms: 60000"
        } _: { sluice, mock throws in
            for _ in 0..<5 { _ = try sluice.chat() }
            let before = try mock.counts(model).attempts
            #expect(before == 5)
            let reply = try sluice.chat()
            #expect(reply.status == 503)
            #expect(reply.json["error"]["code"].string == "circuit_open")
            #expect((25...60).contains(reply["retry-after"].flatMap { Int($0) } ?? 0))
            #expect(try mock.counts(model).attempts == before)
            let line = try sluice.line("the breaker") { $0["message"].string == "breaker opened" }
            #expect(line["event.reason"].string == "failures_in_row")
            #expect(line["sluice.upstream.model"].string == model)
            let breaker = try targets(sluice).first { $0["model"].string == model }?["breaker"]
            #expect(breaker?["state"].string == "open")
        }
    }

    @Test func `one that recovers is tried by a few requests and then used again`() throws {
        let model = "gpt-mock+status=500+times=5"
        try withTargets([model]) {
            $0.breakers = "open_base_ms: 1500"
            $0.retries = "attempts_max: 1"
        } _: { sluice, mock throws in
            for _ in 0..<5 { #expect(try sluice.chat().status == 500) }
            #expect(try sluice.chat().json["error"]["code"].string == "circuit_open")
            try awaitTrue("a trial") { try sluice.chat().status == 200 }
            for _ in 0..<10 { #expect(try sluice.chat().status == 200) }
            try sluice.line("closed") { $0["message"].string == "breaker closed" }
        }
    }

    @Test func `what was refused before it was sent does not show that a target is well`() throws {
        let mock = try MockProcess()
        defer { mock.stop() }
        var configuration = Configuration()
        configuration.retries = "attempts_max: 1"
        configuration.breakers = "open_base_ms: 100"
        configuration.providers.append(
            #"claude: {base_url: "http://127.0.0.1:\#(mock.port)/anthropic/v1", api_key: "k", adapter: "anthropic"}"#)
        configuration.models = #"m: {provider: "claude", upstream_model: "claude-haiku-4-5+status=500"}"#
        try withSluice(configuration) { sluice in
            for _ in 0..<5 { #expect(try sluice.chat().status == 500) }
            usleep(150_000)
            for _ in 0..<4 {
                let reply = try sluice.exchange("POST", "/v1/images/generations", [], #"{"model":"m","prompt":"x"}"#)
                #expect(reply.status == 400 && reply.json["error"]["code"].string == "unsupported_operation")
            }
            #expect(try targets(sluice).first?["breaker"]["state"].string == "half_open")
        }
    }

    @Test func `streams that last do not keep others from a target that is well again`() throws {
        let model = "gpt-mock+status=500+times=5+tokens=200+token-rate=20"
        try withTargets([model]) {
            $0.breakers = "open_base_ms: 100"
            $0.retries = "attempts_max: 1"
        } _: { sluice, mock throws in
            for _ in 0..<5 { _ = try sluice.chat() }
            usleep(150_000)
            let streams = try (0..<4).map { _ in try sluice.stream() }
            for stream in streams { #expect(stream.head.status == 200) }
            #expect(try targets(sluice).first?["outstanding"].int == 4)
        }
    }

    @Test func `an operator can have a target asked again`() throws {
        let model = "gpt-mock+status=500+times=5"
        try withTargets([model]) {
            $0.breakers = "open_base_ms: 60000, open_max_ms: 60000"
            $0.retries = "attempts_max: 1"
        } _: { sluice, mock throws in
            for _ in 0..<6 { _ = try sluice.chat() }
            let path = "/targets/mock/\(model)/reset"
            #expect(try post(path, sluice, "origin: http://evil.test\r\n").status == 403)
            #expect(try sluice.chat().json["error"]["code"].string == "circuit_open")
            let reply = try post(path, sluice)
            #expect(reply.status == 200)
            #expect(reply.json["breaker"]["state"].string == "closed")
            #expect(try sluice.chat().status == 200)
            #expect(try post("/targets/mock/nope/reset", sluice).status == 404)
            #expect(try sluice.health(path).status == 405)
        }
    }

    @Test func `errors of callers open nothing`() throws {
        try withTargets(["gpt-mock+status=400"]) { sluice, _ throws in
            for _ in 0..<30 { #expect(try sluice.chat().status == 400) }
        }
    }

    @Test func `what one worker learns all know`() throws {
        let model = "gpt-mock+status=500"
        try withTargets([model]) {
            $0.workers = 4
            $0.breakers = "open_base_ms: 60000"
            $0.retries = "attempts_max: 1"
        } _: { sluice, mock throws in
            for _ in 0..<40 { _ = try sluice.chat() }
            #expect(try mock.counts(model).attempts == 5)
        }
    }

    @Test(arguments: [1, 3, 5, 10])
    func `one that comes and goes costs at most a tenth more attempts than requests`(flap: Int) throws {
        let model = "gpt-mock+status=503+flap=\(flap)"
        try withTargets([model, "gpt-mock"]) { sluice, mock throws in
            let wire = try sluice.connect()
            for _ in 0..<300 {
                let reply = try wire.chat()
                #expect(reply.status == 200)
            }
            let attempts = try mock.counts(model).attempts + mock.counts("gpt-mock").attempts
            #expect(attempts <= 330, "\(attempts) attempts for 300 requests")
        }
    }

    @Test(arguments: [1, 5])
    func `one that comes and goes alone gets no storm of attempts`(flap: Int) throws {
        let model = "gpt-mock+status=503+flap=\(flap)"
        try withTargets([model]) { sluice, mock throws in
            let wire = try sluice.connect()
            for _ in 0..<300 { _ = try wire.chat() }
            let attempts = try mock.counts(model).attempts
            #expect(attempts <= 330, "\(attempts) attempts for 300 requests")
        }
    }

    @Test func `health probes open and close breakers before requests do`() throws {
        let upstream = try ScriptedUpstream()
        let port = upstream.port
        var configuration = Configuration(upstream)
        configuration.breakers = "probe_interval_ms: 50, open_base_ms: 60000, open_max_ms: 60000"
        try withSluice(configuration) { sluice throws in
            #expect(try sluice.chat().status == 200)
            upstream.stop()
            try sluice.line("opened") {
                $0["message"].string == "breaker opened" && $0["event.reason"].string == "health_probe"
            }
            #expect(try sluice.chat().json["error"]["code"].string == "circuit_open")
            let again = try ScriptedUpstream(port: port) { connection, _ in try connection.reply(Sample.completion) }
            defer { again.stop() }
            try sluice.line("half-open") { $0["message"].string == "breaker half-open" }
            #expect(try sluice.chat().status == 200)
        }
    }

    // MARK: Hedging

    @Test func `a request whose head is late is asked a second time, and the slower attempt is cancelled`() throws {
        let slow = "gpt-mock+latency-ms=5000"
        try withTargets([slow, "gpt-mock"]) {
            $0.hedging = "enabled: true, delay_min_ms: 50, delay_max_ms: 100, share_max: 1"
        } _: { sluice, mock throws in
            let start = ContinuousClock.now
            let reply = try sluice.chat()
            #expect(reply.status == 200)
            #expect(ContinuousClock.now - start < .seconds(3))
            #expect(reply["x-sluice-attempts"] == "2")
            let line = try sluice.line("both") { $0["sluice.upstream.attempts"].int == 2 }
            #expect(line["sluice.attempts"].string?.contains("\(slow)#1 outrun ") == true)
            #expect(line["sluice.upstream.model"].string == "gpt-mock")
            try awaitTrue("a count") { try mock.counts(slow).cancelled > 0 }
        }
    }

    @Test func `the first attempt may still win`() throws {
        let first = "gpt-mock+latency-ms=400"
        let second = "gpt-mock+latency-ms=5000"
        try withTargets([first, second]) {
            $0.hedging = "enabled: true, delay_min_ms: 50, delay_max_ms: 100, share_max: 1"
        } _: { sluice, mock throws in
            let stream = try sluice.stream()
            let text = try stream.rest().joined(separator: "\n")
            #expect(text.contains("[DONE]"))
            try awaitTrue("a count") { try mock.counts(second).cancelled > 0 }
            #expect(try mock.counts(first).answered == 1)
        }
    }

    @Test func `what executes tools, images, and more than its share are not asked twice`() throws {
        let slow = "gpt-mock+latency-ms=400"
        try withTargets([slow, "gpt-mock"]) {
            $0.hedging = "enabled: true, delay_min_ms: 50, delay_max_ms: 100, share_max: 1"
        } _: { sluice, mock throws in
            let executing = [
                (
                    "/v1/responses",
                    #"{"model":"m","input":"x","tools":[{"type":"code_interpreter","container":{"type":"auto"}}]}"#
                ),
                ("/v1/images/generations", #"{"model":"m","prompt":"x"}"#),
            ]
            for (path, body) in executing {
                _ = try sluice.exchange("POST", path, ["content-type: application/json"], body)
            }
            #expect(try mock.counts("gpt-mock").attempts == 0)
        }
        try withTargets([slow, "gpt-mock"]) {
            $0.hedging = "enabled: true, delay_min_ms: 50, delay_max_ms: 100"
        } _: { sluice, mock throws in
            // One of twenty would be a share of five hundredths.
            #expect(try sluice.chat().status == 200)
            #expect(try mock.counts("gpt-mock").attempts == 0)
        }
    }

    @Test func `a second attempt is under its provider's limits`() throws {
        let slow = "gpt-mock+latency-ms=400"
        try withTargets([slow]) {
            $0.providers.append($0.providers[0].replacingOccurrences(of: #""mock""#, with: #""other""#))
            $0.models =
                #"m: {targets: [{provider: "mock", upstream_model: "\#(slow)"}, {provider: "other", upstream_model: "gpt-mock", priority: 1}]}"#
            $0.hedging = "enabled: true, delay_min_ms: 50, delay_max_ms: 100, share_max: 1"
            $0.others = [#"rate_limits: [{name: "other", when: {providers: "other"}, limit: 1, per: "hour"}]"#]
        } _: { sluice, mock throws in
            for index in 0..<3 {
                let reply = try sluice.chat(Sample.chat, ["x-request-id: r\(index)"])
                #expect(reply.status == 200)
            }
            #expect(try mock.counts("gpt-mock").attempts == 1)
            #expect(try sluice.exchangeLine("r2")["sluice.limit.name"].string == nil)
        }
    }

    @Test func `an answer does not wait for a second attempt that has not got its connection`() throws {
        // It takes connections, and says nothing to whoever wants to speak TLS.
        let (fd, port) = try ScriptedUpstream.listen()
        defer { close(fd) }
        let first = "gpt-mock+latency-ms=300"
        try withTargets([first]) {
            $0.providers.append(#"mute: {base_url: "https://127.0.0.1:\#(port)/v1", api_key: "k"}"#)
            $0.models = #"m: {targets: [{provider: "mock", upstream_model: "\#(first)"}, {provider: "mute", priority: 1}]}"#
            $0.hedging = "enabled: true, delay_min_ms: 50, delay_max_ms: 100, share_max: 1"
            $0.timeouts = "connect_ms: 5000"
        } _: { sluice, mock throws in
            let start = ContinuousClock.now
            #expect(try sluice.chat().status == 200)
            #expect(ContinuousClock.now - start < .milliseconds(2500))
            let line = try sluice.line("both") { $0["sluice.upstream.attempts"].int == 2 }
            #expect(line["sluice.attempts"].string?.contains("mute/m#1 outrun ") == true)
        }
    }

    @Test func `an application that goes ends both attempts`() throws {
        let slow = "gpt-mock+latency-ms=8000"
        let other = "gpt-mock+latency-ms=9000"
        try withTargets([slow, other]) {
            $0.hedging = "enabled: true, delay_min_ms: 50, delay_max_ms: 100, share_max: 1"
        } _: { sluice, mock throws in
            let wire = try sluice.connect()
            try wire.ask("POST", "/v1/chat/completions", [], Sample.chat)
            try awaitTrue("a count") { try mock.counts(other).attempts > 0 }
            wire.close()
            try sluice.awaitQuiet()
            try awaitTrue("a count") { try mock.counts(slow).cancelled + mock.counts(other).cancelled >= 2 }
        }
    }
}
