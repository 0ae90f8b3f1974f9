import NetTestSupport
import SluiceCore
import SluiceNet
import Testing

@testable import SluiceStorage

/// What Redis says is believed no further than it can do harm.
@Suite(.serialized) struct `A Redis that lies` {
    @Test func `does not get a password into what operators read`() async throws {
        let password = "pass-that-nobody-may-read"
        for echo in [
            "-ERR unknown command `AUTH`, with args beginning with: `sluice` `\(password)` \r\n",
            "-ERR unknown command 'AUTH \(password)'\r\n", "-ERR AUTHENTICATE \(password)\r\n",
        ] {
            let server = try FakeRedis { $0[0] == "AUTH" ? echo : nil }
            defer { server.stop() }
            var settings = RedisSettings(topology: .single(.host("127.0.0.1", server.port)))
            settings.credentials = .init(username: "sluice", password: Secret(password))
            try await RedisTest.run(settings, waits: false) { redis async throws in
                #expect(await eventually { redis.heard.words == ["unavailable"] })
                let told = "\(redis.heard.events) \(redis.health.nodes)"
                #expect(told.contains("AUTH was refused"))
                #expect(!told.contains(password.dropLast(4)), "\(told)")
            }
        }
    }

    @Test(.timeLimit(.minutes(1))) func `about who serves which slots takes no time`() {
        let sender = RedisAddress.host("127.0.0.1", 1)
        func range(_ port: Int) -> RedisReply {
            let node = RedisReply.array([.bytes(Array("10.0.0.1".utf8)), .integer(port)])
            return .array([.integer(0), .integer(RedisSlot.count - 1), node])
        }
        let began = EventLoop.readClock()
        let map = RedisClusterMap(.array((1...30_000).map(range)), from: sender)
        #expect(EventLoop.readClock() - began < .seconds(5))
        // The first who says so has them all, and there is nothing left for the others.
        #expect(map?.owner(of: 0) == .host("10.0.0.1", 1))
        #expect(map?.nodes.count == 1)
    }

    @Test func `as one sentinel that was cut off does is not believed when others know better`() async throws {
        let old = try ClosedPort()
        let new = try FakeRedis { _ in nil }
        defer { new.stop() }
        func sentinel(_ port: UInt16) throws -> FakeRedis {
            try FakeRedis { words in
                guard words[0] == "SENTINEL" else { return nil }
                return "*2\r\n$9\r\n127.0.0.1\r\n$\("\(port)".count)\r\n\(port)\r\n"
            }
        }
        let stale = try sentinel(old.address.port)
        let right = try sentinel(new.port)
        defer {
            stale.stop()
            right.stop()
        }
        let settings = RedisSettings(
            topology: .sentinel([.host("127.0.0.1", stale.port), .host("127.0.0.1", right.port)], master: "main"))
        try await RedisTest.run(settings, waits: false) { redis async throws in
            #expect(await eventually(within: .seconds(10)) { redis.client.isAvailable }, "\(redis.health.nodes)")
            #expect(redis.health.nodes.map(\.address) == ["127.0.0.1:\(new.port)"])
        }
    }
}
