import NetTestSupport
import SluiceCore
import SluiceNet
import Synchronization
import TestSupport
import Testing

@testable import SluiceStorage

/// What a helper that is in trouble may cost: one deadline for a few calls, then nothing.
@Suite(.serialized) struct `A Redis server in trouble` {
    /// How much later than its deadline a call may end: a tick of the clock, and a machine that has other things to do.
    private static let slack = Duration.milliseconds(60)

    /// What calls take when the machine lets them run: half of them may wait for it. None waits for another deadline.
    private static func usual(_ times: [Duration]) throws -> Duration {
        #expect(times.allSatisfy { $0 < .seconds(2) }, "\(times)")
        return try #require(times.sorted().dropFirst(times.count / 2).first)
    }

    @Test func `paused, it costs a deadline a few times, then nothing, and is back at once`() async throws {
        let server = try RedisProcess()
        try await RedisTest.run(RedisSettings(server, timeout: .milliseconds(5))) { redis async throws in
            server.pause()
            var slow: [Duration] = []
            var refused: [Duration] = []
            for _ in 0..<2000 {
                let call = await redis.timed()
                if call.reason == .timedOut { slow.append(call.took) }
                if call.reason == .breakerOpen { refused.append(call.took) }
            }
            #expect(1...RedisBreaker.Settings().failuresMax ~= slow.count)
            #expect(slow.allSatisfy { $0 >= .milliseconds(4) }, "\(slow)")
            #expect(try Self.usual(slow) <= .milliseconds(5) + Self.slack, "\(slow)")
            #expect(refused.count == 2000 - slow.count)
            let median = try Self.usual(refused)
            #expect(median < .microseconds(100))
            #expect(redis.heard.words == ["unavailable"])
            #expect(redis.health.overall == .down)
            print("paused: calls of \(slow.map(\.milliseconds)) ms, then \(median.nanoseconds) ns (median)")
            // Nobody asks any more: who looks whether it is available does not make it so.
            try await Task.sleep(for: .milliseconds(1500))
            #expect(!redis.client.isAvailable)
            server.resume()
            let recovery = try await redis.recovery()
            #expect(recovery < .seconds(2))
            print("paused: back after \(recovery.milliseconds) ms")
            #expect(redis.heard.words == ["unavailable", "available"])
        }
    }

