import Foundation
import Testing

/// What becomes of requests whose attempts fail: against `sluice mock`, which counts what it is asked.
@Suite struct `Failed attempts` {
    /// A model `m` with these targets, in this order, each at a provider of its own of the same mock.
    private func withTargets(
        _ behaviours: [String], _ change: (inout Configuration) -> Void = { _ in },
        _ body: (SluiceProcess, MockProcess) throws -> Void
    ) throws {
        let mock = try MockProcess()
        defer { mock.stop() }
        var configuration = Configuration()
        configuration.retries = "backoff_base_ms: 20"
        configuration.breakers = ""
        var targets: [String] = []
        for (index, behaviour) in behaviours.enumerated() {
            configuration.providers.append(mock.provider("p\(index)"))
            targets.append(#"{provider: "p\#(index)", upstream_model: "\#(behaviour)", priority: \#(index)}"#)
        }
        configuration.models = "m: {targets: [\(targets.joined(separator: ", "))]}"
        change(&configuration)
        try withSluice(configuration) { sluice in try body(sluice, mock) }
    }

    // MARK: The same target

    @Test(arguments: ["status=500", "status=503", "status=408", "close", "reset", "garbage", "error-in-200", "cut"])
    func `one that fails once is made good by asking again`(fault: String) throws {
        let model = "gpt-mock+\(fault)+times=1"
        try withTargets([model]) { sluice, mock throws in
            let reply = try sluice.chat()
            #expect(reply.status == 200)
            #expect(reply.json["choices"][0]["message"]["content"].string == "Hello")
            #expect(reply["x-sluice-attempts"] == "2")
            #expect(try mock.counts(model).attempts == 2)
        }
    }

    @Test func `one that fails for ever is asked three times, and its own words are told`() throws {
        let model = "gpt-mock+status=503"
        try withTargets([model]) { sluice, mock throws in
            let reply = try sluice.chat()
            #expect(reply.status == 503)
            #expect(reply.json["error"]["code"].string == "server_is_overloaded")
            #expect(reply["x-should-retry"] == "false")
            #expect(reply["x-sluice-attempts"] == "3")
            #expect(try mock.counts(model).attempts == 3)
            let line = try sluice.line("the attempts") { $0["sluice.upstream.attempts"].int == 3 }
            let story = line["sluice.attempts"].string ?? ""
            #expect(story.components(separatedBy: "; ").count == 3)
            #expect(story.hasPrefix("p0/\(model)#1 overloaded 503 "))
        }
    }

    @Test(arguments: ["status=400", "status=422", "content-filter=refuse", "context-length"])
    func `what the caller did is not tried again`(fault: String) throws {
        let model = "gpt-mock+\(fault)"
        try withTargets([model, "gpt-mock"]) { sluice, mock throws in
            let reply = try sluice.chat()
            #expect((400..<500).contains(reply.status))
            #expect(reply["x-sluice-attempts"] == nil)
            #expect(try mock.counts(model).attempts == 1)
            #expect(try mock.counts("gpt-mock").attempts == 0)
        }
    }

    // MARK: Other targets

    @Test(arguments: [
        "status=500", "status=429", "quota", "status=401", "status=403", "status=404", "close", "reset", "garbage",
        "cut",
    ])
    func `one that fails leaves the request to the next target`(fault: String) throws {
        let model = "gpt-mock+\(fault)"
        try withTargets([model, "gpt-mock"]) { sluice, mock throws in
            let reply = try sluice.chat()
            #expect(reply.status == 200)
            #expect(reply["x-sluice-attempts"] == "2")
            #expect(try mock.counts(model).attempts == 1)
            #expect(try mock.counts("gpt-mock").attempts == 1)
            let line = try sluice.line("the attempts") { $0["sluice.upstream.attempts"].int == 2 }
            #expect(line["gen_ai.provider.name"].string == "p1")
            #expect(line["sluice.attempts"].string?.hasSuffix("; p1/gpt-mock ok") == true)
        }
    }

    @Test func `one that says nothing leaves the request to the next target after the head's time`() throws {
        try withTargets(["gpt-mock+silence", "gpt-mock"]) {
            $0.timeouts = "first_byte_ms: 300"
        } _: { sluice, mock throws in
            let start = ContinuousClock.now
            let reply = try sluice.chat()
            #expect(reply.status == 200)
            #expect(ContinuousClock.now - start > .milliseconds(290))
            #expect(try mock.counts("gpt-mock+silence").cancelled == 1)
        }
    }

    @Test func `one that nobody listens for leaves the request to the next target`() throws {
        let (fd, port) = try ScriptedUpstream.listen()
        close(fd)
        try withTargets(["gpt-mock"]) {
            $0.providers.append(#""gone": {base_url: "http://127.0.0.1:\#(port)/v1", api_key: "k"}"#)
            $0.models =
                #"m: {targets: [{provider: "gone", priority: 0}, {provider: "p0", upstream_model: "gpt-mock", priority: 1}]}"#
        } _: { sluice, mock throws in
            let reply = try sluice.chat()
            #expect(reply.status == 200)
            let line = try sluice.line("the attempts") { $0["sluice.upstream.attempts"].int == 2 }
            #expect(line["sluice.attempts"].string?.hasPrefix("gone/m#1 connect ") == true)
        }
    }

    @Test func `a stream that begins with an error begins anew elsewhere`() throws {
        try withTargets(["gpt-mock+error-event", "gpt-mock"]) { sluice, mock throws in
            let stream = try sluice.stream()
            let text = try stream.rest().joined(separator: "\n")
            #expect(stream.head.status == 200)
            #expect(text.contains("[DONE]") && !text.contains("error"))
            #expect(try mock.counts("gpt-mock").attempts == 1)
        }
    }

    @Test func `a prompt that is too long goes to a larger model, and to no other`() throws {
        let long = "gpt-mock+context-length"
        try withTargets([long, "gpt-mock+tokens=1", "gpt-mock"]) {
            $0.models = """
                m: {targets: [
                  {provider: "p0", upstream_model: "\(long)", priority: 0, context_tokens_max: 1000},
                  {provider: "p1", upstream_model: "gpt-mock+tokens=1", priority: 1, context_tokens_max: 1000},
                  {provider: "p2", upstream_model: "gpt-mock", priority: 2, context_tokens_max: 100000}]}
                """
        } _: { sluice, mock throws in
            let reply = try sluice.chat()
            #expect(reply.status == 200)
            #expect(try mock.counts("gpt-mock+tokens=1").attempts == 0)
            #expect(try mock.counts("gpt-mock").attempts == 1)
        }
    }

    @Test func `a refusal for what it says goes to another model if the configuration says so`() throws {
        try withTargets(["gpt-mock+content-filter=refuse", "gpt-mock"]) {
            $0.retries = #"content_policy: "next""#
        } _: { sluice, mock throws in
            let reply = try sluice.chat()
            #expect(reply.status == 200)
        }
    }

    @Test func `of several errors the one that helps most is told`() throws {
        try withTargets(["gpt-mock+status=429+retry-after=7", "gpt-mock+close"]) { sluice, mock throws in
            let reply = try sluice.chat()
            #expect(reply.status == 429)
            #expect(reply.json["error"]["code"].string == "rate_limit_exceeded")
            #expect(reply["retry-after"] == "7")
            #expect(reply["x-should-retry"] == "false")
        }
    }

    // MARK: Limits of providers

    @Test func `a request waits for a target that is closed for a short time`() throws {
        let model = "gpt-mock+status=429+retry-after=1+times=1"
        try withTargets([model]) { sluice, mock throws in
            let start = ContinuousClock.now
            let reply = try sluice.chat()
            #expect(reply.status == 200)
            #expect(ContinuousClock.now - start >= .seconds(1))
            #expect(try mock.counts(model).attempts == 2)
        }
    }

    @Test(arguments: ["retry-after=60", "retry-after-ms=60000", "retry-after-date=60"])
    func `one that is closed for long is not asked, whoever comes`(spelling: String) throws {
        let model = "gpt-mock+status=429+\(spelling)"
        try withTargets([model]) { sluice, mock throws in
            let first = try sluice.chat()
            #expect(first.status == 429)
            let second = try sluice.chat()
            #expect(second.status == 429)
            #expect(second.json["error"]["code"].string == "rate_limit_exceeded")
            let wait = second["retry-after"].flatMap { Int($0) } ?? 0
            #expect((57...60).contains(wait))
            #expect(try mock.counts(model).attempts == 1)
        }
    }

    @Test func `no provider closes itself for longer than it may`() throws {
        let model = "gpt-mock+status=429+retry-after=3600+times=1"
        try withTargets([model]) {
            $0.retries = "closed_max_ms: 1000, closed_default_ms: 10"
        } _: { sluice, mock throws in
            #expect(try sluice.chat().status == 200)
        }
    }

    @Test func `while one key is closed the others are used`() throws {
        let upstream = try ScriptedUpstream { connection, request in
            if request["authorization"] == "Bearer \(Secrets.provider)" {
                return try connection.reply(
                    #"{"error":{"message":"slow down","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#,
                    status: "429 Too Many Requests", ["retry-after: 60"])
            }
            try connection.reply(Sample.completion)
        }
        var configuration = Configuration()
        configuration.providers.append(
            #""mock": {base_url: "http://127.0.0.1:\#(upstream.port)/v1", api_key: ["\#(Secrets.provider)", "\#(Secrets.otherProvider)"]}"#
        )
        try withSluice(configuration, upstream) { sluice in
            for _ in 0..<6 {
                let reply = try sluice.chat()
                #expect(reply.status == 200)
            }
            #expect(upstream.requests.all.count == 7)
        }
    }

    // MARK: What is not done twice

    @Test func `an image is not asked for again once the provider had the request`() throws {
        let model = "gpt-mock+status=500"
        try withTargets([model, "gpt-mock"]) { sluice, mock throws in
            let reply = try sluice.exchange(
                "POST", "/v1/images/generations", ["content-type: application/json"], #"{"model":"m","prompt":"a cat"}"#
            )
            #expect(reply.status == 500)
            #expect(try mock.counts(model).attempts == 1)
            #expect(try mock.counts("gpt-mock").attempts == 0)
        }
    }

    @Test func `an upload is not repeated`() throws {
        let upstream = try ScriptedUpstream { connection, _ in connection.isOver = true }
        var configuration = Configuration(upstream)
        configuration.retries = ""
        try withSluice(configuration, upstream) { sluice in
            let reply = try sluice.exchange(
                "POST", "/v1/files", ["content-type: multipart/form-data; boundary=b"], "--b--\r\n")
            #expect(reply.status == 502)
            #expect(upstream.requests.all.count == 1)
        }
    }

    @Test func `with after_sent false nothing is sent again that the provider had`() throws {
        let model = "gpt-mock+status=500"
        try withTargets([model, "gpt-mock"]) {
            $0.retries = "after_sent: false"
        } _: { sluice, mock throws in
            #expect(try sluice.chat().status == 500)
            #expect(try mock.counts("gpt-mock").attempts == 0)
        }
    }

    @Test func `no credential of one provider is shown to another`() throws {
        let first = try ScriptedUpstream { connection, _ in
            try connection.reply(
                #"{"error":{"message":"no"}}"#, status: "500 Internal Server Error", ["set-cookie: a=b"])
        }
        let second = try ScriptedUpstream()
        var configuration = Configuration()
        configuration.add("a", first, key: Secrets.provider, #"headers: {"x-of-a": "secret-of-a"}"#)
        configuration.add("b", second, key: Secrets.otherProvider)
        configuration.models =
            #"m: {targets: [{provider: "a", upstream_model: "model-of-a", priority: 0}, {provider: "b", upstream_model: "model-of-b", priority: 1}]}"#
        try withSluice(configuration, first, second) { sluice in
            let reply = try sluice.chat()
            #expect(reply.status == 200)
            #expect(reply["set-cookie"] == nil)
            let asked = second.requests.all[0]
            #expect(asked["authorization"] == "Bearer \(Secrets.otherProvider)")
            #expect(asked["x-of-a"] == nil)
            #expect(asked.text.contains("model-of-b") && !asked.text.contains("model-of-a"))
        }
    }

    // MARK: Bounds

    @Test func `attempts share one deadline`() throws {
        try withTargets(["gpt-mock+silence", "gpt-mock+silence", "gpt-mock"]) {
            $0.timeouts = "first_byte_ms: 2100, total_ms: 3000"
            $0.retries = "attempt_min_ms: 100"
        } _: { sluice, mock throws in
            let start = ContinuousClock.now
            let reply = try sluice.chat()
            let took = ContinuousClock.now - start
            #expect(reply.status == 504)
            #expect(took >= .milliseconds(2090) && took < .milliseconds(4200), "\(took)")
        }
    }

    @Test func `an application that goes ends the wait and the attempts`() throws {
        let model = "gpt-mock+status=429+retry-after=2"
        try withTargets([model]) { sluice, mock throws in
            let wire = try sluice.connect()
            try wire.ask("POST", "/v1/chat/completions", [], Sample.chat)
            try awaitTrue("a count") { try mock.counts(model).attempts > 0 }
            wire.close()
            try sluice.awaitQuiet()
            #expect(try mock.counts(model).attempts == 1)
            try sluice.line("the end") { $0["event.outcome"].string == "client_gone" }
        }
    }
}
