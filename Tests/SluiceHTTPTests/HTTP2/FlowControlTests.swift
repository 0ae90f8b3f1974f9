import SluiceCore
import SluiceHTTP
import Testing

@Suite struct `HTTP/2 flow control` {
    private static let megabyte = [UInt8]((0..<1_048_576).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })

    @Test(arguments: [false, true]) func `a big body arrives whole, both ways`(isShared: Bool) throws {
        let pair = try SessionPair()
        let body = Self.megabyte
        let shared = ByteBuffer(copying: body.span)
        pair.atServer.onEnd = { [unowned pair] stream in
            pair.server.respond(stream, .ok(), body: .known(body.count))
            if isShared {
                pair.server.send(sharing: shared, 0..<body.count, on: stream)
            } else {
                pair.server.send(body.span, on: stream)
            }
            pair.server.finish(stream)
        }
        let stream = try pair.client.submitRequest(.chat(), scheme: "https", body: .known(body.count))
        if isShared {
            pair.client.send(sharing: shared, 0..<body.count, on: stream)
        } else {
            pair.client.send(body.span, on: stream)
        }
        pair.client.finish(stream)
        try pair.run()
        #expect(pair.atServer.bodies[stream.number] == body)
        #expect(pair.atClient.bodies[stream.number] == body)
        #expect(pair.atClient.closings[stream.number] == .noError)
    }

    @Test func `a peer whose bytes are not consumed stops at the window`() throws {
        let pair = try SessionPair()
        pair.atServer.consumes = false
        let stream = try pair.client.submitRequest(.chat(), scheme: "https", body: .unknown)
        pair.client.send(Self.megabyte.span, on: stream)
        pair.client.finish(stream)
        try pair.run()
        #expect(pair.atServer.bodies[stream.number]?.count == 65_536)
        #expect(pair.client.outboundByteCount(of: stream) == 1_048_576 - 65_536)
        let server = try #require(pair.atServer.streams[stream.number])
        pair.server.consumed(40_000, on: server)
        try pair.run()
        #expect(pair.atServer.bodies[stream.number]?.count == 65_536 + 40_000)
        pair.atServer.consumes = true
        pair.server.consumed(65_536, on: server)
        try pair.run()
        #expect(pair.atServer.bodies[stream.number] == Self.megabyte)
    }

    @Test func `a stream that stops does not stop another`() throws {
        let pair = try SessionPair()
        pair.atServer.consumes = false
        let stuck = try pair.client.submitRequest(.chat(), scheme: "https", body: .unknown)
        pair.client.send(Self.megabyte.span, on: stuck)
        try pair.run()
        let other = try pair.client.submitRequest(.chat(), scheme: "https", body: .unknown)
        pair.client.send("hello".utf8Span.span, on: other)
        try pair.run()
        #expect(pair.atServer.body(other.number) == "hello")
    }

    @Test func `what a closed stream still held of the connection's window comes back`() throws {
        let pair = try SessionPair()
        pair.atServer.consumes = false
        for _ in 0..<40 {
            let stream = try pair.client.submitRequest(.chat(), scheme: "https", body: .unknown)
            pair.client.send(Self.megabyte.span.extracting(0..<60_000), on: stream)
            try pair.run()
            #expect(pair.atServer.bodies[stream.number]?.count == 60_000)
            pair.client.reset(stream, .cancel)
            pair.now = pair.now + .seconds(2)
            try pair.run()
        }
        #expect(pair.server.failure == nil)
    }

    @Test func `with a window of nothing, nothing but heads is sent`() throws {
        let peer = try RawPeer()
        peer.recorder.onEnd = { [unowned peer] stream in
            peer.session.respond(stream, .ok(), body: .unknown)
            peer.session.send("hello".utf8Span.span, on: stream)
            peer.session.finish(stream)
        }
        peer.send {
            $0.settings([(4, 0)])
            $0.headers(1, FrameWriter.get())
        }
        #expect(peer.frames.contains { $0.type == 1 && $0.stream == 1 })
        #expect(peer.dataByteCount(1) == 0)
        #expect(peer.session.outboundByteCount(of: try #require(peer.recorder.streams[1])) == 5)
        #expect(!peer.session.wantsToSend)
        for expected in 1...5 {
            peer.send { $0.windowUpdate(1, 1) }
            #expect(peer.dataByteCount(1) == expected)
        }
        #expect(peer.frames.last == Frame(type: 0, flags: 1, stream: 1, payload: [UInt8(ascii: "o")]))
    }

    @Test func `SETTINGS change the window of streams that are open`() throws {
        let peer = try RawPeer()
        peer.send {
            $0.settings([(4, 3)])
            $0.headers(1, FrameWriter.get())
        }
        let stream = try #require(peer.recorder.streams[1])
        peer.session.respond(stream, .ok(), body: .unknown)
        peer.session.send("hello world".utf8Span.span, on: stream)
        peer.read()
        #expect(peer.dataByteCount(1) == 3)
        peer.send { $0.settings([(4, 1)]) }
        peer.send { $0.windowUpdate(1, 2) }
        #expect(peer.dataByteCount(1) == 3)
        peer.send { $0.windowUpdate(1, 2) }
        #expect(peer.dataByteCount(1) == 5)
    }

    @Test func `more than a stream's window is an error`() throws {
        let peer = try RawPeer()
        peer.recorder.consumes = false
        let piece = [UInt8](repeating: 0, count: 16_384)
        peer.send { $0.headers(1, FrameWriter.post(), flags: FrameWriter.endHeaders) }
        peer.send { for _ in 0..<4 { $0.data(1, piece) } }
        #expect(peer.frames.isEmpty)
        peer.send { $0.data(1, [1]) }
        #expect(peer.resetCode(1) == 3)
        #expect(peer.goAwayCode == nil)
    }

    @Test func `more than the connection's window is an error`() throws {
        var limits = HTTP2Limits()
        limits.streamWindowByteCount = 1_000_000
        limits.connectionWindowByteCount = 65_535
        let peer = try RawPeer(limits: limits)
        peer.recorder.consumes = false
        peer.send { $0.headers(1, FrameWriter.post(), flags: FrameWriter.endHeaders) }
        peer.send { for _ in 0..<4 { $0.data(1, [UInt8](repeating: 0, count: 16_384)) } }
        #expect(peer.goAwayCode == 3)
        #expect(peer.session.isFinished)
    }

    @Test func `a writer is told when it can go on`() throws {
        let pair = try SessionPair()
        var sent = 0
        func fill(_ pair: SessionPair, _ stream: StreamID) {
            while sent < 1_000_000, pair.server.outboundByteCount(of: stream) < 50_000 {
                pair.server.send(Self.megabyte.span.extracting(sent..<sent + 10_000), on: stream)
                sent += 10_000
            }
            if sent == 1_000_000 { pair.server.finish(stream) }
        }
        var most = 0
        pair.atServer.onRequest = { [unowned pair] stream, _ in
            pair.server.respond(stream, .ok(), body: .unknown)
            fill(pair, stream)
        }
        pair.atServer.onCanSendMore = { [unowned pair] stream in
            #expect(pair.server.outboundByteCount(of: stream) <= 16_384)
            fill(pair, stream)
            most = max(most, pair.server.outboundByteCount(of: stream))
        }
        let stream = try pair.client.submitRequest(.get("/"), scheme: "https", body: .none)
        try pair.run()
        #expect(pair.atClient.bodies[stream.number]?.count == 1_000_000)
        #expect(pair.atClient.closings[stream.number] == .noError)
        #expect(most <= 66_384)
    }

    @Test func `a flush stops at its limit, and streams take turns`() throws {
        let pair = try SessionPair()
        let streams = try (0..<4).map { _ in try pair.client.submitRequest(.get("/"), scheme: "https", body: .none) }
        try pair.run()
        for stream in streams {
            let server = try #require(pair.atServer.streams[stream.number])
            pair.server.respond(server, .ok(), body: .unknown)
            pair.server.send(Self.megabyte.span.extracting(0..<60_000), on: server)
        }
        let queue = ByteQueue()
        pair.server.flush(into: queue, upTo: 65_536, for: pair.atServer)
        #expect(queue.count >= 65_536)
        #expect(queue.count < 65_536 + 16_384 + 9)
        #expect(pair.server.wantsToSend)
        var bytes = queue.takeAll()
        let frames = Frame.read(&bytes)
        #expect(bytes.isEmpty)
        #expect(Set(frames.filter { $0.type == 0 }.map(\.stream)) == [1, 3, 5, 7])
    }
}
