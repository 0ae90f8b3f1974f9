import Glibc
import NetTestSupport
import SluiceCore
import Testing

@testable import SluiceNet

@Suite struct `Dialling` {
    /// An address that takes connections, or one that takes none and refuses none: its backlog is full.
    private final class Place {
        let fd: Int32
        let address: SocketAddress
        private var held: [Peer] = []

        init(isSilent: Bool = false) throws {
            fd = try Socket.listen(on: .loopback, isShared: false)
            address = try #require(Socket.localAddress(fd))
            if !isSilent { return }
            _ = listen(fd, 0)
            for _ in 0..<8 { held.append(try Peer.connected(to: address)) }
        }
        deinit { Socket.close(fd) }
    }

    private static func peerAddress(_ fd: Int32) -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = unsafe withUnsafeMutablePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe getpeername(fd, $0, &length) }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    @Test func `the next address is tried at once when one refuses`() async throws {
        try await onLoop { test in
            let good = try Place()
            let closed = [try ClosedPort(), try ClosedPort()]
            // Were it not at once, each refusal would cost 250 ms; a busy machine is not slow five times in a row.
            var fastest = Duration.seconds(60)
            for _ in 0..<5 where fastest > .milliseconds(250) {
                let began = EventLoop.readClock()
                let transport = try await test.dial(closed.map(\.address) + [good.address])
                fastest = min(fastest, EventLoop.readClock() - began)
                #expect(Self.peerAddress(transport.fd) == good.address.port)
            }
            #expect(fastest < .milliseconds(250))
        }
    }

    @Test func `the next address is tried beside one that is silent, and wins`() async throws {
        try await onLoop { test in
            let silent = try Place(isSilent: true)
            let good = try Place()
            let began = EventLoop.readClock()
            let transport = try await test.dial([silent.address, good.address])
            #expect(Self.peerAddress(transport.fd) == good.address.port)
            #expect(EventLoop.readClock() - began >= .milliseconds(200), "the first was given no time")
        }
    }

    @Test func `a slow address that answers before the next one wins all the same`() async throws {
        try await onLoop { test in
            let silent = try Place(isSilent: true)
            let slow = try Place(isSilent: true)
            // Both are silent; then the first one takes what waits, and the system repeats its SYN a second after the first.
            let (loop, listening) = (test.loop, slow.fd)
            Thread.start("test-accept") {
                usleep(400_000)
                _ = listen(listening, 64)
                for _ in 0..<64 { if case .connection(let fd, _) = Socket.accept(listening) { Socket.close(fd) } }
            }
            let transport = try await Connector.connect(
                to: [slow.address, silent.address], by: EventLoop.readClock() + .seconds(60), on: loop)
            #expect(Self.peerAddress(transport.fd) == slow.address.port)
            withExtendedLifetime((slow, silent)) { transport.close() }
        }
    }

    @Test func `silence ends at the deadline, and without an error of the system`() async throws {
        try await onLoop { test in
            let silent = try Place(isSilent: true)
            let deadline = EventLoop.readClock() + .milliseconds(150)
            let failure = await #expect(throws: Connector.Failure.self) {
                _ = try await Connector.connect(to: [silent.address], by: deadline, on: test.loop)
            }
            #expect(failure?.error == nil)
            #expect(EventLoop.readClock() >= deadline)
        }
    }

    @Test func `a deadline that has passed is an end and not a wait`() async throws {
        try await onLoop { test in
            let silent = try Place(isSilent: true)
            await #expect(throws: Connector.Failure.self) {
                _ = try await Connector.connect(to: [silent.address], by: test.loop.now, on: test.loop)
            }
        }
    }

    @Test func `when all refuse, the refusal is told`() async throws {
        try await onLoop { test in
            let closed = [try ClosedPort(), try ClosedPort()]
            let failure = await #expect(throws: Connector.Failure.self) {
                _ = try await Connector.connect(
                    to: closed.map(\.address), by: EventLoop.readClock() + .seconds(30), on: test.loop)
            }
            #expect(failure?.error?.reason == "Connection refused")
        }
    }

    @Test func `there is no connection to no address`() async throws {
        try await onLoop { test in
            let failure = await #expect(throws: Connector.Failure.self) {
                _ = try await Connector.connect(to: [], by: EventLoop.readClock() + .seconds(30), on: test.loop)
            }
            #expect(failure?.error == nil)
        }
    }

    @Test func `a unix socket is dialled too`() async throws {
        try await onLoop { test in
            let address = SocketAddress.unix("@sluice-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max))")
            let fd = try Socket.listen(on: address, isShared: false)
            defer { Socket.close(fd) }
            let transport = try await test.dial([address])
            guard case .connection(let accepted, _) = Socket.accept(fd) else {
                Issue.record("nothing was dialled")
                return
            }
            let recorder = Recorder()
            transport.delegate = recorder
            await Peer(fd: accepted).send("hello")
            #expect(await eventually { recorder.events.contains(.ended) })
            #expect(recorder.text == "hello")
        }
    }
}
