import Foundation
import Glibc
import TestSupport
import Testing

/// Locks in Redis that nobody gives back: who asks the same goes on within the time that the documentation says.
@Suite struct `A lock that was left behind` {
    private let chat = #"{"model":"m","temperature":0,"messages":[{"role":"user","content":"Hello"}]}"#
    private let locks = "sluice:cache:*:lock"

    private func configuration(_ upstream: ScriptedUpstream, _ redis: RedisProcess, fleetWait: Int) -> Configuration {
        var configuration = Configuration(upstream)
        configuration.others = [
            "cache: {fleet_wait_ms: \(fleetWait)}",
            #"redis: {url: "redis://127.0.0.1:\#(redis.port)", timeout_ms: 200}"#,
        ]
        return configuration
    }

    private func awaitRedis(_ sluice: SluiceProcess, is state: String) throws {
        let deadline = Patience.deadline
        while try sluice.health().json["redis"].string != state {
            if .now > deadline { throw TimedOut("Redis: \(try sluice.health().json)") }
            usleep(10_000)
        }
    }

    private func awaitLock(_ redis: RedisProcess) throws {
        let deadline = Patience.deadline
        while !redis.ask("KEYS \(locks)").hasPrefix("*1\r\n") {
            if .now > deadline { throw TimedOut("a lock: \(redis.ask("KEYS *"))") }
            usleep(10_000)
        }
    }

    @Test func `by a process that was killed holds up no other for longer than fleet_wait_ms`() throws {
        let redis = try RedisProcess()
        defer { redis.remove() }
        let calls = CallCounter()
        let upstream = try ScriptedUpstream { connection, _ in
            if calls.increment() == 1 {
                _ = try connection.awaitEnd()
                return
            }
            try connection.reply(Sample.completion)
        }
        defer { upstream.stop() }
        let configuration = configuration(upstream, redis, fleetWait: 500)
        let killed = try SluiceProcess(configuration)
        try awaitRedis(killed, is: "up")
        let wire = try killed.connect()
        try wire.ask("POST", "/v1/chat/completions", [], chat)
        try upstream.requests.first("the request")
        try awaitLock(redis)
        killed.signal(SIGKILL)
        _ = try killed.process.exitStatus()
        try withSluice(configuration, upstream) { sluice in
            try awaitRedis(sluice, is: "up")
            try awaitLock(redis)
            let start = ContinuousClock.now
            let wires = try (0..<50).map { _ in
                let wire = try sluice.connect()
                try wire.ask("POST", "/v1/chat/completions", [], chat)
                return wire
            }
            for wire in wires { #expect(try wire.readResponse().text == Sample.completion) }
            let took = ContinuousClock.now - start
            #expect(took > .milliseconds(400), "the lock was there")
            #expect(took < .seconds(5), "500 ms, and the request itself")
            #expect(upstream.requests.all.count == 2)
        }
    }

    /// While Redis does not answer, locks are not given back. The process that left them does not wait for itself.
    @Test func `while Redis was paused holds up nobody in its own process`() throws {
        let redis = try RedisProcess()
        defer { redis.remove() }
        let gate = DispatchSemaphore(value: 0)
        let calls = CallCounter()
        let upstream = try ScriptedUpstream { connection, request in
            if calls.increment() == 1 {
                _ = gate.wait(timeout: .now() + 60)
                return try connection.reply(#"{"error":{"message":"No."}}"#, status: "500 Internal Server Error")
            }
            try connection.reply(Sample.completion)
        }
        // A lock lives for ten seconds: who waits for it is found out.
        try withSluice(configuration(upstream, redis, fleetWait: 60_000), upstream) { sluice in
            try awaitRedis(sluice, is: "up")
            let wire = try sluice.connect()
            try wire.ask("POST", "/v1/chat/completions", [], chat)
            try upstream.requests.first("the request")
            try awaitLock(redis)
            redis.pause()
            for number in 0..<10 { _ = try sluice.chat(chat.replacingOccurrences(of: "Hello", with: "\(number)")) }
            try awaitRedis(sluice, is: "down")
            gate.signal()
            #expect(try wire.readResponse().status == 500)
            redis.resume()
            try awaitRedis(sluice, is: "up")
            #expect(redis.ask("KEYS \(locks)").contains(":lock"), "it could not be given back")
            let start = ContinuousClock.now
            #expect(try sluice.chat(chat).text == Sample.completion)
            #expect(ContinuousClock.now - start < .seconds(3), "nobody waits for the lock to end by itself")
        }
    }
}
