import NetTestSupport
import SluiceCore
import Testing

@testable import SluiceNet

@Suite struct `Plain transports` {
    private static let megabyte = [UInt8]((0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31) })

    @Test func `a paused reader gets everything that was sent before the end, and then the end`() async throws {
        try await onLoop { test in
            for isTCP in [false, true] {
                let (fd, peer) = try isTCP ? Peer.tcpPair() : Peer.pair()
                let recorder = Recorder()
                let transport = try test.open(fd, recorder)
                transport.pauseReading()
                await peer.send("the answer")
                peer.close()
                await test.settle()
                #expect(recorder.events.isEmpty, "TCP: \(isTCP)")
                transport.resumeReading()
                #expect(await eventually { recorder.events.contains(.ended) }, "TCP: \(isTCP)")
                #expect(recorder.bytes == Array("the answer".utf8), "TCP: \(isTCP)")
                #expect(recorder.events.last == .ended)
                transport.close()
            }
        }
    }

    @Test func `an application that goes is told of at once, paused or not`() async throws {
        try await onLoop { test in
            let (fd, peer) = try Peer.tcpPair()
            let recorder = Recorder()
            let transport = try test.open(fd, recorder)
            transport.dropsUnreadAtEnd = true
            transport.pauseReading()
            await peer.send("more of a body")
            peer.close()
            #expect(await eventually { recorder.events.contains(.ended) })
            #expect(recorder.bytes.isEmpty)
            transport.close()
        }
    }

    @Test func `an application that resets is told of at once, paused or not`() async throws {
        try await onLoop { test in
            let (fd, peer) = try Peer.tcpPair()
            let recorder = Recorder()
            let transport = try test.open(fd, recorder)
            transport.dropsUnreadAtEnd = true
            transport.pauseReading()
            peer.reset()
            #expect(await eventually { recorder.events == [.failed] })
            #expect(!transport.isOpen)
        }
    }

    @Test func `closing after sending delivers every byte to a slow reader, and says when it has closed`() async throws
    {
        try await onLoop { test in
            let (fd, peer) = try Peer.tcpPair()
            let recorder = Recorder()
            let transport = try test.open(fd, recorder)
            transport.write(Self.megabyte.span)
            transport.closeAfterSending()
            let isOver = await eventually {
                peer.poll(atMost: 20_000)
                return peer.hasEnded || peer.wasReset
            }
            #expect(isOver)
            #expect(peer.received == Self.megabyte)
            #expect(peer.hasEnded && !peer.wasReset)
            #expect(recorder.events.last == .closed)
            #expect(recorder.events.count { $0 == .closed } == 1)
            #expect(!transport.isOpen)
        }
    }

    @Test func `a full queue says that it is congested, and once when it is not any more`() async throws {
        try await onLoop { test in
            let (fd, peer) = try Peer.pair()
            let recorder = Recorder()
            let transport = try test.open(fd, recorder)
            for _ in 0..<8 { transport.write(Self.megabyte.span) }
            #expect(transport.isCongested)
            await test.settle()
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
        try await onLoop { test in
            let (fd, peer) = try Peer.tcpPair()
            let recorder = Recorder()
            let transport = try test.open(fd, recorder)
            for _ in 0..<16 { transport.write(Self.megabyte.span) }
            await test.settle()
            peer.poll(atMost: 1000)
            transport.pauseReading()
            await peer.send("413")
            peer.close()  // with unread bytes: the system resets the connection
            await test.settle()
            transport.resumeReading()
            #expect(await eventually { recorder.events.last == .failed })
            #expect(recorder.bytes == Array("413".utf8))
            #expect(!transport.isOpen)
        }
    }

    @Test func `nothing is told any more once the owner has closed it, whatever it was being told`() async throws {
        try await onLoop { test in
            for trigger in [Recorder.Event.received(3), .drained, .ended, .filled] {
                let (fd, peer) = try Peer.pair()
                let recorder = Recorder()
                let transport = try test.open(fd, recorder)
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
                    await test.settle()
                case .filled: transport.receive(into: ByteBuffer(), exactly: 2)
                default: break
                }
                await peer.send("abc")
                if trigger != .drained { peer.endSending() }
                let isClosed = await eventually {
                    peer.poll()
                    return closed
                }
                #expect(isClosed, "\(trigger)")
                await test.settle()
            }
        }
    }

    @Test func `bytes go straight into a buffer until it has as many as were asked for`() async throws {
        try await onLoop { test in
            let (fd, peer) = try Peer.pair()
            let recorder = Recorder()
            let transport = try test.open(fd, recorder)
            let buffer = ByteBuffer("ab")
            transport.receive(into: buffer, exactly: 1 << 20)
            await peer.send(Array(Self.megabyte.dropLast(7)))
            await test.settle()
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
        try await onLoop { test in
            let fd = try Socket.listen(on: .loopback, isShared: false)
            let address = try #require(Socket.localAddress(fd))
            var peers: [Peer] = []
            let listening = try ListeningSocket(loop: test.loop, fd: fd) { fd, _ in
                let peer = Peer(fd: fd)
                peer.sendSome(Array("banner".utf8)[...])
                peer.endSending()
                peers.append(peer)
            }
            let transport = try await test.dial([address])
            await test.settle()
            let recorder = Recorder()
            transport.delegate = recorder
            #expect(await eventually { recorder.events.contains(.ended) })
            #expect(recorder.bytes == Array("banner".utf8))
            transport.close()
            listening.close(keepsOpen: false)
        }
    }

    @Test func `a connection that goes on reading does not starve the others`() async throws {
        try await onLoop { test in
            let (fd, peer) = try Peer.pair()
            let recorder = Recorder()
            let transport = try test.open(fd, recorder)
            var longest = 0
            var inTurn = 0
            var turn = test.loop.now
            recorder.then = { event in
                if test.loop.now != turn {
                    turn = test.loop.now
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

    // MARK: Half closing

    @Test func `the end of our side comes after all that was queued, and the peer may still answer`() async throws {
        try await onLoop { test in
            for isTCP in [false, true] {
                let (fd, peer) = try isTCP ? Peer.tcpPair() : Peer.pair()
                let recorder = Recorder()
                let transport = try test.open(fd, recorder)
                transport.write(Self.megabyte.span)
                transport.endSending()
                #expect(await peer.waitForEnd())
                #expect(peer.received == Self.megabyte && peer.hasEnded && !peer.wasReset)
                #expect(transport.isOpen)
                await peer.send("the answer")
                peer.endSending()
                #expect(await eventually { recorder.events.contains(.ended) })
                #expect(recorder.text == "the answer")
            }
        }
    }

    @Test func `a peer that ends its side is still sent to`() async throws {
        try await onLoop { test in
            let (fd, peer) = try Peer.tcpPair()
            let recorder = Recorder()
            let transport = try test.open(fd, recorder)
            await peer.send("question")
            peer.endSending()
            #expect(await eventually { recorder.events.contains(.ended) })
            #expect(transport.isOpen)
            transport.write("answer".utf8Span.span)
            transport.closeAfterSending()
            #expect(await peer.waitForEnd())
            #expect(peer.text == "answer")
            #expect(recorder.events.last == .closed)
        }
    }

    @Test func `an abort is a reset for the peer, whatever was queued`() async throws {
        try await onLoop { test in
            let (fd, peer) = try Peer.tcpPair()
            let transport = try test.open(fd, Recorder())
            transport.write("half an answer".utf8Span.span)
            transport.abort()
            transport.abort()
            #expect(await peer.waitForEnd())
            #expect(peer.wasReset && !peer.hasEnded)
        }
    }

    // MARK: Back-pressure

    @Test func `a paused reader holds its peer back, and loses nothing`() async throws {
        try await onLoop { test in
            let (fd, peer) = try Peer.tcpPair()
            let recorder = Recorder()
            let transport = try test.open(fd, recorder)
            transport.pauseReading()
            var sent: [UInt8] = []
            var random = SplitMix64(1)
            var piece = (0..<4096).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            // Until the system takes no more, several times in a row.
            var refusals = 0
            while refusals < 50, sent.count < 64 << 20 {
                // No two are the same.
                for place in 0..<8 { piece[place] = UInt8(truncatingIfNeeded: random.next()) }
                let count = peer.sendSome(piece[...])
                sent += piece[..<max(0, count)]
                if count == 0 {
                    refusals += 1
                    await test.settle()
                }
            }
            #expect(sent.count < 64 << 20, "nothing held it back")
            #expect(recorder.events.isEmpty)
            recorder.then = { event in
                // Paused again with each piece: the bytes of one turn at most.
                if case .received(let count) = event {
                    #expect(count <= EventLoop.scratchByteCount)
                    transport.pauseReading()
                    test.loop.spawn { transport.resumeReading() }
                }
            }
            transport.resumeReading()
            #expect(await eventually { recorder.bytes.count == sent.count })
            #expect(recorder.bytes == sent)
        }
    }

    // MARK: Owners

    @Test func `a delegate is held until the transport has closed, and let go then`() async throws {
        try await onLoop { test in
            for isClosedByPeer in [false, true] {
                let (fd, peer) = try Peer.tcpPair()
                weak var watched: Recorder?
                let transport = try test.open(fd)
                do {
                    let recorder = Recorder()
                    watched = recorder
                    transport.delegate = recorder
                }
                await peer.send("x")
                #expect(await eventually { watched?.text == "x" })
                if isClosedByPeer { peer.reset() } else { transport.close() }
                #expect(await eventually { watched == nil }, "by the peer: \(isClosedByPeer)")
                #expect(!transport.isOpen)
            }
        }
    }

    @Test func `an owner may close and be let go by everybody within a call`() async throws {
        try await onLoop { test in
            /// Owns a transport and nothing else owns it: closing it is its own end.
            final class Owner: TransportDelegate {
                let transport: Transport
                private(set) var bytes: [UInt8] = []
                let done: (Int) -> Void
                init(_ transport: Transport, done: @escaping (Int) -> Void) {
                    self.transport = transport
                    self.done = done
                    transport.delegate = self
                }
                func transportReceived(_ span: Span<UInt8>) {
                    transport.close()
                    for index in span.indices { bytes.append(span[index]) }
                    done(bytes.count)
                }
                func transportEnded() {}
                func transportFailed(_ error: TransportError) {}
                func transportDrained() {}
            }
            var count = 0
            for _ in 0..<50 {
                let (fd, peer) = try Peer.pair()
                _ = Owner(try test.open(fd)) { count += $0 }
                await peer.send("abc")
                #expect(await peer.waitForEnd())
            }
            #expect(count == 150)
        }
    }
}
