import NetTestSupport
import SluiceCore
import SluiceTLS
import Testing

@testable import SluiceNet

@Suite struct `Encrypted transports` {
    private struct Ends {
        let server: Transport
        let client: Transport
        let serverSide = Recorder()
        let clientSide = Recorder()
    }

    private func open(_ test: LoopTest) throws -> Ends {
        let identity = TestIdentity.shared
        let files = TLSIdentityFiles(certificateFile: identity.certificate, privateKeyFile: identity.key)
        let store = try CertificateStore(DownstreamTLSConfiguration(identities: [files]))
        var upstream = UpstreamTLSConfiguration()
        upstream.authoritiesFile = identity.authority
        let (fd, peer) = try Peer.tcpPair()
        let ends = Ends(server: try test.open(fd), client: try test.open(peer.release()))
        ends.server.delegate = ends.serverSide
        ends.client.delegate = ends.clientSide
        ends.server.startTLS(try TLSSession(downstream: store.current))
        ends.client.startTLS(try TLSSession(upstream: try TLSContext(upstream: upstream), host: "localhost", port: 443))
        return ends
    }

    private static let megabyte = [UInt8]((0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31) })

    @Test func `bytes written before the handshake wait for it, and arrive both ways`() async throws {
        try await onLoop { test in
            let ends = try open(test)
            ends.client.write(Self.megabyte.span)
            ends.server.write("hello".utf8Span.span)
            #expect(await eventually { ends.serverSide.bytes.count == 1 << 20 && ends.clientSide.bytes.count == 5 })
            #expect(ends.serverSide.bytes == Self.megabyte)
            #expect(ends.serverSide.events.first == .secured)
            #expect(ends.client.applicationProtocol == .http2)
            ends.client.close()
            ends.server.close()
        }
    }

    @Test func `closing after sending delivers all, and the end is a proper one`() async throws {
        try await onLoop { test in
            let ends = try open(test)
            ends.clientSide.then = { [unowned client = ends.client] event in
                guard case .received = event else { return }
                // A reader that stops now and then.
                client.pauseReading()
                test.loop.resumeSoon(client)
            }
            for _ in 0..<4 { ends.server.write(Self.megabyte.span) }
            ends.server.closeAfterSending()
            #expect(
                await eventually { ends.clientSide.events.last == .ended || ends.clientSide.events.last == .failed })
            #expect(ends.clientSide.bytes.count == 4 << 20)
            #expect(ends.clientSide.events.last == .ended)
            #expect(ends.serverSide.events.last == .closed)
            ends.client.close()
        }
    }

    @Test func `what is encrypted already counts as not sent`() async throws {
        try await onLoop { test in
            let ends = try open(test)
            #expect(await eventually { ends.serverSide.events == [.secured] })
            ends.client.pauseReading()
            repeat {
                ends.server.write(Self.megabyte.span)
                await test.settle()
            } while !ends.server.isCongested
            let queued = ends.server.pendingByteCount
            await test.settle()
            #expect(ends.server.pendingByteCount == queued)
            ends.client.resumeReading()
            #expect(await eventually { ends.server.pendingByteCount == 0 })
            #expect(ends.serverSide.events.contains(.drained))
            ends.client.close()
            ends.server.close()
        }
    }

    @Test func `a paused reader is given no more than was being read when it paused`() async throws {
        try await onLoop { test in
            let ends = try open(test)
            #expect(await eventually { ends.clientSide.events == [.secured] })
            ends.serverSide.then = { [unowned server = ends.server] _ in server.pauseReading() }
            ends.client.write(Self.megabyte.span)
            #expect(await eventually { !ends.serverSide.bytes.isEmpty })
            await test.settle()
            #expect(ends.serverSide.bytes.count <= EventLoop.scratchByteCount)
            ends.serverSide.then = { _ in }
            ends.server.resumeReading()
            #expect(await eventually { ends.serverSide.bytes.count == 1 << 20 })
            ends.client.close()
            ends.server.close()
        }
    }

    @Test func `a connection that is cut is not taken for one that ended`() async throws {
        try await onLoop { test in
            let ends = try open(test)
            // A server that closes before it has read the end of the handshake resets the connection.
            #expect(await eventually { ends.clientSide.events == [.secured] && ends.serverSide.events == [.secured] })
            ends.server.write("half an answer".utf8Span.span)
            ends.server.flush()
            ends.server.close()
            #expect(await eventually { ends.clientSide.events.last == .failed })
            #expect(ends.clientSide.bytes.count == 14)
            guard case .truncated = ends.clientSide.error else {
                Issue.record("failed with \(String(describing: ends.clientSide.error))")
                return
            }
        }
    }

    @Test func `bytes that are no TLS fail the connection with a reason`() async throws {
        try await onLoop { test in
            let (fd, peer) = try Peer.tcpPair()
            let identity = TestIdentity.shared
            let files = TLSIdentityFiles(certificateFile: identity.certificate, privateKeyFile: identity.key)
            let store = try CertificateStore(DownstreamTLSConfiguration(identities: [files]))
            let transport = try test.open(fd)
            let recorder = Recorder()
            transport.delegate = recorder
            transport.startTLS(try TLSSession(downstream: store.current))
            await peer.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n")
            #expect(await eventually { recorder.events == [.failed] })
            guard case .tls(let reason) = recorder.error else {
                Issue.record("failed with \(String(describing: recorder.error))")
                return
            }
            #expect(!reason.isEmpty)
            #expect(await peer.waitForEnd())
        }
    }

    @Test func `closing at the end of the handshake is the end`() async throws {
        try await onLoop { test in
            let ends = try open(test)
            ends.serverSide.then = { [unowned server = ends.server] event in if event == .secured { server.close() } }
            ends.client.write(Self.megabyte.span)
            #expect(await eventually { !ends.client.isOpen || ends.clientSide.events.last == .ended })
            #expect(ends.serverSide.events == [.secured])
            ends.client.close()
        }
    }
}

extension EventLoop {
    /// Lets a transport go on reading a little later.
    fileprivate func resumeSoon(_ transport: Transport) {
        spawn {
            try? await Task.sleep(for: .milliseconds(1))
            transport.resumeReading()
        }
    }
}
