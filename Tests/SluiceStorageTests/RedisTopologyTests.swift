import Glibc
import NetTestSupport
import SluiceCore
import SluiceNet
import TestSupport
import Testing

@testable import SluiceStorage

@Suite(.serialized) struct `A Redis that is more than one server` {
    @Test func `sentinels name the master, and the next one when it is killed`() async throws {
        let group = try RedisSentinels(password: "s3cret", sentinelPassword: "s3ntinel")
        var settings = RedisSettings(group.master)
        settings.topology = .sentinel(
            [.host("127.0.0.1", 1)] + group.sentinels.map { .host("127.0.0.1", $0.port) }, master: "main")
        settings.credentials = RedisSettings.Credentials(password: Secret("s3cret"))
        settings.sentinelCredentials = RedisSettings.Credentials(password: Secret("s3ntinel"))
        try await RedisTest.run(settings) { redis async throws in
            #expect(try await redis.set("k", "v") == .status("OK"))
            #expect(redis.health.nodes.map(\.address) == ["127.0.0.1:\(group.master.port)"])
            let promoted = try await Self.promotion { group.master.kill() } until: {
                group.sentinels.contains {
                    $0.ask("SENTINEL GET-MASTER-ADDR-BY-NAME main").contains("\(group.replica.port)")
                }
            }
            let isBack = await eventually(within: .seconds(15)) {
                redis.client.isAvailable && redis.health.nodes.map(\.address) == ["127.0.0.1:\(group.replica.port)"]
            }
            #expect(isBack, "\(redis.health.nodes)")
            let took = EventLoop.readClock() - promoted
            print("sentinel: followed \(took.milliseconds) ms after a sentinel named the new master")
            #expect(took < .seconds(2))
            #expect(try await redis.set("k", "w") == .status("OK"))
            #expect(redis.heard.words.last == "master changed")
        }
    }

    @Test func `a cluster's nodes get their keys, through moves and a failover`() async throws {
        let cluster = try RedisCluster()
        var settings = RedisSettings(cluster.masters[0])
        settings.topology = .cluster([.host("127.0.0.1", 1), .host("127.0.0.1", cluster.masters[1].port)])
        try await RedisTest.run(settings) { redis async throws in
            #expect(await eventually { redis.health.nodes.count { $0.connections > 0 } == 3 })
            for number in 0..<100 { #expect(try await redis.set("key:\(number)", "\(number)") == .status("OK")) }
            for number in 0..<100 { #expect(try await redis.get("key:\(number)").text == "\(number)") }
            #expect(redis.health.nodes.allSatisfy { $0.calls > 20 && $0.errors == 0 })
            try await Self.followMoves(redis, cluster)
            try await Self.followFailover(redis, cluster)
        }
    }

    /// Kills the master and waits until its replica has taken its place: for the servers' own part of a failover.
    ///
    /// - Returns: when it had.
    private static func promotion(
        _ kill: @escaping @Sendable () -> Void, until isOver: @escaping @Sendable () -> Bool
    ) async throws -> Instant {
        try await off {
            kill()
            for _ in 0..<4000 where !isOver() { usleep(5000) }
            return EventLoop.readClock()
        }
    }

    /// The slot of `foo` (12182) goes from the third master to the first: first it is on its way, then it has moved.
    private static func followMoves(_ redis: RedisTest, _ cluster: RedisCluster) async throws {
        try await off {
            cluster.masters[0].ask("CLUSTER SETSLOT 12182 IMPORTING \(cluster.id(of: cluster.masters[2]))")
            cluster.masters[2].ask("CLUSTER SETSLOT 12182 MIGRATING \(cluster.id(of: cluster.masters[0]))")
        }
        // The key is not there, so it is asked for where the slot goes.
        #expect(try await redis.set("foo", "asked") == .status("OK"))
        #expect(try await redis.get("foo").text == "asked")
        try await off {
            for node in [cluster.masters[0], cluster.masters[2], cluster.masters[1]] {
                node.ask("CLUSTER SETSLOT 12182 NODE \(cluster.id(of: cluster.masters[0]))")
            }
        }
        #expect(try await redis.get("foo").text == "asked")
        let script = RedisScript("return redis.call('GET', KEYS[1])")
        #expect(try await redis.run(script, key: "foo", []).text == "asked")
    }

    /// The first master is killed, and its replica takes its place.
    private static func followFailover(_ redis: RedisTest, _ cluster: RedisCluster) async throws {
        let promoted = try await promotion { cluster.masters[0].kill() } until: {
            cluster.replica.ask("ROLE").contains("master")
        }
        // The others went on, and go on.
        #expect(redis.client.isAvailable)
        var answer: RedisReply?
        while EventLoop.readClock() - promoted < .seconds(20), answer != .bytes(Array("asked".utf8)) {
            answer = try? await redis.get("foo")
            try await Task.sleep(for: .milliseconds(5))
        }
        let took = EventLoop.readClock() - promoted
        print("cluster: followed \(took.milliseconds) ms after the replica became the master")
        #expect(took < .seconds(2))
        #expect(answer?.text == "asked")
    }
}
