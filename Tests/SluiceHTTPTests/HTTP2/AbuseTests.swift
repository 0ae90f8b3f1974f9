import SluiceCore
import SluiceHTTP
import Testing

@Suite struct `HTTP/2 abuse` {
    private static let calm: UInt32 = 0xb

    private func expectCut(_ peer: RawPeer, _ error: HTTP2Error, code: UInt32 = calm) {
        #expect(peer.session.failure == error)
        #expect(peer.goAwayCode == code)
        #expect(peer.session.isFinished)
    }

    /// Sends until the connection is cut; returns how many times.
    private func repeated(_ peer: RawPeer, atMost count: Int, _ write: (inout FrameWriter, Int) -> Void) -> Int {
        for index in 0..<count {
            if peer.session.failure != nil { return index }
            peer.send { write(&$0, index) }
        }
        return count
    }

    // MARK: Heads

    @Test func `a header list over its limit gets 431, and HPACK goes on`() throws {
        let peer = try RawPeer()
        let indexed: [UInt8] = [0x40] + FrameWriter.string("x-kept") + FrameWriter.string("value")
        let long = (0..<5).map { ("x-\($0)", String(repeating: "v", count: 14_000)) }
        peer.send {
            $0.headers(1, FrameWriter.get(), flags: FrameWriter.endStream)
            for field in long { $0.frame(9, stream: 1, FrameWriter.block([field])) }
            $0.frame(9, flags: FrameWriter.endHeaders, stream: 1, indexed)
        }
        #expect(peer.recorder.log == ["refused 1 headersTooLarge", "closed 1 0"])
        #expect(peer.frames.contains { $0.type == 1 && $0.stream == 1 })
        peer.send { $0.frame(1, flags: 5, stream: 3, FrameWriter.block(FrameWriter.get()) + [0x80 | 62]) }
        let fields = try #require(peer.recorder.requests[3]).fields
        #expect(fields.index(named: "x-kept") != nil)
    }

    @Test func `more fields than allowed get 431`() throws {
        let peer = try RawPeer()
        peer.send { $0.headers(1, FrameWriter.get() + (0..<196).map { ("a\($0)", "b") }) }
        peer.send { $0.headers(3, FrameWriter.get() + (0..<197).map { ("a\($0)", "b") }) }
        #expect(peer.recorder.log == ["request 1 GET /v1/models end", "refused 3 headersTooLarge", "closed 3 0"])
    }

    @Test func `cookie crumbs count one by one`() throws {
        let peer = try RawPeer()
        peer.send { $0.headers(1, FrameWriter.get() + (0..<300).map { _ in ("cookie", "") }) }
        #expect(peer.recorder.log.first == "refused 1 headersTooLarge")
    }

    @Test func `a target over its limit gets 414`() throws {
        let peer = try RawPeer()
        peer.send {
            $0.headers(1, FrameWriter.get("/" + String(repeating: "a", count: 16_383)), flags: 1)
            $0.frame(9, flags: 4, stream: 1)
        }
        #expect(peer.goAwayCode == 6)
        let other = try RawPeer()
        let block = FrameWriter.block(FrameWriter.get("/" + String(repeating: "a", count: 16_384)))
        other.send {
            $0.frame(1, flags: 1, stream: 1, Array(block.prefix(16_000)))
            $0.frame(9, flags: 4, stream: 1, Array(block.dropFirst(16_000)))
        }
        #expect(other.recorder.log == ["refused 1 targetTooLong", "closed 1 0"])
    }

    @Test func `a refused request's body is dropped`() throws {
        let peer = try RawPeer()
        peer.send { $0.headers(1, FrameWriter.get("/#"), flags: FrameWriter.endHeaders) }
        peer.send { for _ in 0..<10 { $0.data(1, [UInt8](repeating: 1, count: 16_000)) } }
        #expect(peer.recorder.log == ["refused 1 targetInvalid", "closed 1 0"])
        #expect(peer.session.failure == nil)
    }

    @Test func `an HPACK bomb is cut`() throws {
        let peer = try RawPeer()
        let entry: [UInt8] =
            [0x40] + FrameWriter.string("x-bomb") + FrameWriter.string(String(repeating: "x", count: 4_000))
        peer.send {
            $0.frame(
                1, flags: 5, stream: 1,
                FrameWriter.block(FrameWriter.get()) + entry + [UInt8](repeating: 0x80 | 62, count: 10_000))
        }
        expectCut(peer, .headersTooLarge)
        #expect(peer.recorder.log.isEmpty)
    }

    @Test(arguments: [0, 10, 1_000]) func `a block in too many frames is cut`(byteCount: Int) throws {
        let peer = try RawPeer()
        peer.send { $0.headers(1, FrameWriter.get(), flags: FrameWriter.endStream) }
        let payload = byteCount == 0 ? [] : FrameWriter.block([("a", String(repeating: "b", count: byteCount))])
        let sent = repeated(peer, atMost: 20) { writer, _ in writer.frame(9, stream: 1, payload) }
        #expect(sent == 9)
        expectCut(peer, .tooManyContinuations)
    }

