import Foundation
import Glibc
import Testing

/// Holds what passes until it is told how many may go on.
final class Turnstile: @unchecked Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func open(_ count: Int = 1) { for _ in 0..<count { semaphore.signal() } }
    func pass() { _ = semaphore.wait(timeout: .now() + 60) }
}

@Suite struct `Limits on concurrency` {
    private func upstream(_ turnstile: Turnstile) throws -> ScriptedUpstream {
        try ScriptedUpstream { connection, _ in
            turnstile.pass()
            try connection.reply(Sample.completion)
        }
    }

    private func configuration(_ upstream: ScriptedUpstream, _ concurrency: String, workers: Int = 2) -> Configuration {
        var configuration = Configuration(upstream)
        configuration.workers = workers
        configuration.others = ["concurrency: {\(concurrency)}"]
        return configuration
    }

    private func gate(_ sluice: SluiceProcess, _ index: Int = 0) throws -> JSON {
        try sluice.health("/queues").json["gates"][index]
    }

    private func see(_ what: String, _ sluice: SluiceProcess, _ matches: (JSON) -> Bool) throws {
        let deadline = Patience.deadline
        while true {
            let gate = try gate(sluice)
            if matches(gate) { return }
            if .now > deadline { throw TimedOut("\(what): \(gate)") }
            usleep(2000)
        }
    }

