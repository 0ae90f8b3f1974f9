import Foundation
import Glibc
import Testing

/// Many requests that are the same, at one time.
@Suite struct `Identical requests at one time` {
    private let chat = #"{"model":"m","temperature":0,"messages":[{"role":"user","content":"Hello"}]}"#

    private func configuration(_ upstream: ScriptedUpstream, workers: Int = 1, _ cache: String = "") -> Configuration {
        var configuration = Configuration(upstream)
        configuration.workers = workers
        configuration.others = ["cache: {\(cache)}"]
        return configuration
    }

    /// Sends the same request on so many connections.
    private func ask(_ sluice: SluiceProcess, _ count: Int, _ body: String? = nil) throws -> [Wire] {
        try (0..<count).map { _ in
            let wire = try sluice.connect()
            try wire.ask("POST", "/v1/chat/completions", [], body ?? chat)
            return wire
        }
    }

    private func raiseFileLimit() {
        var limit = rlimit()
        _ = unsafe getrlimit(__rlimit_resource_t(7), &limit)  // RLIMIT_NOFILE
        limit.rlim_cur = min(limit.rlim_max, 8192)
        _ = unsafe setrlimit(__rlimit_resource_t(7), &limit)
    }

    private func awaitFlight(_ sluice: SluiceProcess, inFlight count: Int) throws {
        let deadline = Patience.deadline
        while try sluice.health().json["in_flight"].int ?? 0 < count {
            if .now > deadline { throw TimedOut("\(count) requests in flight") }
            usleep(5000)
        }
    }

    @Test func `are sent once: 1,000 on two workers`() throws {
        raiseFileLimit()
        let gate = DispatchSemaphore(value: 0)
        let upstream = try ScriptedUpstream { connection, _ in
            _ = gate.wait(timeout: .now() + 60)
            try connection.reply(Sample.completion)
        }
        try withSluice(configuration(upstream, workers: 2), upstream) { sluice in
            let wires = try ask(sluice, 1000)
            try awaitFlight(sluice, inFlight: 1000)
            gate.signal()
            var states: [String: Int] = [:]
            for wire in wires {
                let reply = try wire.readResponse()
                #expect(reply.status == 200 && reply.text == Sample.completion)
                states[reply["x-sluice-cache"] ?? "", default: 0] += 1
            }
            #expect(upstream.requests.all.count == 1)
            #expect(states["miss"] == 1 && states["joined"] == 999, "\(states)")
            #expect(try sluice.health("/cache").json["in_flight"].int == 0)
        }
    }