    @Test func `eight CONTINUATION frames are allowed, byte by byte too`() throws {
        let peer = try RawPeer()
        var writer = FrameWriter()
        writer.headers(1, FrameWriter.get(), flags: FrameWriter.endStream)
        for index in 0..<8 {
            writer.frame(
                9, flags: index == 7 ? FrameWriter.endHeaders : 0, stream: 1, FrameWriter.block([("a\(index)", "b")]))
        }
        for byte in writer.bytes { peer.send(bytes: [byte]) }
        #expect(peer.recorder.log == ["request 1 GET /v1/models end"])
    }

    @Test func `a block that is skipped is bounded too`() throws {
        let peer = try RawPeer()
        peer.send { $0.headers(1, [("Bad", "")] + FrameWriter.get(), flags: FrameWriter.endStream) }
        let sent = repeated(peer, atMost: 200) { writer, _ in writer.frame(9, stream: 1, []) }
        #expect(sent < 100)
        expectCut(peer, .tooManyContinuations)
    }

    // MARK: Resets

    @Test func `streams that are opened to be reset are cut`() throws {
        let peer = try RawPeer()
        let sent = repeated(peer, atMost: 10_000) { writer, index in
            writer.headers(UInt32(2 * index + 1), FrameWriter.get())
            writer.reset(UInt32(2 * index + 1))
        }
        #expect(sent == 201)
        expectCut(peer, .tooManyResets)
        #expect(peer.recorder.requests.count == 201)
    }

    @Test func `in one read too`() throws {
        let peer = try RawPeer()
        peer.send {
            for index in 0..<5_000 {
                $0.headers(UInt32(2 * index + 1), FrameWriter.get())
                $0.reset(UInt32(2 * index + 1))
            }
        }
        #expect(peer.recorder.requests.count == 201)
        expectCut(peer, .tooManyResets)
    }

    @Test func `slowly enough to stay under the rate, the total cuts`() throws {
        let peer = try RawPeer()
        let sent = repeated(peer, atMost: 10_000) { writer, index in
            peer.now = Instant(nanoseconds: Int64(index) * 10_000_000)
            writer.headers(UInt32(2 * index + 1), FrameWriter.get())
            writer.reset(UInt32(2 * index + 1))
        }
        #expect(sent == 501)
        expectCut(peer, .tooManyResets)
    }

    @Test func `resets among answered streams, or of old streams, are no abuse`() throws {
        let peer = try RawPeer()
        peer.recorder.onEnd = { [unowned peer] stream in
            if stream.number % 4 == 1 { peer.session.respond(stream, ResponseHead(204), body: .none) }
        }
        let sent = repeated(peer, atMost: 2_000) { writer, index in
            peer.now = Instant(nanoseconds: Int64(index) * 10_000_000)
            writer.headers(UInt32(2 * index + 1), FrameWriter.get())
            if index % 2 == 1 { writer.reset(UInt32(2 * index + 1)) }
        }
        #expect(sent == 2_000)
        let patient = try RawPeer()
        let kept = repeated(patient, atMost: 1_000) { writer, index in
            patient.now = Instant(nanoseconds: Int64(index) * 2_000_000_000)
            writer.headers(UInt32(2 * index + 1), FrameWriter.get())
            if index > 0 { writer.reset(UInt32(2 * index - 1)) }
        }
        #expect(kept == 1_000)
    }

    /// CVE-2025-8671, "MadeYouReset": each way to make a server reset a stream of yours.
    static let provocations: [ConformanceCase] = [
        .init("a malformed request", .accepted) { peer in
            peer.send { $0.headers(peer.next, [("A", "")] + FrameWriter.get()) }
        },
        .init("a window that overflows", .accepted) { peer in
            peer.send {
                $0.headers(peer.next, FrameWriter.post(), flags: 4)
                $0.windowUpdate(peer.next, 1 << 31 - 1)
            }
        },
        .init("a body longer than declared", .accepted) { peer in
            peer.send {
                $0.headers(peer.next, FrameWriter.post([("content-length", "0")]), flags: 4)
                $0.data(peer.next, [1])
            }
        },
        .init("trailers that do not end", .accepted) { peer in
            peer.send {
                $0.headers(peer.next, FrameWriter.post(), flags: 4)
                $0.headers(peer.next, [("a", "b")], flags: 4)
            }
        },
    ]

    @Test(arguments: provocations) func `streams that make us reset them are cut`(_ one: ConformanceCase) throws {
        let peer = try RawPeer()
        var sent = 0
        while sent < 1_000, peer.session.failure == nil {
            one.act(peer)
            peer.next += 2
            sent += 1
        }
        #expect(sent == 201)
        expectCut(peer, .tooManyResets)
    }