    private func ask(_ sluice: SluiceProcess, _ name: String, _ fields: [String] = []) throws -> Wire {
        let wire = try sluice.connect()
        try wire.ask(
            "POST", "/v1/chat/completions", fields + ["x-request-id: \(name)"],
            #"{"model":"m","messages":[{"role":"user","content":"\#(name)"}]}"#)
        return wire
    }

    private func names(_ upstream: ScriptedUpstream) -> [String] {
        upstream.requests.all.compactMap { $0.json["messages"][0]["content"].string }
    }

    @Test func `one more than a model may have at one time waits for its turn, on whatever worker`() throws {
        let turnstile = Turnstile()
        let upstream = try upstream(turnstile)
        let limits = "models: {m: {max_concurrency: 2}}"
        try withSluice(configuration(upstream, limits), upstream) { sluice in
            let wires = try (0..<6).map { try ask(sluice, "r\($0)") }
            try see("four to wait", sluice) { $0["in_use"].int == 2 && $0["waiting"].int == 4 }
            #expect(try gate(sluice)["model"].string == "m")
            try upstream.requests.count(2, "requests")
            #expect(upstream.requests.all.count == 2)
            turnstile.open(6)
            for wire in wires { #expect(try wire.readResponse().status == 200) }
            try see("nobody to be there", sluice) { $0["in_use"].int == 0 && $0["waiting"].int == 0 }
            let lines = try (0..<6).map { try sluice.exchangeLine("r\($0)") }
            #expect(lines.filter { $0.keys.contains("sluice.queue_ms") }.count == 4)
            #expect(try gate(sluice)["queued"].int == 4)
        }
    }

    @Test func `who waits goes in the order of the classes`() throws {
        let turnstile = Turnstile()
        let upstream = try upstream(turnstile)
        let limits = """
            models: {m: {max_concurrency: 1}}, aging_ms: 60000,
            priorities: {header: "x-sluice-priority", classes: [
                {name: "high", users: ["ada"]}, {name: "normal"}, {name: "low", roles: ["batch"]}]}
            """
        try withSluice(configuration(upstream, limits), upstream) { sluice in
            var wires = [try ask(sluice, "first")]
            try upstream.requests.first("the first request")
            let asked = [
                ("batch", ["x-sluice-role: batch"]), ("plain", []), ("asked low", ["x-sluice-priority: low"]),
                ("lifted", ["x-sluice-role: batch", "x-sluice-priority: high"]), ("ada", ["x-sluice-user: ada"]),
                ("asked high", ["x-sluice-priority: high"]),
            ]
            for (index, request) in asked.enumerated() {
                wires.append(try ask(sluice, request.0, request.1))
                try see("\(index + 1) to wait", sluice) { $0["waiting"].int == index + 1 }
            }
            #expect(try gate(sluice)["waiting_by_class"].array.map(\.int) == [2, 1, 3])
            turnstile.open(7)
            for wire in wires { #expect(try wire.readResponse().status == 200) }
            #expect(names(upstream) == ["first", "ada", "asked high", "plain", "batch", "asked low", "lifted"])
            #expect(try sluice.exchangeLine("lifted")["sluice.priority"].string == "low")
            #expect(try sluice.exchangeLine("plain")["sluice.priority"].string == "normal")
        }
    }

    @Test func `a request that another model answers takes a place of that one`() throws {
        let turnstile = Turnstile()
        let upstream = try ScriptedUpstream { connection, request in
            if request.json["model"].string == "broken" {
                return try connection.reply(#"{"error":{"message":"no"}}"#, status: "500 No")
            }
            turnstile.pass()
            try connection.reply(Sample.completion)
        }
        var configuration = configuration(upstream, "models: {spare: {max_concurrency: 1, queue_ms: 200}}")
        configuration.models =
            #"m: {provider: "mock", upstream_model: "broken", fallbacks: ["spare"]}, spare: {provider: "mock"}"#
        try withSluice(configuration, upstream) { sluice in
            let own = try sluice.connect()
            try own.ask("POST", "/v1/chat/completions", [], #"{"model":"spare","messages":[]}"#)
            try see("its own request", sluice) { $0["in_use"].int == 1 }
            let early = try sluice.chat()
            #expect(early.status == 503 && early.json["error"]["code"].string == "queue_timeout", "\(early.text)")
            turnstile.open(1)
            #expect(try own.readResponse().status == 200)
            try see("the place to be free", sluice) { $0["in_use"].int == 0 }
            let other = try ask(sluice, "fallback")
            try see("the place to be taken", sluice) { $0["in_use"].int == 1 }
            turnstile.open(1)
            #expect(try other.readResponse().status == 200)
            try see("the place to be free again", sluice) { $0["in_use"].int == 0 }
        }
    }

    @Test(arguments: [503, 429])
    func `with the line full a request is shed, and told when to come back`(status: Int) throws {
        let turnstile = Turnstile()
        let upstream = try upstream(turnstile)
        let limits = "models: {m: {max_concurrency: 1}}, queue_max: 1, shed_status: \(status)"
        try withSluice(configuration(upstream, limits), upstream) { sluice in
            let wires = [try ask(sluice, "a"), try ask(sluice, "b")]
            try see("one to wait", sluice) { $0["waiting"].int == 1 }
            let reply = try sluice.chat()
            #expect(reply.status == status && reply.json["error"]["code"].string == "model_busy", "\(reply.text)")
            #expect(reply["x-sluice-error-owner"] == "policy" && reply["x-should-retry"] != "false")
            #expect(reply["retry-after"].flatMap { Int($0) }.map { $0 >= 1 } == true)
            #expect(try gate(sluice)["shed"]["full"].int == 1)
            turnstile.open(2)
            for wire in wires { #expect(try wire.readResponse().status == 200) }
        }
    }

    @Test func `a lower class makes room for a higher one`() throws {
        let turnstile = Turnstile()
        let upstream = try upstream(turnstile)
        let limits = """
            models: {m: {max_concurrency: 1}}, queue_max: 1,
            priorities: {header: "x-class", classes: [{name: "high"}, {name: "low"}], default: "low"}
            """
        try withSluice(configuration(upstream, limits), upstream) { sluice in
            let first = try ask(sluice, "first")
            try upstream.requests.first("the first request")
            let low = try ask(sluice, "low")
            try see("one to wait", sluice) { $0["waiting"].int == 1 }
            let high = try ask(sluice, "high", ["x-class: high"])
            let reply = try low.readResponse()
            #expect(reply.status == 503 && reply.json["error"]["code"].string == "model_busy")
            turnstile.open(2)
            #expect(try first.readResponse().status == 200 && high.readResponse().status == 200)
            #expect(try gate(sluice)["shed"]["displaced"].int == 1)
            try sluice.scrape(until: "who waited for nothing, and who did not") { metrics in
                ["refused", "admitted"].allSatisfy {
                    metrics.sum("sluice_queue_duration_seconds_count", #"outcome="\#($0)""#) == 1
                }
            }
        }
    }

    @Test func `nobody waits longer than queue_ms`() throws {
        let turnstile = Turnstile()
        let upstream = try upstream(turnstile)
        let limits = "models: {m: {max_concurrency: 1, queue_ms: 300}}"
        try withSluice(configuration(upstream, limits), upstream) { sluice in
            let first = try ask(sluice, "first")
            try upstream.requests.first("the first request")
            let start = ContinuousClock.now
            let reply = try sluice.chat()
            #expect(.now - start >= .milliseconds(290))
            #expect(reply.status == 503 && reply.json["error"]["code"].string == "queue_timeout")
            turnstile.open(2)
            #expect(try first.readResponse().status == 200)
            #expect(try sluice.chat().status == 200)
            #expect(try gate(sluice)["shed"]["timeout"].int == 1 && upstream.requests.all.count == 2)
        }
    }

    @Test func `whoever leaves while waiting leaves the line, and no slot is lost`() throws {
        let turnstile = Turnstile()
        let upstream = try upstream(turnstile)
        let limits = "models: {m: {max_concurrency: 1}}"
        try withSluice(configuration(upstream, limits), upstream) { sluice in
            let first = try ask(sluice, "first")
            try upstream.requests.first("the first request")
            let leaving = try (0..<5).map { try ask(sluice, "leaving \($0)") }
            let staying = try ask(sluice, "staying")
            try see("six to wait", sluice) { $0["waiting"].int == 6 }
            for (index, wire) in leaving.enumerated() { if index.isMultiple(of: 2) { wire.reset() } else { wire.close() } }
            try see("five to leave", sluice) { $0["waiting"].int == 1 && $0["left"].int == 5 }
            turnstile.open(2)
            #expect(try first.readResponse().status == 200 && staying.readResponse().status == 200)
            #expect(names(upstream) == ["first", "staying"])
            try see("nobody to be there", sluice) { $0["in_use"].int == 0 }
        }
    }

    @Test func `a reload changes the limit for those who wait`() throws {
        let turnstile = Turnstile()
        let upstream = try upstream(turnstile)
        func limit(_ count: Int) -> Configuration { configuration(upstream, "models: {m: {max_concurrency: \(count)}}") }
        try withSluice(limit(1), upstream) { sluice in
            var wires = try (0..<4).map { try ask(sluice, "r\($0)") }
            try see("three to wait", sluice) { $0["waiting"].int == 3 }
            try sluice.rewriteConfiguration(limit(3).text)
            sluice.signal(SIGHUP)
            try see("two more to go", sluice) { $0["in_use"].int == 3 && $0["waiting"].int == 1 }
            try upstream.requests.count(3, "requests")
            try sluice.rewriteConfiguration(limit(1).text)
            sluice.signal(SIGHUP)
            try see("the lower limit", sluice) { $0["limit"].int == 1 }
            turnstile.open(2)
            try see("two to leave", sluice) { $0["in_use"].int == 1 && $0["waiting"].int == 1 }
            // Without the section nobody waits any more.
            try sluice.rewriteConfiguration(Configuration(upstream).text)
            sluice.signal(SIGHUP)
            try upstream.requests.count(4, "requests")
            wires.append(try ask(sluice, "last"))
            turnstile.open(3)
            for wire in wires { #expect(try wire.readResponse().status == 200) }
        }
    }

    @Test func `a process that ends still serves who waits, and tells those for whom the time is too short`() throws {
        for (grace, statuses) in [(20_000, [200, 200]), (300, [503, 503])] {
            let turnstile = Turnstile()
            let upstream = try upstream(turnstile)
            var configuration = configuration(upstream, "models: {m: {max_concurrency: 1}}", workers: 1)
            configuration.drain = "lame_duck_ms: 0, grace_ms: \(grace)"
            try withSluice(configuration, upstream) { sluice in
                let wires = [try ask(sluice, "a"), try ask(sluice, "b")]
                try see("one to wait", sluice) { $0["waiting"].int == 1 }
                sluice.signal(SIGTERM)
                try sluice.line("the drain") { $0["message"].string == "draining" }
                if grace > 1000 { turnstile.open(2) }
                let replies = try wires.map { try $0.readResponse() }
                #expect(replies.map(\.status) == statuses)
                if grace < 1000 { #expect(replies[1].json["error"]["code"].string == "shutting_down") }
                turnstile.open(2)
                _ = try sluice.process.exitStatus()
            }
        }
    }

    @Test func `a provider's slot is held as long as its stream lasts, and comes back when an attempt fails`() throws {
        let turnstile = Turnstile()
        let upstream = try ScriptedUpstream { connection, request in
            if request.text.contains("broken") {
                connection.isOver = true
                return
            }
            guard request.text.contains(#""stream":true"#) else { return try connection.reply(Sample.completion) }
            try connection.startStream()
            try connection.event(Sample.delta("a"))
            turnstile.pass()
            for event in [Sample.finish, Sample.done] { try connection.event(event) }
            try connection.endStream()
        }
        let limits = "providers: {mock: {max_concurrency: 1, queue_max: 0}}"
        try withSluice(configuration(upstream, limits), upstream) { sluice in
            let stream = try sluice.stream()
            #expect(try stream.next() == "data: " + Sample.delta("a"))
            let refused = try sluice.chat()
            #expect(refused.status == 503 && refused.json["error"]["code"].string == "provider_busy")
            #expect(refused["x-sluice-error-owner"] == "gateway")
            turnstile.open()
            _ = try stream.rest()
            try see("the slot", sluice) { $0["in_use"].int == 0 && $0["provider"].string == "mock" }
            for _ in 0..<3 {
                let reply = try sluice.chat(#"{"model":"m","messages":[{"role":"user","content":"broken"}]}"#)
                #expect(reply.status == 502, "\(reply.text)")
            }
            try see("the slot", sluice) { $0["in_use"].int == 0 }
            #expect(try sluice.chat().status == 200)
        }
    }

    @Test func `a provider that is full gives way to another target of the model, and is waited for when all are`() throws {
        let turnstile = Turnstile()
        let first = try upstream(turnstile)
        let second = try upstream(turnstile)
        var configuration = Configuration()
        configuration.workers = 2
        configuration.add("one", first)
        configuration.add("two", second)
        configuration.models = #"m: {targets: [{provider: "one"}, {provider: "two", priority: 1}]}"#
        configuration.others = ["concurrency: {providers: {one: {max_concurrency: 1}, two: {max_concurrency: 1}}}"]
        try withSluice(configuration, first, second) { sluice in
            let wires = try ["a", "b", "c"].map { name in
                defer { usleep(20_000) }
                return try ask(sluice, name)
            }
            try first.requests.count(1, "requests")
            try second.requests.count(1, "requests")
            // Where it would have gone first.
            try see("one to wait", sluice) { $0["provider"].string == "one" && $0["waiting"].int == 1 }
            turnstile.open(3)
            for wire in wires { #expect(try wire.readResponse().status == 200) }
            #expect(names(first).count == 2 && names(second).count == 1)
            try see("nobody to be there", sluice) { $0["in_use"].int == 0 && $0["waiting"].int == 0 }
        }
    }

    @Test func `a model is limited under all of its names`() throws {
        let turnstile = Turnstile()
        let upstream = try upstream(turnstile)
        var configuration = configuration(upstream, "models: {m: {max_concurrency: 1}}, queue_max: 0")
        configuration.models = #"m: {provider: "mock"}"#
        configuration.others.append(#"aliases: {other: "m"}"#)
        try withSluice(configuration, upstream) { sluice in
            let wire = try ask(sluice, "a")
            try upstream.requests.first("the request")
            let reply = try sluice.chat(#"{"model":"other","messages":[{"role":"user","content":"b"}]}"#)
            #expect(reply.json["error"]["code"].string == "model_busy", "\(reply.text)")
            turnstile.open()
            #expect(try wire.readResponse().status == 200)
        }
    }

    @Test func `lower classes are shed first when the process is nearly full`() throws {
        let turnstile = Turnstile()
        let upstream = try upstream(turnstile)
        let limits = """
            priorities: {header: "x-class", default: "normal", classes: [
                {name: "high"}, {name: "normal", in_flight_percent: 100}, {name: "low", in_flight_percent: 50}]}
            """
        var configuration = configuration(upstream, limits)
        configuration.limits = "in_flight_max: 4"
        try withSluice(configuration, upstream) { sluice in
            let wires = [try ask(sluice, "a"), try ask(sluice, "b")]
            try upstream.requests.count(2, "requests")
            let low = try sluice.chat(Sample.chat, ["x-class: low"])
            #expect(low.status == 503 && low.json["error"]["code"].string == "too_many_requests_in_flight")
            let normal = try ask(sluice, "c")
            try upstream.requests.count(3, "requests")
            turnstile.open(3)
            for wire in wires + [normal] { #expect(try wire.readResponse().status == 200) }
            let classes = try sluice.health("/queues").json["classes"]
            #expect(classes[2]["name"].string == "low" && classes[2]["shed"].int == 1 && classes[1]["shed"].int == 0)
        }
    }

    @Test func `many applications that come and go never pass the limit, and leave nothing behind`() throws {
        let inside = Inside()
        let upstream = try ScriptedUpstream { connection, _ in
            inside.enter()
            usleep(3000)
            inside.leave()
            try connection.reply(Sample.completion)
        }
        let limits = "models: {m: {max_concurrency: 4}}, providers: {mock: {max_concurrency: 3}}, queue_max: 20, queue_ms: 500"
        try withSluice(configuration(upstream, limits), upstream) { sluice in
            let port = sluice.ports[0]
            let clients = (0..<24).map { client in
                Background {
                    var statuses: [Int] = []
                    for round in 0..<12 {
                        let wire = try Wire(port: port)
                        try wire.ask("POST", "/v1/chat/completions", [], Sample.chat)
                        if (client + round).isMultiple(of: 3) {
                            usleep(UInt32(client * 200))
                            wire.reset()
                            continue
                        }
                        statuses.append(try wire.readResponse().status)
                    }
                    return statuses
                }
            }
            let statuses = try clients.flatMap { try $0.value() }
            #expect(statuses.allSatisfy { $0 == 200 || $0 == 503 } && statuses.contains(200), "\(statuses)")
            // A request whose application has gone is still under way at the provider for a moment.
            try sluice.awaitQuiet()
            for index in 0..<2 {
                let gate = try gate(sluice, index)
                #expect(gate["in_use"].int == 0 && gate["waiting"].int == 0, "\(gate)")
            }
            #expect(inside.most <= 4 + clients.count / 3)
            #expect(try sluice.chat().status == 200)
        }
    }

    private final class Inside: @unchecked Sendable {
        private let lock = NSLock()
        private var count = 0
        private(set) var most = 0

        func enter() {
            lock.withLock {
                count += 1
                most = max(most, count)
            }
        }

        func leave() { lock.withLock { count -= 1 } }
    }

    @Test func `the mock's slowness behind a limit is felt by nobody else`() throws {
        let mock = try MockProcess()
        defer { mock.stop() }
        var configuration = Configuration()
        configuration.workers = 2
        configuration.providers = [
            #"slow: {base_url: "http://127.0.0.1:\#(mock.port)/v1", api_key: "any"}"#,
            #"fast: {base_url: "http://127.0.0.1:\#(mock.port)/v1", api_key: "any"}"#,
        ]
        configuration.models =
            #"slow: {provider: "slow", upstream_model: "gpt-mock+latency-ms=1500"}, fast: {provider: "fast", upstream_model: "gpt-mock"}"#
        configuration.others = ["concurrency: {providers: {slow: {max_concurrency: 3}}, queue_max: 2, queue_ms: 100}"]
        try withSluice(configuration) { sluice in
            let slow = Self.ask(12, of: "slow", port: sluice.ports[0])
            try see("three under way", sluice) { $0["in_use"].int == 3 }
            for _ in 0..<20 {
                let start = ContinuousClock.now
                let status = try sluice.chat(#"{"model":"fast","messages":[{"role":"user","content":"a"}]}"#).status
                let time = ContinuousClock.now - start
                #expect(status == 200 && time < .seconds(1))
            }
            var outcomes: [String] = []
            for question in slow {
                let reply = try question.value()
                outcomes.append(reply.json["error"]["code"].string ?? "\(reply.status)")
            }
            #expect(outcomes.filter { $0 == "200" }.count == 3, "\(outcomes)")
            #expect(Set(outcomes).subtracting(["200", "provider_busy", "queue_timeout"]).isEmpty, "\(outcomes)")
        }
    }

    private static func ask(_ count: Int, of model: String, port: UInt16) -> [Background<HTTPMessage>] {
        let body = #"{"model":"\#(model)","messages":[{"role":"user","content":"a"}]}"#
        return (0..<count).map { _ in Background { try Wire(port: port).chat(body) } }
    }
}
