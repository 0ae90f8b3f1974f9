import Glibc
import NetTestSupport
import SluiceCore
import Testing

@testable import SluiceNet

@Suite struct `Listening sockets` {
    /// A listening socket on a loop, and what it has accepted.
    private final class Listening {
        let fd: Int32
        let address: SocketAddress
        private(set) var accepted: [Peer] = []
        private(set) var addresses: [SocketAddress] = []
        private(set) var socket: ListeningSocket?

        init(_ loop: EventLoop) throws {
            fd = try Socket.listen(on: .loopback, isShared: false)
            address = try #require(Socket.localAddress(fd))
            socket = try ListeningSocket(loop: loop, fd: fd) { [unowned self] fd, peer in
                accepted.append(Peer(fd: fd))
                addresses.append(peer)
            }
        }
    }

    @Test func `each connection is handed over once, with the address of its peer`() async throws {
        try await onLoop { test in
            let listening = try Listening(test.loop)
            // More than one turn takes.
            var peers: [Peer] = []
            for _ in 0..<200 { peers.append(try Peer.connected(to: listening.address)) }
            #expect(await eventually { listening.accepted.count == 200 })
            await test.settle()
            #expect(listening.accepted.count == 200)
            #expect(Set(listening.addresses) == Set(peers.compactMap { Socket.localAddress($0.fd) }))
            listening.socket?.close(keepsOpen: false)
        }
    }

    @Test func `it takes all that waits before it closes`() async throws {
        try await onLoop { test in
            let listening = try Listening(test.loop)
            var peers: [Peer] = []
            for _ in 0..<300 { peers.append(try Peer.connected(to: listening.address)) }
            listening.socket?.close(keepsOpen: false)
            #expect(listening.accepted.count == 300)
        }
    }

    @Test func `what waits is left to another process that has the same socket`() async throws {
        try await onLoop { test in
            let listening = try Listening(test.loop)
            let heir = Socket.duplicate(listening.fd)
            defer { Socket.close(heir) }
            let peer = try Peer.connected(to: listening.address)
            listening.socket?.close(keepsOpen: true)
            #expect(listening.accepted.isEmpty)
            guard case .connection(let fd, _) = Socket.accept(heir) else {
                Issue.record("the connection did not wait for its heir")
                return
            }
            await Peer(fd: fd).send("x")
            #expect(await peer.receive("x"))
        }
    }
}

extension Socket {
    fileprivate static func duplicate(_ fd: Int32) -> Int32 { dup(fd) }
}
