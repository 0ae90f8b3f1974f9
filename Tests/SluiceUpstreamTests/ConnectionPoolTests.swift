import NetTestSupport
import SluiceCore
internal import SluiceHTTP
import SluiceNet
import Testing

@testable import SluiceUpstream

@Suite struct `A pool of connections` {
    @Test func `gives the connection that came back last`() async throws {
        try await onLoop { test in
            let provider = try StandIn(test.loop)
            let requests = [provider.request(), provider.request()]
            #expect(await eventually { provider.connections.count == 2 })
            #expect(await provider.answer(1))
            #expect(await eventually { requests.contains { $0.isDone } })
            #expect(await provider.answer(0))
            #expect(await eventually { requests.allSatisfy { $0.isDone } })
            #expect(provider.pool.idleCount == 2)
            let third = provider.request()
            #expect(await provider.answer(0, request: 2))
            #expect(await eventually { third.isDone })
            #expect(provider.connections.count == 2)
            provider.close()
        }
    }

    @Test func `lets requests wait in line where no more connections may be opened`() async throws {
        try await onLoop { test in
            let provider = try StandIn(test.loop) { $0.connectionsMax = 1 }
            let requests = (0..<4).map { _ in provider.request() }
            for turn in 0..<4 {
                #expect(await provider.answer(0, request: turn + 1))
                #expect(await eventually { requests[turn].isDone })
                #expect(requests.count { $0.isDone } == turn + 1, "one at a time, the first first")
            }
            #expect(provider.pool.openCount == 1)
            provider.close()
        }
    }

    @Test func `refuses to let more wait than may, and to let them wait longer`() async throws {
        try await onLoop { test in
            let provider = try StandIn(test.loop) {
                $0.connectionsMax = 1
                $0.waitersMax = 1
                $0.wait = .milliseconds(800)
            }
            let first = provider.request()
            #expect(await provider.hasRequest(0))
            let began = EventLoop.readClock()
            let (waits, refused) = (provider.request(), provider.request())
            #expect(await eventually { refused.isDone })
            #expect(!waits.isDone, "the refusal is at once, the wait takes its time")
            #expect(refused.error?.reason == .poolExhausted && refused.error?.isUnprocessed == true)
            #expect(await eventually { waits.isDone })
            #expect(EventLoop.readClock() - began >= .milliseconds(790))
            #expect(waits.error?.reason == .poolExhausted && waits.error?.isUnprocessed == true)
            #expect(await provider.answer(0))
            #expect(await eventually { first.isDone })
            #expect(first.status == 200)
            provider.close()
        }
    }

    @Test func `a request that must have a fresh connection gets one, at the cost of one that is unused`() async throws
    {
        try await onLoop { test in
            let provider = try StandIn(test.loop) { $0.connectionsMax = 1 }
            let first = provider.request()
            #expect(await provider.answer(0))
            #expect(await eventually { first.isDone })
            let fresh = provider.request(fresh: true)
            #expect(await provider.answer(1))
            #expect(await eventually { fresh.isDone })
            #expect(fresh.status == 200)
            #expect(await provider.connections[0].waitForEnd())
            #expect(provider.pool.openCount == 1)
            provider.close()
        }
    }

    @Test func `does not give what its peer has closed, or what has grown old`() async throws {
        try await onLoop { test in
            for isOld in [false, true] {
                let provider = try StandIn(test.loop) { if isOld { $0.age = .milliseconds(1) } }
                let first = provider.request()
                #expect(await provider.answer(0))
                #expect(await eventually { first.isDone })
                if !isOld { provider.connections[0].close() }
                #expect(await eventually { provider.pool.openCount == 0 || isOld })
                try await Task.sleep(for: .milliseconds(2))
                let second = provider.request()
                #expect(await provider.answer(1))
                #expect(await eventually { second.isDone })
                #expect(second.status == 200)
                #expect(provider.pool.openCount <= 1)
                provider.close()
            }
        }
    }

    @Test func `gives a place back when a connection cannot be opened`() async throws {
        try await onLoop { test in
            let closed = try ClosedPort()
            let provider = try StandIn(test.loop, port: closed.address.port) { $0.connectionsMax = 1 }
            for _ in 0..<3 {
                let request = provider.request()
                #expect(await eventually { request.isDone })
                #expect(request.error?.reason == .connect && request.error?.isUnprocessed == true)
                #expect(provider.pool.openCount == 0)
            }
            provider.close()
        }
    }

    @Test func `that drains closes what is unused now, and the rest after its request`() async throws {
        try await onLoop { test in
            let provider = try StandIn(test.loop)
            let requests = [provider.request(), provider.request()]
            #expect(await eventually { provider.connections.count == 2 })
            #expect(await provider.answer(0))
            #expect(await eventually { requests.contains { $0.isDone } })
            provider.close()
            #expect(await provider.connections[0].waitForEnd())
            #expect(provider.pool.openCount == 1)
            #expect(await provider.answer(1))
            #expect(await eventually { requests.allSatisfy { $0.isDone } })
            #expect(requests.allSatisfy { $0.status == 200 })
            #expect(await provider.connections[1].waitForEnd())
            #expect(provider.pool.openCount == 0)
        }
    }
}

@Suite struct `An endpoint` {
    private static func make(
        isTLS: Bool = false, host: String = "a", port: UInt16 = 80, unixPath: String? = nil, tlsIdentity: String = "",
        http: Endpoint.HTTPChoice = .automatic, proxy: TunnelProxy? = nil
    ) -> Endpoint {
        Endpoint(
            isTLS: isTLS, host: host, port: port, unixPath: unixPath, tls: nil, tlsIdentity: tlsIdentity, http: http,
            proxy: proxy,
            limits: Endpoint.PoolLimits())
    }

    @Test(
        arguments: [
            (false, "a", 80, "a"), (false, "a", 8080, "a:8080"), (false, "a", 443, "a:443"), (true, "a", 443, "a"),
            (true, "a", 80, "a:80"),
            (false, "::1", 80, "[::1]"), (true, "::1", 8443, "[::1]:8443"),
        ] as [(Bool, String, UInt16, String)])
    func `is named with its port only where that is not the scheme's own`(
        isTLS: Bool, host: String, port: UInt16, authority: String
    ) {
        #expect(Self.make(isTLS: isTLS, host: host, port: port).authority == Array(authority.utf8))
    }

    @Test func `shares connections only with one that is the same in all that matters to them`() {
        let endpoints = [
            Self.make(), Self.make(isTLS: true), Self.make(host: "b"), Self.make(port: 81), Self.make(unixPath: "/s"),
            Self.make(http: .http1), Self.make(http: .http2), Self.make(proxy: TunnelProxy(host: "p", port: 1)),
            Self.make(proxy: TunnelProxy(host: "p", port: 2)), Self.make(tlsIdentity: "x"),
        ]
        #expect(Set(endpoints.map(\.identity)).count == endpoints.count)
        #expect(Self.make().identity == Self.make().identity)
    }
}