    @Test func `paused for a moment, its late replies are dropped and nobody else's are taken for them`() async throws {
        let server = try RedisProcess()
        try await RedisTest.run(RedisSettings(server, timeout: .milliseconds(5))) { redis async throws in
            #expect(try await redis.set("k", "v", within: .seconds(10)) == .status("OK"))
            server.pause()
            for _ in 0..<3 { #expect(await redis.timed().reason == .timedOut) }
            server.resume()
            var command = RedisCommand("ECHO")
            command.append("mine")
            #expect(try await redis.call(command, within: .seconds(10)).text == "mine")
            #expect(redis.health.nodes.first?.late == 3)
            #expect(redis.health.nodes.first?.timeouts == 3)
            #expect(redis.heard.events.isEmpty)
        }
    }

    @Test func `killed, it costs nothing, and is back within two seconds of its return`() async throws {
        let server = try RedisProcess()
        try await RedisTest.run(RedisSettings(server)) { redis async throws in
            _ = try await redis.set("k", "v")
            try await off { server.kill() }
            #expect(await eventually { redis.heard.words == ["unavailable"] })
            var times: [Duration] = []
            for _ in 0..<100 {
                let call = await redis.timed()
                #expect(call.reason == .notConnected)
                times.append(call.took)
            }
            #expect(try Self.usual(times) < Self.slack)
            try await off { try server.start() }
            let recovery = try await redis.recovery()
            #expect(recovery < .seconds(2))
            print("killed: back after \(recovery.milliseconds) ms")
            #expect(await eventually { redis.heard.words == ["unavailable", "available"] })
        }
    }

    @Test func `killed with commands under way, each of them ends at once`() async throws {
        let server = try RedisProcess()
        try await RedisTest.run(RedisSettings(server, timeout: .seconds(20))) { redis async throws in
            server.pause()
            var reasons: [RedisUnavailable.Reason?] = []
            for _ in 0..<50 { redis.test.loop.spawn { reasons.append(await redis.timed().reason) } }
            await redis.test.settle()
            try await off { server.kill() }
            #expect(await eventually { reasons.count == 50 })
            #expect(reasons.allSatisfy { $0 == .notConnected })
            #expect(redis.health.nodes.first?.failures == 50)
        }
    }

    @Test func `one connection that is closed is made again, and is no event`() async throws {
        let server = try RedisProcess()
        try await RedisTest.run(RedisSettings(server)) { redis async throws in
            let before = try await redis.call(Self.connectionID)
            _ = try await off { server.ask("CLIENT KILL TYPE normal") }
            let began = EventLoop.readClock()
            var after: RedisReply?
            while after == nil || after == before, EventLoop.readClock() - began < .seconds(2) {
                after = try? await redis.call(Self.connectionID)
                try await Task.sleep(for: .milliseconds(1))
            }
            #expect(after != nil && after != before)
            #expect(redis.heard.events.isEmpty)
        }
    }

    private static var connectionID: RedisCommand {
        var command = RedisCommand("CLIENT")
        command.append("ID" as StaticString)
        return command
    }

    @Test func `full, it answers with errors and stays in use`() async throws {
        let server = try RedisProcess(["--maxmemory", "1mb"])
        try await RedisTest.run(RedisSettings(server)) { redis async throws in
            let value = String(repeating: "v", count: 10_000)
            var refusals = 0
            for number in 0..<200 where try await redis.set("k\(number)", value).errorKind == "OOM" { refusals += 1 }
            #expect(refusals > 0)
            #expect(redis.client.isAvailable)
            #expect(try await redis.get("nothing") == .null)
            #expect(redis.health.nodes.first?.full == refusals)
            #expect(redis.heard.words == ["full"])
            #expect(redis.client.supportsScripts)
        }
    }

    @Test func `made to pause its clients, it is left alone until it goes on`() async throws {
        let server = try RedisProcess()
        try await RedisTest.run(RedisSettings(server, timeout: .milliseconds(5))) { redis async throws in
            _ = try await off { server.ask("CLIENT PAUSE 700 ALL") }
            let began = EventLoop.readClock()
            var slow: [Duration] = []
            for _ in 0..<200 {
                let call = await redis.timed()
                if call.reason == .timedOut { slow.append(call.took) }
            }
            #expect(try Self.usual(slow) < .milliseconds(5) + Self.slack)
            #expect(slow.count <= RedisBreaker.Settings().failuresMax)
            #expect(await eventually { redis.client.isAvailable })
            #expect(EventLoop.readClock() - began < .milliseconds(2700))
            #expect(redis.heard.words == ["unavailable", "available"])
        }
    }

    @Test func `slow all the time, it is not used`() async throws {
        let server = try RedisProcess()
        try await RedisTest.run(RedisSettings(server, timeout: .milliseconds(5))) { redis async throws in
            // A neighbour whose commands take about 40 ms each, one after the other.
            let isDone = Atomic(false)
            Thread.start("neighbour") {
                while !isDone.load(ordering: .relaxed) {
                    server.ask("EVAL \"local n = 0 for i = 1, 4000000 do n = n + 1 end return n\" 0")
                }
            }
            for _ in 0..<5000 where await redis.timed().reason != .timedOut {
                try await Task.sleep(for: .milliseconds(1))
            }
            try #require(redis.health.nodes.first?.timeouts ?? 0 > 0)
            let began = EventLoop.readClock()
            var waited = Duration.zero
            var calls = 0
            while EventLoop.readClock() - began < .milliseconds(800) {
                let call = await redis.timed()
                if call.reason == .timedOut { waited += call.took }
                calls += 1
                if call.reason == nil { try await Task.sleep(for: .milliseconds(1)) }
            }
            isDone.store(true, ordering: .relaxed)
            #expect(waited < .milliseconds(400), "\(calls) calls waited \(waited.milliseconds) ms together")
            print("slow: \(calls) calls waited \(waited.milliseconds) ms together in 800 ms")
        }
    }

    @Test func `what one worker has found out, the others know`() async throws {
        let server = try RedisProcess()
        try await RedisTest.run(RedisSettings(server, timeout: .milliseconds(5))) { redis async throws in
            let other = redis.another()
            #expect(await eventually { other.isAvailable })
            server.pause()
            for _ in 0..<20 { _ = await redis.timed() }
            #expect(!redis.client.isAvailable)
            #expect(!other.isAvailable)
            server.resume()
            #expect(await eventually(within: .seconds(2)) { redis.client.isAvailable && other.isAvailable })
            #expect(redis.heard.words == ["unavailable", "available"])
        }
    }

    @Test func `commands under way are bounded, and so are those that nobody waits for`() async throws {
        let server = try RedisProcess()
        var settings = RedisSettings(server, timeout: .seconds(20))
        settings.inFlightMax = 8
        try await RedisTest.run(settings) { redis async throws in
            server.pause()
            for _ in 0..<1000 { redis.client.post(RedisCommand("INCR", key: "n")) }
            await #expect(throws: RedisUnavailable(.refused("too many commands are under way"))) {
                try await redis.get("k")
            }
            #expect(redis.health.nodes.first?.refused == 993)
            server.resume()
            #expect(await eventually { redis.health.nodes.first?.calls == 8 })
        }
    }

