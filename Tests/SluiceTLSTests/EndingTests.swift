import SluiceCore
import TestSupport
import Testing

@testable import SluiceTLS

@Suite struct `How TLS connections end` {
    private func connected() throws -> SessionPair {
        let pair = try SessionPair(.listener("api"), .cluster())
        pair.run()
        return pair
    }

    @Test func `close_notify is an end, once, after the data`() throws {
        let pair = try connected()
        try pair.upstream.send("last".utf8Span.span)
        pair.upstream.close()
        pair.upstream.close()
        let bytes = pair.upstream.outbound.takeAll()
        let sink = ByteBuffer()
        let progress = try pair.downstream.receive(bytes.span, appendingTo: sink)
        #expect(progress == TLSSession.Progress(plaintextByteCount: 4, next: .ended))
        #expect(pair.downstream.hasEnded)
        try pair.downstream.receiveEnd()
        let more: [UInt8] = [1, 2, 3]
        let afterwards = try pair.downstream.receive(more.span, appendingTo: sink)
        #expect(afterwards.next == .ended)
    }

    @Test func `the other direction stays open after close_notify`() throws {
        let pair = try connected()
        pair.upstream.close()
        pair.run()
        try pair.downstream.send("still here".utf8Span.span)
        pair.run()
        #expect(pair.atUpstream.text == "still here")
        #expect { try pair.upstream.send("no".utf8Span.span) } throws: { ($0 as? TLSError)?.kind == .notOpen }
    }

    @Test func `an end without close_notify is a truncation`() throws {
        let pair = try connected()
        try pair.upstream.send("half".utf8Span.span)
        pair.run()
        #expect { try pair.downstream.receiveEnd() } throws: { ($0 as? TLSError)?.kind == .truncated }
        #expect { try pair.downstream.receiveEnd() } throws: { ($0 as? TLSError)?.kind == .truncated }
    }

    @Test func `an end in the middle of a record is a truncation`() throws {
        let pair = try connected()
        try pair.upstream.send("half a record".utf8Span.span)
        let bytes = pair.upstream.outbound.takeAll()
        pair.deliver(Array(bytes.dropLast()), to: .downstream)
        #expect(pair.atDownstream.isEmpty)
        #expect { try pair.downstream.receiveEnd() } throws: { ($0 as? TLSError)?.kind == .truncated }
    }

    @Test func `an end during the handshake says so`() throws {
        let session = try TLSSession(downstream: .listener("api"))
        #expect { try session.receiveEnd() } throws: {
            let error = $0 as? TLSError
            return error?.kind == .closedInHandshake && error?.message.contains("without sending anything") == true
        }
        let pair = try SessionPair(.listener("api"), .cluster())
        pair.deliver(pair.upstream.outbound.takeAll(), to: .downstream)
        #expect { try pair.downstream.receiveEnd() } throws: { ($0 as? TLSError)?.kind == .closedInHandshake }
    }

    @Test(arguments: ["GET / HTTP/1.1\r\nHost: x\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"])
    func `http on a TLS port is recognised, however it is split`(text: String) throws {
        let listener = try TLSContext.listener("api")
        for split in [1, 2, 5, 1000] {
            let session = try TLSSession(downstream: listener)
            var failure: TLSError?
            var at = 0
            let bytes = Array(text.utf8)
            while at < bytes.count, failure == nil {
                let piece = Array(bytes[at..<min(bytes.count, at + split)])
                do throws(TLSError) { _ = try session.receive(piece.span, appendingTo: ByteBuffer()) } catch {
                    failure = error
                }
                at += split
            }
            #expect(failure?.kind == .plainHTTP, "split \(split): \(failure?.message ?? "no error")")
            #expect(failure?.message.contains("use https") == true)
        }
    }

    @Test(arguments: ["HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "\u{0}\u{0}\u{12}\u{4}\u{0}"])
    func `an upstream that does not speak TLS is recognised`(text: String) throws {
        let session = try TLSSession(upstream: .cluster(), host: "api.example.com", port: 443)
        #expect { try session.receive(text.utf8Span.span, appendingTo: ByteBuffer()) } throws: {
            let error = $0 as? TLSError
            return error?.kind == .notTLS && error?.message.contains("does not speak TLS") == true
        }
    }

    @Test func `a damaged record is refused after the good ones before it were given out`() throws {
        let pair = try connected()
        try pair.upstream.send("good".utf8Span.span)
        try pair.upstream.send("damaged".utf8Span.span)
        var bytes = pair.upstream.outbound.takeAll()
        bytes[bytes.count - 1] ^= 1
        let sink = ByteBuffer()
        let progress = try pair.downstream.receive(bytes.span, appendingTo: sink)
        #expect(progress == TLSSession.Progress(plaintextByteCount: 4, next: .hasMore))
        #expect { try pair.downstream.receiveMore(appendingTo: sink) } throws: {
            ($0 as? TLSError)?.kind == .violation
        }
        #expect { try pair.downstream.send("after".utf8Span.span) } throws: { ($0 as? TLSError)?.kind == .violation }
        #expect(sink.text == "good")
        pair.run()
        #expect(pair.upstreamError?.kind == .alert(TLSAlert(rawValue: 20)))
    }

    @Test func `random bytes never do worse than an error`() throws {
        let listener = try TLSContext.listener("api")
        let cluster = try TLSContext.cluster()
        for seed in SplitMix64.seeds(300) {
            var random = SplitMix64(seed)
            let pair = try SessionPair(listener, cluster)
            if Bool.random(using: &random) { pair.run() }
            var bytes = (0..<Int.random(in: 1...400, using: &random)).map { _ in
                UInt8(truncatingIfNeeded: random.next())
            }
            if Bool.random(using: &random) { bytes.replaceSubrange(0..<min(3, bytes.count), with: [22, 3, 3]) }
            pair.deliver(bytes, to: .downstream)
            pair.deliver(bytes, to: .upstream)
            pair.run()
            #expect(pair.atDownstream.isEmpty && pair.atUpstream.isEmpty, "seed \(seed)")
        }
    }

    @Test func `a handshake with damaged bytes never succeeds`() throws {
        let listener = try TLSContext.listener("api")
        let cluster = try TLSContext.cluster(sessions: 0)
        for seed in SplitMix64.seeds(150) {
            var random = SplitMix64(seed)
            let pair = try SessionPair(listener, cluster)
            pair.deliver(pair.upstream.outbound.takeAll(), to: .downstream)
            var bytes = pair.downstream.outbound.takeAll()
            // Behind the record header, whose version field is ignored by design (RFC 8446 §5.1).
            bytes[Int.random(in: 5..<bytes.count, using: &random)] ^= UInt8(1 << Int.random(in: 0..<8, using: &random))
            pair.deliver(bytes, to: .upstream)
            pair.run()
            #expect(!(pair.upstream.isEstablished && pair.downstream.isEstablished), "seed \(seed)")
        }
    }
}
