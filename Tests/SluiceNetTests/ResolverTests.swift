import Glibc
import NetTestSupport
import SluiceCore
import Synchronization
import Testing

@testable import SluiceNet

@Suite struct `Name resolution` {
    /// A name service of the test's own.
    private final class Service: Sendable {
        let answers = Mutex<[String: Result<[SocketAddress], Resolver.Failure>]>([:])
        let askedCount = Mutex(0)
        /// Names that are answered only when they leave this set.
        let hanging = Mutex<Set<String>>([])

        func lookUp(_ host: String) -> Result<[SocketAddress], Resolver.Failure> {
            askedCount.withLock { $0 += 1 }
            while hanging.withLock({ $0.contains(host) }) { _ = usleep(1000) }
            return answers.withLock { $0[host] } ?? .failure(.notFound(host))
        }

        func resolver(freshFor: Duration = .seconds(30)) -> Resolver {
            Resolver(freshFor: freshFor) { self.lookUp($0) }
        }
    }

    private static let one = SocketAddress.ipv4(1, port: 0)
    private static let two = SocketAddress.ipv4(2, port: 0)

    @Test func `an address needs no service`() async throws {
        try await onLoop { test in
            let loop = test.loop
            let service = Service()
            let addresses = try await service.resolver().resolve(
                "127.0.0.1", by: EventLoop.readClock() + .seconds(60), on: loop)
            #expect(addresses == [.ipv4(UInt32(0x7F00_0001).bigEndian, port: 0)])
            #expect(service.askedCount.withLock { $0 } == 0)
        }
    }

    @Test func `the system's own names are found`() async throws {
        try await onLoop { test in
            let loop = test.loop
            let addresses = try await Resolver().resolve(
                "localhost", by: EventLoop.readClock() + .seconds(60), on: loop)
            #expect(addresses.contains { $0.isLoopback })
        }
    }

    @Test func `a service that does not answer is waited for until the deadline, and holds up no other name`()
        async throws
    {
        try await onLoop { test in
            let loop = test.loop
            let service = Service()
            service.hanging.withLock { $0 = ["slow.example"] }
            service.answers.withLock { $0["fast.example"] = .success([Self.one]) }
            let resolver = service.resolver()
            let deadline = EventLoop.readClock() + .milliseconds(50)
            await #expect(throws: Resolver.Failure.timedOut("slow.example")) {
                _ = try await resolver.resolve("slow.example", by: deadline, on: loop)
            }
            #expect(EventLoop.readClock() >= deadline)
            let fast = try await resolver.resolve("fast.example", by: EventLoop.readClock() + .seconds(60), on: loop)
            #expect(fast == [Self.one])
            service.hanging.withLock { $0 = [] }
        }
    }

    @Test func `those who ask for one name at one time share the answer`() async throws {
        try await onLoop { test in
            let loop = test.loop
            let service = Service()
            service.hanging.withLock { $0 = ["a.example"] }
            service.answers.withLock { $0["a.example"] = .success([Self.one, Self.two]) }
            let resolver = service.resolver()
            var answered = 0
            for _ in 0..<50 {
                loop.spawn {
                    let addresses = try? await resolver.resolve(
                        "a.example", by: EventLoop.readClock() + .seconds(60), on: loop)
                    #expect(addresses == [Self.one, Self.two])
                    answered += 1
                }
            }
            #expect(await eventually { service.askedCount.withLock { $0 } == 1 })
            await test.settle()
            #expect(answered == 0)
            service.hanging.withLock { $0 = [] }
            #expect(await eventually { answered == 50 })
            #expect(service.askedCount.withLock { $0 } == 1)
        }
    }

    @Test func `the last good answer stays in use when the service fails, and a new one replaces it`() async throws {
        try await onLoop { test in
            let loop = test.loop
            let service = Service()
            service.answers.withLock { $0["a.example"] = .success([Self.one]) }
            let resolver = service.resolver(freshFor: .zero)
            func resolve() async throws -> [SocketAddress] {
                try await resolver.resolve("a.example", by: EventLoop.readClock() + .seconds(60), on: loop)
            }
            #expect(try await resolve() == [Self.one])
            service.answers.withLock { $0["a.example"] = .failure(.unavailable("a.example")) }
            let patience = EventLoop.readClock() + .seconds(60)
            // A stale answer is asked for again, once the question before it has been answered.
            while service.askedCount.withLock({ $0 }) < 6, EventLoop.readClock() < patience {
                #expect(try await resolve() == [Self.one])
                try await Task.sleep(for: .milliseconds(1))
            }
            #expect(service.askedCount.withLock { $0 } >= 6)
            service.answers.withLock { $0["a.example"] = .success([Self.two]) }
            var addresses: [SocketAddress] = []
            let deadline = EventLoop.readClock() + .seconds(60)
            while addresses != [Self.two], EventLoop.readClock() < deadline {
                addresses = try await resolve()
                try await Task.sleep(for: .milliseconds(1))
            }
            #expect(addresses == [Self.two])
        }
    }

    @Test func `a name that does not exist is an error, and is asked for again`() async throws {
        try await onLoop { test in
            let loop = test.loop
            let service = Service()
            let resolver = service.resolver()
            for _ in 0..<2 {
                await #expect(throws: Resolver.Failure.notFound("no.example")) {
                    _ = try await resolver.resolve("no.example", by: EventLoop.readClock() + .seconds(60), on: loop)
                }
            }
            #expect(service.askedCount.withLock { $0 } == 2)
        }
    }

    @Test func `families take turns, the system's first choice first`() {
        let six = SocketAddress.ipv6(high: 0, low: 1, scope: 0, port: 0)
        let other = SocketAddress.ipv6(high: 0, low: 2, scope: 0, port: 0)
        #expect(Resolver.interleaved([six, other, Self.one, Self.two]) == [six, Self.one, other, Self.two])
        #expect(Resolver.interleaved([Self.one, six, other]) == [Self.one, six, other])
        #expect(Resolver.interleaved([]).isEmpty)
    }
}