    @Test func `resets that are our own decision cost the peer nothing`() throws {
        let peer = try RawPeer()
        peer.recorder.onRequest = { [unowned peer] stream, _ in peer.session.reset(stream, .internalError) }
        let sent = repeated(peer, atMost: 1_000) { writer, index in
            writer.headers(UInt32(2 * index + 1), FrameWriter.get())
        }
        #expect(sent == 1_000)
        #expect(peer.session.failure == nil)
    }

    // MARK: Frames that do no work

    static let floods: [ConformanceCase] = [
        .init("SETTINGS", .accepted) { $0.send { $0.settings() } },
        .init("PING", .accepted) { $0.send { $0.ping() } },
        .init("unasked PING acknowledgements", .accepted) { $0.send { $0.ping(flags: 1) } },
        .init("PRIORITY", .accepted) { $0.send { $0.frame(2, stream: 9, [0, 0, 0, 0, 7]) } },
        .init("WINDOW_UPDATE", .accepted) { $0.send { $0.windowUpdate(0, 1) } },
        .init("empty DATA", .accepted) { $0.send { $0.data(1, []) } },
        .init("DATA that is padding only", .accepted) {
            $0.send { $0.data(1, [3, 0, 0, 0], flags: FrameWriter.padded) }
        },
        .init("unknown frames", .accepted) { $0.send { $0.frame(0xfa, stream: 1, [1]) } },
        .init("ALTSVC", .accepted) { $0.send { $0.frame(0xa, stream: 0, [0, 0]) } },
        .init("PRIORITY_UPDATE", .accepted) { $0.send { $0.frame(0x10, [0, 0, 0, 1]) } },
        .init("GOAWAY", .accepted) { $0.send { $0.goAway(last: 0) } },
        .init("RST_STREAM of a closed stream", .accepted) { $0.send { $0.reset(3) } },
    ]

    @Test(arguments: floods) func `a flood is cut, and time forgives a trickle`(_ one: ConformanceCase) throws {
        let peer = try RawPeer()
        peer.send {
            $0.headers(1, FrameWriter.post(), flags: FrameWriter.endHeaders)
            $0.headers(3, FrameWriter.post(), flags: FrameWriter.endHeaders)
            $0.reset(3)
        }
        var sent = 0
        while sent < 3_000, peer.session.failure == nil {
            one.act(peer)
            sent += 1
        }
        #expect(sent > 990 && sent < 1_150)
        expectCut(peer, .tooManyGlitches)

        let trickle = try RawPeer()
        trickle.send {
            $0.headers(1, FrameWriter.post(), flags: FrameWriter.endHeaders)
            $0.headers(3, FrameWriter.post(), flags: FrameWriter.endHeaders)
            $0.reset(3)
        }
        for _ in 0..<3_000 {
            trickle.now = trickle.now + .milliseconds(110)
            one.act(trickle)
        }
        #expect(trickle.session.failure == nil)
    }

    @Test func `work forgives: a busy connection may ping with every message`() throws {
        let pair = try SessionPair()
        pair.atServer.onEnd = { [unowned pair] stream in
            pair.server.respond(stream, .ok(), body: .unknown)
            pair.server.send(String(repeating: "e", count: 200).utf8Span.span, on: stream)
            pair.server.finish(stream)
        }
        for _ in 0..<3_000 {
            pair.client.ping(1)
            _ = try pair.client.submitRequest(.get("/"), scheme: "https", body: .none)
            try pair.run()
        }
        #expect(pair.server.failure == nil)
        #expect(pair.client.failure == nil)
    }

    @Test func `an unread flood is bounded`() throws {
        let peer = try RawPeer()
        peer.reads = false
        var limits = HTTP2Limits()
        limits.glitchCount = 1_000_000
        let patient = try RawPeer(limits: limits)
        patient.reads = false
        let pings = repeated(patient, atMost: 100_000) { writer, _ in for _ in 0..<10 { writer.ping() } }
        #expect(pings <= 101)
        #expect(patient.session.failure == .tooManyQueuedFrames)
        _ = repeated(peer, atMost: 10_000) { writer, index in
            writer.headers(UInt32(2 * index + 1), [("A", "")] + FrameWriter.get())
        }
        peer.read()
        #expect(peer.frames.count == 1)
        expectCut(peer, .protocolViolation(.protocolError), code: 1)
    }

    @Test func `after a cut, nothing more is read`() throws {
        let peer = try RawPeer()
        peer.send { $0.data(0, [1]) }
        #expect(peer.session.isFinished)
        peer.send { $0.headers(1, FrameWriter.get()) }
        #expect(peer.recorder.log.isEmpty)
        #expect(peer.frames.count == 1)
    }

    @Test func `a response head over the limit is refused, and its stream reset`() throws {
        let peer = try RawPeer(role: .client)
        _ = try peer.session.submitRequest(.get("/"), scheme: "https", body: .none)
        peer.read()
        peer.send {
            $0.headers(1, [(":status", "200")] + (0..<200).map { ("a\($0)", "b") }, flags: FrameWriter.endHeaders)
        }
        #expect(peer.recorder.log == ["refused 1 headersTooLarge", "closed 1 8"])
        #expect(peer.session.failure == nil)
    }
}