    @Test func `are sent one at a time while they fail`() throws {
        let calls = CallCounter()
        let gate = DispatchSemaphore(value: 0)
        let upstream = try ScriptedUpstream { connection, _ in
            let number = calls.increment()
            if number == 1 { _ = gate.wait(timeout: .now() + 60) }
            if number > 2 { return try connection.reply(Sample.completion) }
            try connection.reply(#"{"error":{"message":"No."}}"#, status: "500 Internal Server Error")
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            let wires = try ask(sluice, 20)
            try awaitFlight(sluice, inFlight: 20)
            gate.signal()
            let statuses = try wires.map { try $0.readResponse().status }.sorted()
            #expect(statuses == Array(repeating: 200, count: 18) + [500, 500])
            #expect(upstream.requests.all.count == 3)
        }
    }

    @Test func `do not wait for each other once it is known that the answer is not to be shared`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            usleep(100_000)
            try connection.reply(
                #"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"tool_calls","message":{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}}]}"#
            )
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            let start = ContinuousClock.now
            let wires = try ask(sluice, 30)
            for wire in wires { #expect(try wire.readResponse()["x-sluice-cache"] == "miss") }
            #expect(ContinuousClock.now - start < .seconds(2), "30 in a row would have taken 3 s")
            let second = try ask(sluice, 5)
            for wire in second { #expect(try wire.readResponse().status == 200) }
            #expect(upstream.requests.all.count == 35)
        }
    }

    /// Waits until Sluice has seen so many of its applications go.
    private func awaitConnections(_ sluice: SluiceProcess, _ count: Int) throws {
        let deadline = Patience.deadline
        while try sluice.health().json["connections"].int ?? 0 > count {
            if .now > deadline { throw TimedOut("\(count) connections: \(try sluice.health().json)") }
            usleep(5000)
        }
    }

    /// The provider works for whoever is left, in a stream or not, and the one who went is settled as one who went.
    @Test(arguments: [false, true])
    func `are sent once when the first of them goes away: 1,000`(isStream: Bool) throws {
        raiseFileLimit()
        let gate = DispatchSemaphore(value: 0)
        let upstream = try ScriptedUpstream { connection, _ in
            if isStream {
                try connection.startStream()
                try connection.event(Sample.delta("Hel"))
            }
            _ = gate.wait(timeout: .now() + 60)
            if !isStream { return try connection.reply(Sample.completion) }
            for event in [Sample.delta("lo"), Sample.finish, Sample.usage, Sample.done] { try connection.event(event) }
            try connection.endStream()
        }
        let body = isStream ? String(chat.dropLast()) + #","stream":true}"# : chat
        try withSluice(configuration(upstream, workers: 2), upstream) { sluice in
            let first = try sluice.connect()
            try first.ask("POST", "/v1/chat/completions", ["x-request-id: first"], body)
            try upstream.requests.first("the request")
            let others = try ask(sluice, 999, body)
            try awaitFlight(sluice, inFlight: 1000)
            first.close()
            try awaitConnections(sluice, 999)
            gate.signal()
            for wire in others {
                if isStream {
                    #expect(try ResponseStream(wire).rest().contains { $0.contains("Hello") })
                } else {
                    let reply = try wire.readResponse()
                    #expect(reply.text == Sample.completion && reply["x-sluice-cache"] == "joined")
                }
            }
            #expect(upstream.requests.all.count == 1)
            let line = try sluice.exchangeLine("first")
            #expect(line["http.response.status_code"].int == 499 && line["event.outcome"].string == "client_gone")
            #expect(line["gen_ai.usage.input_tokens"].int == 5, "what it cost is what it cost")
            for wire in others { wire.close() }
            try sluice.awaitQuiet()
            #expect(try sluice.health("/cache").json["in_flight"].int == 0)
        }
    }

    @Test func `are not worked for any more when all of them have gone`() throws {
        let upstream = try ScriptedUpstream { connection, _ in _ = try connection.awaitEnd() }
        try withSluice(configuration(upstream), upstream) { sluice in
            let first = try ask(sluice, 1)
            try upstream.requests.first("the request")
            let others = try ask(sluice, 3)
            try awaitFlight(sluice, inFlight: 4)
            first[0].close()
            try awaitConnections(sluice, 3)
            for wire in others { wire.close() }
            try upstream.ends.first("the provider's connection to be closed")
            try sluice.awaitQuiet()
            #expect(upstream.requests.all.count == 1)
        }
    }

    @Test func `are sent again when the first of them has gone and its attempt fails`() throws {
        let calls = CallCounter()
        let gate = DispatchSemaphore(value: 0)
        let upstream = try ScriptedUpstream { connection, _ in
            if calls.increment() > 1 { return try connection.reply(Sample.completion) }
            _ = gate.wait(timeout: .now() + 60)
            try connection.reply(#"{"error":{"message":"No."}}"#, status: "500 Internal Server Error")
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            let first = try ask(sluice, 1)
            try upstream.requests.first("the request")
            let others = try ask(sluice, 5)
            try awaitFlight(sluice, inFlight: 6)
            first[0].close()
            try awaitConnections(sluice, 5)
            gate.signal()
            for wire in others { #expect(try wire.readResponse().text == Sample.completion) }
            #expect(upstream.requests.all.count == 2)
        }
    }

    @Test func `may be left by one who waits, and wait no longer than they have to`() throws {
        let gate = DispatchSemaphore(value: 0)
        let calls = CallCounter()
        let upstream = try ScriptedUpstream { connection, _ in
            if calls.increment() == 1 { _ = gate.wait(timeout: .now() + 60) }
            try connection.reply(Sample.completion)
        }
        try withSluice(configuration(upstream, "join_wait_ms: 300"), upstream) { sluice in
            let wires = try ask(sluice, 3)
            try awaitFlight(sluice, inFlight: 3)
            wires[2].close()
            #expect(try wires[1].readResponse().text == Sample.completion, "it asks for itself after 300 ms")
            #expect(upstream.requests.all.count == 2)
            gate.signal()
            #expect(try wires[0].readResponse().text == Sample.completion)
            for wire in wires { wire.close() }
            try sluice.awaitQuiet()
        }
    }

    @Test func `get streams and whole replies of the same answer`() throws {
        let gate = DispatchSemaphore(value: 0)
        let upstream = try ScriptedUpstream { connection, _ in
            _ = gate.wait(timeout: .now() + 60)
            try connection.startStream()
            for event in [Sample.delta("Hello"), Sample.finish, Sample.usage, Sample.done] {
                try connection.event(event)
            }
            try connection.endStream()
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            let streaming = try ask(sluice, 2, String(chat.dropLast()) + #","stream":true}"#)
            try upstream.requests.first("the request")
            let whole = try ask(sluice, 2)
            try awaitFlight(sluice, inFlight: 4)
            gate.signal()
            for wire in streaming {
                #expect(try ResponseStream(wire).rest().contains { $0.contains("Hello") })
            }
            for wire in whole {
                let reply = try wire.readResponse()
                #expect(reply.json["choices"][0]["message"]["content"].string == "Hello")
                #expect(reply["x-sluice-cache"] == "joined")
            }
            #expect(upstream.requests.all.count == 1)
        }
    }
}