    @Test func `a server that talks nonsense is cut off, again and again`() async throws {
        let nested = String(repeating: "*1\r\n", count: 12)
        let unasked = String(repeating: "+OK\r\n", count: 12)
        for nonsense in ["HTTP/1.1 400 Bad Request\r\n\r\n", nested, unasked] {
            let listening = try Socket.listen(on: .loopback, isShared: false)
            defer { Socket.close(listening) }
            let port = try #require(Socket.localAddress(listening)).port
            var settings = RedisSettings(topology: .single(.host("127.0.0.1", port)))
            settings.connect = .milliseconds(200)
            try await RedisTest.run(settings, waits: false) { redis async throws in
                var peers: [Peer] = []
                let isCut = await eventually(within: .seconds(10)) {
                    if case .connection(let fd, _) = Socket.accept(listening) {
                        let peer = Peer(fd: fd)
                        peer.sendSome(Array(nonsense.utf8)[...])
                        peers.append(peer)
                    }
                    for peer in peers { peer.poll() }
                    return peers.count >= 2 && peers[0].hasEnded
                }
                #expect(isCut, "\(nonsense)")
                // What answers everything with OK could be a server, until it answers more than it was asked.
                if nonsense != unasked { #expect(redis.heard.words == ["unavailable"]) }
            }
        }
    }

    @Test func `nobody has to ask for it to be found again`() async throws {
        let server = try RedisProcess()
        try await RedisTest.run(RedisSettings(server, timeout: .milliseconds(5))) { redis async throws in
            server.pause()
            // All at once: the breaker opens with the last call that anybody makes.
            var left = 10
            for _ in 0..<10 {
                redis.test.loop.spawn {
                    _ = await redis.timed()
                    left -= 1
                }
            }
            #expect(await eventually { left == 0 && redis.heard.words == ["unavailable"] })
            server.resume()
            #expect(await eventually(within: .seconds(2)) { redis.client.isAvailable })
        }
    }

    @Test func `a server that takes no more connections says so`() async throws {
        let server = try RedisProcess(["--maxclients", "1"])
        let address = try #require(SocketAddress(ip: "127.0.0.1", port: server.port))
        var holder = try Peer.connected(to: address)
        // The server may not have seen yet that the connection before it, which asked whether it is there, has ended.
        for attempt in 0..<100 {
            if attempt > 0 { holder = try Peer.connected(to: address) }
            await holder.send("PING\r\n")
            if await holder.receive(until: { $0.text.contains("\r\n") }), holder.text.hasPrefix("+PONG") { break }
        }
        try #require(holder.text.hasPrefix("+PONG"))
        try await RedisTest.run(RedisSettings(server), waits: false) { redis async throws in
            #expect(await eventually { redis.heard.words == ["unavailable"] })
            #expect(redis.health.nodes.first?.lastError == "ERR max number of clients reached")
        }
    }

    @Test func `sentinels and clusters of which nobody answers are told of, once`() async throws {
        let closed = try ClosedPort()
        let address = RedisAddress.host("127.0.0.1", closed.address.port)
        for topology in [RedisSettings.Topology.sentinel([address], master: "main"), .cluster([address])] {
            try await RedisTest.run(RedisSettings(topology: topology), waits: false) { redis async throws in
                #expect(await eventually { redis.heard.words == ["unavailable"] })
                #expect(redis.health.overall == .down)
                #expect(!redis.client.isAvailable)
                try await Task.sleep(for: .milliseconds(700))
                #expect(redis.heard.words == ["unavailable"])
            }
        }
    }

    @Test func `a server that is silent after the connection was accepted is given up in time`() async throws {
        let listening = try Socket.listen(on: .loopback, isShared: false)
        defer { Socket.close(listening) }
        let port = try #require(Socket.localAddress(listening)).port
        var settings = RedisSettings(topology: .single(.host("127.0.0.1", port)))
        settings.connect = .milliseconds(100)
        try await RedisTest.run(settings, waits: false) { redis async throws in
            #expect(await eventually { redis.heard.words == ["unavailable"] })
            #expect(redis.health.nodes.first?.lastError == "no reply while connecting")
            var times: [Duration] = []
            for _ in 0..<20 { times.append(await redis.timed().took) }
            #expect(try Self.usual(times) < Self.slack)
        }
    }
}
