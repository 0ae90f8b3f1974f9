import NetTestSupport
import SluiceCore
import Testing

@testable import SluiceNet

@Suite struct `Plain transports` {
    private func open(_ fd: Int32, _ loop: EventLoop, _ recorder: Recorder) throws -> Transport {
        let transport = try Transport(loop: loop, fd: fd)
        unsafe transport.delegate = recorder
        return transport
    }

    private static let megabyte = [UInt8]((0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31) })

    @Test func `a paused reader gets everything that was sent before the end, and then the end`() async throws {
        try await onLoop { loop in
            for isTCP in [false, true] {
                let (fd, peer) = try isTCP ? Peer.tcpPair() : Peer.pair()
                let recorder = Recorder()
                let transport = try open(fd, loop, recorder)
                transport.pauseReading()
                await peer.send("the answer")
                peer.close()
                try await Task.sleep(for: .milliseconds(20))
                #expect(recorder.events.isEmpty, "TCP: \(isTCP)")
                transport.resumeReading()
                await eventually { recorder.events.contains(.ended) }
                #expect(recorder.bytes == Array("the answer".utf8), "TCP: \(isTCP)")
                #expect(recorder.events.last == .ended)
                transport.close()
            }
        }
    }

    @Test func `an application that goes is told of at once, paused or not`() async throws {
        try await onLoop { loop in
            let (fd, peer) = try Peer.tcpPair()
            let recorder = Recorder()
            let transport = try open(fd, loop, recorder)
            transport.dropsUnreadAtEnd = true
            transport.pauseReading()
            await peer.send("more of a body")
            peer.close()
            #expect(await eventually { recorder.events == [.ended] })
            transport.close()
        }
    }

    @Test func `an application that resets is told of at once, paused or not`() async throws {
        try await onLoop { loop in
            let (fd, peer) = try Peer.tcpPair()
            let recorder = Recorder()
            let transport = try open(fd, loop, recorder)
            transport.dropsUnreadAtEnd = true
            transport.pauseReading()
            peer.reset()
            #expect(await eventually { recorder.events == [.failed] })
            #expect(!transport.isOpen)
        }
    }

    @Test func `closing after sending delivers every byte to a slow reader, and says when it has closed`() async throws {
        try await onLoop { loop in
            let (fd, peer) = try Peer.tcpPair()
            let recorder = Recorder()
            let transport = try open(fd, loop, recorder)
            transport.write(Self.megabyte.span)
            transport.closeAfterSending()
            var rounds = 0
            while !peer.hasEnded, rounds < 5000 {
                peer.poll(atMost: 20_000)
                rounds += 1
                try await Task.sleep(for: .microseconds(100))
            }
            #expect(peer.received == Self.megabyte)
            #expect(peer.hasEnded && !peer.wasReset)
            #expect(recorder.events.last == .closed)
            #expect(recorder.events.count { $0 == .closed } == 1)
            #expect(!transport.isOpen)
        }
    }

    @Test func `a full queue says that it is congested, and once when it is not any more`() async throws {
        try await onLoop { loop in
            let (fd, peer) = try Peer.pair()
            let recorder = Recorder()
            let transport = try open(fd, loop, recorder)
            for _ in 0..<8 { transport.write(Self.megabyte.span) }
            #expect(transport.isCongested)
            try await Task.sleep(for: .milliseconds(20))
            #expect(transport.isCongested)
            #expect(recorder.events.isEmpty)
            #expect(await peer.receive { $0.received.count == 8 << 20 })
            #expect(await eventually { recorder.events == [.drained] })
            #expect(!transport.isCongested)
            #expect(transport.pendingByteCount == 0)
            transport.close()
        }
    }

    @Test func `an answer is read although the peer takes no more of what is sent to it`() async throws {
        try await onLoop { loop in
            let (fd, peer) = try Peer.tcpPair()
            let recorder = Recorder()
            let transport = try open(fd, loop, recorder)
            for _ in 0..<16 { transport.write(Self.megabyte.span) }
            try await Task.sleep(for: .milliseconds(20))
            peer.poll(atMost: 1000)
            transport.pauseReading()
            await peer.send("413")
            peer.close()  // with unread bytes: the system resets the connection
            try await Task.sleep(for: .milliseconds(20))
            transport.resumeReading()
            #expect(await eventually { recorder.events.last == .failed })
            #expect(recorder.bytes == Array("413".utf8))
            #expect(!transport.isOpen)
        }
    }

    @Test func `nothing is told any more once the owner has closed it, whatever it was being told`() async throws {
        try await onLoop { loop in
            for trigger in [Recorder.Event.received(3), .drained, .ended, .filled] {
                let (fd, peer) = try Peer.pair()
                let recorder = Recorder()
                let transport = try open(fd, loop, recorder)
                var closed = false
                recorder.then = { event in
                    #expect(!closed, "told \(event) after closing at \(trigger)")
                    if event == trigger {
                        closed = true
                        transport.close()
                    }
                }
                switch trigger {
                case .drained:
                    for _ in 0..<8 { transport.write(Self.megabyte.span) }
                    try await Task.sleep(for: .milliseconds(5))
                case .filled: transport.receive(into: ByteBuffer(), exactly: 2)
                default: break
                }
                await peer.send("abc")
                if trigger == .drained { await peer.receive { $0.received.count >= 7 << 20 } }
                peer.endSending()
                #expect(await eventually { closed }, "\(trigger)")
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    @Test func `bytes go straight into a buffer until it has as many as were asked for`() async throws {
        try await onLoop { loop in
            let (fd, peer) = try Peer.pair()
            let recorder = Recorder()
            let transport = try open(fd, loop, recorder)
            let buffer = ByteBuffer("ab")
            transport.receive(into: buffer, exactly: 1 << 20)
            await peer.send(Array(Self.megabyte.dropLast(7)))
            try await Task.sleep(for: .milliseconds(10))
            #expect(recorder.events.isEmpty)
            await peer.send(Array(Self.megabyte.suffix(7)) + Array("next".utf8))
            #expect(await eventually { recorder.bytes == Array("next".utf8) })
            #expect(recorder.events == [.filled, .received(4)])
            #expect(buffer.count == 2 + (1 << 20))
            #expect(buffer[2] == Self.megabyte[0])
            #expect(buffer[buffer.count - 1] == Self.megabyte[Self.megabyte.count - 1])
            transport.close()
        }
    }

    @Test func `what a dialled peer says at once is kept until somebody listens`() async throws {
        try await onLoop { loop in
            let fd = try Socket.listen(on: .loopback, isShared: false)
            let address = try #require(Socket.localAddress(fd))
            var peers: [Peer] = []
            let listening = try ListeningSocket(loop: loop, fd: fd) { fd, _ in
                let peer = Peer(fd: fd)
                peer.sendSome(Array("banner".utf8)[...])
                peer.endSending()
                peers.append(peer)
            }
            let transport = try await Connector.connect(to: [address], by: loop.now + .seconds(2), on: loop)
            try await Task.sleep(for: .milliseconds(20))
            let recorder = Recorder()
            unsafe transport.delegate = recorder
            #expect(await eventually { recorder.events.contains(.ended) })
            #expect(recorder.bytes == Array("banner".utf8))
            transport.close()
            listening.close(keepsOpen: false)
        }
    }

    @Test func `a connection that goes on reading does not starve the others`() async throws {
        try await onLoop { loop in
            let (fd, peer) = try Peer.pair()
            let recorder = Recorder()
            let transport = try open(fd, loop, recorder)
            var longest = 0
            var inTurn = 0
            var turn = loop.now
            recorder.then = { event in
                if loop.now != turn {
                    turn = loop.now
                    inTurn = 0
                }
                if case .received(let count) = event { inTurn += count }
                longest = max(longest, inTurn)
                // More has arrived whenever it looks: a peer that is faster than we are.
                peer.sendSome(Self.megabyte[...])
            }
            peer.sendSome(Self.megabyte[...])
            #expect(await eventually { recorder.bytes.count > 4 << 20 })
            #expect(longest <= 4 * EventLoop.scratchByteCount)
            transport.close()
        }
    }
}
