import NetTestSupport
import SluiceCore
import SluiceNet
import Synchronization
import TestSupport
import Testing

@testable import SluiceStorage

/// A client on a loop of its own, what it made known, and a clock.
final class RedisTest {
    let client: RedisClient
    let health: RedisHealth
    let test: LoopTest
    let heard: Heard
    private var others: [RedisClient] = []

    /// What operators were told.
    final class Heard: Sendable {
        private let list = Mutex<[RedisEvent]>([])
        var events: [RedisEvent] { list.withLock { $0 } }
        func add(_ event: RedisEvent) { list.withLock { $0.append(event) } }

        /// The events without their texts and times.
        var words: [String] {
            events.map { event in
                switch event {
                case .unavailable: "unavailable"
                case .available: "available"
                case .scriptsRefused: "scripts refused"
                case .full: "full"
                case .masterChanged: "master changed"
                }
            }
        }
    }

    private init(_ settings: RedisSettings, _ test: LoopTest) {
        self.test = test
        let heard = Heard()
        self.heard = heard
        health = RedisHealth()
        health.onEvent { heard.add($0) }
        client = RedisClient(settings, health: health, loop: test.loop, resolver: Resolver(), seed: 7)
    }

    /// Another worker's client, on the same loop.
    func another() -> RedisClient {
        let other = RedisClient(client.settings, health: health, loop: test.loop, resolver: Resolver(), seed: 8)
        others.append(other)
        return other
    }

    /// Runs `body` with a client that has connected, unless `waits` is false.
    static func run(
        _ settings: RedisSettings, waits: Bool = true, _ body: @escaping @Sendable (RedisTest) async throws -> Void
    ) async throws {
        try await onLoop { test in
            let redis = RedisTest(settings, test)
            defer {
                redis.client.close()
                for other in redis.others { other.close() }
            }
            if waits { try #require(await eventually { redis.client.isAvailable }, "\(redis.health.nodes)") }
            try await body(redis)
        }
    }

    // MARK: Commands

    func call(_ command: RedisCommand, within: Duration? = nil) async throws -> RedisReply {
        try await client.call(command, within: within)
    }

    func get(_ key: String, within: Duration? = nil) async throws -> RedisReply {
        try await client.call(RedisCommand("GET", key: key), within: within)
    }

    func set(_ key: String, _ value: String, within: Duration? = nil) async throws -> RedisReply {
        var command = RedisCommand("SET", key: key)
        command.append(value)
        return try await client.call(command, within: within)
    }

    func run(_ script: RedisScript, key: String, _ arguments: [String]) async throws -> RedisReply {
        try await client.run(script, key: key, arguments)
    }

    /// Calls, and says how long that took and what came of it.
    func timed(_ key: String = "k") async -> (took: Duration, reason: RedisUnavailable.Reason?) {
        let began = EventLoop.readClock()
        var reason: RedisUnavailable.Reason?
        do throws(RedisUnavailable) {
            _ = try await client.call(RedisCommand("GET", key: key))
        } catch {
            reason = error.reason
        }
        return (EventLoop.readClock() - began, reason)
    }

    /// How long it takes until a command is answered again.
    func recovery(within limit: Duration = .seconds(10)) async throws -> Duration {
        let began = EventLoop.readClock()
        try #require(
            await eventually(within: limit) { client.isAvailable }, "\(health.nodes)")
        let took = EventLoop.readClock() - began
        _ = try await get("k", within: .seconds(10))
        return took
    }
}

/// Blocking work that the loop must not do, on a thread of its own: those of tasks are few, and other tests block them.
func off<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread.start("test-off") { continuation.resume(with: Result { try body() }) }
    }
}

extension RedisSettings {
    /// A server of a test. Its machine is busy: what is not about deadlines has long ones.
    init(_ process: RedisProcess, timeout: Duration? = nil) {
        self.init(topology: .single(.host("127.0.0.1", process.port)))
        if timeout == nil { connect = .seconds(10) }
        self.timeout = timeout ?? .seconds(10)
    }
}
