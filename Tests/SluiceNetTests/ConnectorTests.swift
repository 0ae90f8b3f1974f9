import NetTestSupport
import SluiceCore
import Testing

@testable import SluiceNet

@Suite struct `Dialling` {
    /// A port that nobody listens on.
    private func closedAddress() throws -> SocketAddress {
        let fd = try Socket.listen(on: .loopback, isShared: false)
        defer { Socket.close(fd) }
        return try #require(Socket.localAddress(fd))
    }

    /// An address that takes no connection and refuses none: its backlog is full.
    private final class Silent {
        let fd: Int32
        let address: SocketAddress
        var held: [Peer] = []

        init() throws {
            fd = try Socket.listen(on: .loopback, isShared: false)
            shrinkBacklog(fd)
            address = try #require(Socket.localAddress(fd))
            for _ in 0..<8 { held.append(try Peer.connected(to: address)) }
        }
        deinit { Socket.close(fd) }
    }

    @Test func `the next address is tried at once when one refuses`() async throws {
        try await onLoop { loop in
            let fd = try Socket.listen(on: .loopback, isShared: false)
            defer { Socket.close(fd) }
            let good = try #require(Socket.localAddress(fd))
            let began = EventLoop.readClock()
            let transport = try await Connector.connect(
                to: [try closedAddress(), try closedAddress(), good], by: loop.now + .seconds(2), on: loop)
            #expect(EventLoop.readClock() - began < .milliseconds(200))
            transport.close()
        }
    }

    @Test func `the next address is tried soon when one is silent`() async throws {
        try await onLoop { loop in
            let silent = try Silent()
            let fd = try Socket.listen(on: .loopback, isShared: false)
            defer { Socket.close(fd) }
            let good = try #require(Socket.localAddress(fd))
            let began = EventLoop.readClock()
            let transport = try await Connector.connect(to: [silent.address, good], by: loop.now + .seconds(3), on: loop)
            #expect(EventLoop.readClock() - began < .seconds(1))
            transport.close()
        }
    }

    @Test func `silence ends at the deadline, refusal at once`() async throws {
        try await onLoop { loop in
            let silent = try Silent()
            var began = EventLoop.readClock()
            do throws(Connector.Failure) {
                _ = try await Connector.connect(to: [silent.address], by: loop.now + .milliseconds(150), on: loop)
                Issue.record("connected to an address that takes no connections")
            } catch {
                #expect(error.error == nil)
                #expect(EventLoop.readClock() - began >= .milliseconds(145))
                #expect(EventLoop.readClock() - began < .seconds(1))
            }
            began = EventLoop.readClock()
            let closed = try closedAddress()
            do throws(Connector.Failure) {
                _ = try await Connector.connect(to: [closed], by: loop.now + .seconds(5), on: loop)
                Issue.record("connected to a closed port")
            } catch {
                #expect(error.error?.reason == "Connection refused")
                #expect(EventLoop.readClock() - began < .seconds(1))
            }
        }
    }

    @Test func `there is no connection to no address`() async throws {
        try await onLoop { loop in
            await #expect(throws: Connector.Failure.self) {
                _ = try await Connector.connect(to: [], by: loop.now + .seconds(1), on: loop)
            }
        }
    }

    @Test func `a listener takes all that waits before it closes`() async throws {
        try await onLoop { loop in
            let fd = try Socket.listen(on: .loopback, isShared: false)
            let address = try #require(Socket.localAddress(fd))
            var accepted: [Peer] = []
            let listening = try ListeningSocket(loop: loop, fd: fd) { fd, _ in accepted.append(Peer(fd: fd)) }
            var peers: [Peer] = []
            for _ in 0..<300 { peers.append(try Peer.connected(to: address)) }
            listening.close(keepsOpen: false)
            #expect(accepted.count == 300)
        }
    }
}
