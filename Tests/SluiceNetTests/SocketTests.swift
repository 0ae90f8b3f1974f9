import Glibc
import NetTestSupport
import SluiceCore
import Testing

@testable import SluiceNet

@Suite struct `Sockets` {
    // MARK: Addresses

    @Test(arguments: [
        ("127.0.0.1:4010", "127.0.0.1:4010"), ("localhost:80", "127.0.0.1:80"), ("*:0", "0.0.0.0:0"),
        ("[::1]:4010", "[::1]:4010"), ("[2001:DB8:0::1]:443", "[2001:db8::1]:443"),
        ("unix:/run/s.sock", "unix:/run/s.sock"),
        ("unix:@name", "unix:@name"),
    ])
    func `an address is read and written`(text: String, written: String) throws {
        let address = try #require(SocketAddress(text))
        #expect(address.description == written)
        #expect(SocketAddress(written) == address)
    }

    @Test(arguments: [
        "", ":", "4010", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:x", "256.0.0.1:1",
        "::1:4010",
        "[::1]", "[::1:4010", "example.com:80", "unix:", "unix:/" + String(repeating: "x", count: 107),
    ])
    func `what is no address is refused`(text: String) {
        #expect(SocketAddress(text) == nil)
    }

    @Test(arguments: [
        ("127.0.0.1:1", true), ("127.255.0.9:1", true), ("[::1]:1", true), ("unix:/x", true), ("128.0.0.1:1", false),
        ("0.0.0.0:1", false), ("[::]:1", false), ("[::2]:1", false), ("10.0.0.1:1", false),
    ])
    func `loopback is what only this machine reaches`(text: String, isLoopback: Bool) throws {
        #expect(try #require(SocketAddress(text)).isLoopback == isLoopback)
    }

    @Test(arguments: ["127.0.0.1:0", "[::1]:0"])
    func `the port that the system chose is told`(text: String) throws {
        let fd = try Socket.listen(on: try #require(SocketAddress(text)), isShared: false)
        defer { Socket.close(fd) }
        let address = try #require(Socket.localAddress(fd))
        #expect(address.port != 0)
        #expect(address.with(port: 0) == SocketAddress(text))
        #expect(try Peer.isAccepted(at: address))
    }

    // MARK: Listening

    @Test func `an address is bound once unless it is shared`() throws {
        let first = try Socket.listen(on: .loopback, isShared: true)
        defer { Socket.close(first) }
        let address = try #require(Socket.localAddress(first))
        let second = try Socket.listen(on: address, isShared: true)
        Socket.close(second)
        #expect(throws: SystemError("bind", code: EADDRINUSE)) { _ = try Socket.listen(on: address, isShared: false) }
    }

    @Test func `a path that was left behind is taken over, one that is answered at is not`() throws {
        let path = "/tmp/sluice-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).sock"
        defer { _ = unsafe unlink(path) }
        let left = try Socket.listen(on: .unix(path), isShared: false)
        Socket.close(left)
        let fd = try Socket.listen(on: .unix(path), isShared: false)
        defer { Socket.close(fd) }
        #expect(Socket.isAnswering(.unix(path)))
        #expect(throws: SystemError("bind", code: EADDRINUSE)) {
            _ = try Socket.listen(on: .unix(path), isShared: false)
        }
    }

    @Test func `a refused connection is an error at once or when it is asked for`() throws {
        let closed = try ClosedPort()
        do {
            let (fd, isConnected) = try Socket.connect(to: closed.address)
            defer { Socket.close(fd) }
            #expect(!isConnected)
            #expect(Socket.pendingError(fd) == SystemError("connect", code: ECONNREFUSED))
        } catch {
            #expect(error == SystemError("connect", code: ECONNREFUSED))
        }
    }

    // MARK: Bytes

    @Test func `a queue of many runs is sent in order`() async throws {
        let (fd, peer) = try Peer.pair()
        defer { Socket.close(fd) }
        let pool = BufferPool()
        for seed in UInt64(1)...20 {
            var random = SplitMix64(seed)
            let queue = ByteQueue(pool: pool)
            var expected: [UInt8] = []
            // More runs than one call takes: buffers that are shared are runs of their own.
            for _ in 0..<200 {
                let piece = (0..<Int.random(in: 1...50, using: &random)).map { _ in
                    UInt8(truncatingIfNeeded: random.next())
                }
                expected += piece
                if random.next() & 1 == 0 {
                    queue.append(piece.span)
                } else {
                    queue.append(sharing: ByteBuffer(copying: piece.span))
                }
            }
            while !queue.isEmpty {
                guard case .bytes(let count) = Socket.write(fd, from: queue) else { break }
                queue.consume(count)
                peer.poll()
            }
            #expect(await peer.receive { $0.received.count >= expected.count })
            #expect(peer.received == expected, "seed \(seed)")
            peer.forget()
        }
    }

    @Test func `reading tells apart nothing yet, the end and a reset`() async throws {
        let space = UnsafeMutableRawBufferPointer.allocate(byteCount: 16, alignment: 1)
        defer { unsafe space.deallocate() }
        let (fd, peer) = try Peer.tcpPair()
        defer { Socket.close(fd) }
        guard case .wouldBlock = unsafe Socket.read(fd, space) else {
            Issue.record("something was read before it was sent")
            return
        }
        #expect(!Socket.hasUnread(fd))
        await peer.send("abc")
        #expect(await eventually { Socket.hasUnread(fd) })
        guard case .bytes(3) = unsafe Socket.read(fd, space) else {
            Issue.record("not what was sent")
            return
        }
        peer.endSending()
        #expect(await eventually { if case .end = unsafe Socket.read(fd, space) { true } else { false } })
        peer.reset()
        let queue = ByteQueue(pool: BufferPool())
        queue.append("x".utf8Span.span)
        #expect(await eventually { if case .failed = Socket.write(fd, from: queue) { true } else { false } })
    }

    @Test func `the system tells what has arrived at the peer, and how far away it is`() async throws {
        let (fd, peer) = try Peer.tcpPair()
        defer { Socket.close(fd) }
        let before = try #require(Socket.acknowledgedByteCount(fd))
        let queue = ByteQueue(pool: BufferPool())
        queue.append("twelve bytes".utf8Span.span)
        guard case .bytes(12) = Socket.write(fd, from: queue) else {
            Issue.record("the socket took no bytes")
            return
        }
        #expect(await eventually { Socket.acknowledgedByteCount(fd) == before + 12 })
        let time = try #require(Socket.roundTripTime(fd))
        #expect(time > .zero && time < .seconds(10))
        _ = peer
        let (local, _) = try Peer.pair()
        defer { Socket.close(local) }
        #expect(Socket.acknowledgedByteCount(local) == nil)
        #expect(Socket.roundTripTime(local) == nil)
    }
}
