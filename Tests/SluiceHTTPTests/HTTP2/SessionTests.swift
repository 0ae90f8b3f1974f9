import SluiceCore
import SluiceHTTP
import Testing

@Suite struct `HTTP/2 sessions` {
    /// Answers each request, when it has ended, with what it sent.
    private func echo(_ pair: SessionPair, trailers: HeaderFields? = nil) {
        pair.atServer.onEnd = { [unowned pair] stream in
            let body = pair.atServer.bodies[stream.number] ?? []
            pair.server.respond(stream, .ok(), body: .known(body.count))
            pair.server.send(body.span, on: stream)
            pair.server.finish(stream, trailers: trailers)
        }
    }

    private func post(_ pair: SessionPair, _ body: String) throws -> StreamID {
        let stream = try pair.client.submitRequest(.chat(), scheme: "https", body: .known(body.utf8.count))
        pair.client.send(body.utf8Span.span, on: stream)
        pair.client.finish(stream)
        return stream
    }

    // MARK: Messages

    @Test(arguments: [0, 1, 2, 3, 7, 9, 10, 64]) func `how the bytes were cut does not matter`(piece: Int) throws {
        let pair = try SessionPair()
        pair.pieceByteCount = piece
        echo(pair)
        let streams = try (0..<3).map { try post(pair, "question \($0)") }
        try pair.run()
        for (index, stream) in streams.enumerated() {
            #expect(pair.atClient.body(stream.number) == "question \(index)")
            #expect(pair.atClient.responses[stream.number]?.status == 200)
            #expect(pair.atClient.closings[stream.number] == .noError)
            #expect(pair.atServer.closings[stream.number] == .noError)
        }
        #expect(pair.client.openStreamCount == 0)
        #expect(pair.server.openStreamCount == 0)
    }

    @Test(arguments: [1, 10, 64, 1000]) func `how little is flushed at a time does not matter`(byteCount: Int) throws {
        let pair = try SessionPair()
        pair.flushByteCount = byteCount
        echo(pair)
        let stream = try post(pair, String(repeating: "long ", count: 10_000))
        try pair.run()
        #expect(pair.atClient.body(stream.number).count == 50_000)
        #expect(pair.atClient.closings[stream.number] == .noError)
    }

    @Test func `a request arrives as it was sent`() throws {
        let pair = try SessionPair()
        let sent = RequestHead.chat([(.te, "trailers"), (.accept, "*/*")])
        let stream = try pair.client.submitRequest(sent, scheme: "https", body: .none)
        try pair.run()
        let head = try #require(pair.atServer.requests[stream.number])
        #expect(head.version == .http2)
        #expect(head.method == .post)
        #expect(String(decoding: head.target, as: UTF8.self) == "/v1/chat/completions")
        #expect(String(decoding: head.authority, as: UTF8.self) == "api.openai.com")
        #expect(head.fields.text(.authorization) == sent.fields.text(.authorization))
        #expect(head.fields.text(.te) == "trailers")
        #expect(head.fields.count == sent.fields.count)
        #expect(pair.atServer.log == ["request 1 POST /v1/chat/completions end"])
    }

    @Test func `what belongs to an HTTP/1 connection is never sent`() throws {
        let pair = try SessionPair()
        let stream = try pair.client.submitRequest(
            .chat([
                (.connection, "close"), (.keepAlive, "timeout=5"), (.transferEncoding, "chunked"), (.upgrade, "h2c"),
                (.proxyConnection, "close"), (.http2Settings, "AAMAAABkAAQAoAAAAAIAAAAA"), (.te, "gzip"),
                (.host, "another.test"), (.contentLength, "77"),
            ]), scheme: "https", body: .known(0))
        try pair.run()
        let head = try #require(pair.atServer.requests[stream.number])
        #expect(head.fields.count == 4)
        #expect(head.fields.text(.contentLength) == "0")
        let server = try #require(pair.atServer.streams[stream.number])
        pair.server.respond(
            server, .ok([(.connection, "close"), (.transferEncoding, "chunked"), (.contentLength, "5")]), body: .unknown
        )
        pair.server.finish(server)
        try pair.run()
        let response = try #require(pair.atClient.responses[stream.number])
        #expect(response.fields.count == 1)
        #expect(pair.atClient.closings[stream.number] == .noError)
    }

    @Test func `cookie crumbs become one field`() throws {
        let peer = try RawPeer()
        peer.send {
            $0.headers(
                1, FrameWriter.get() + [("cookie", "a=b"), ("accept", "*/*"), ("cookie", "c=d"), ("cookie", "e=f")])
        }
        let head = try #require(peer.recorder.requests[1])
        #expect(head.fields.text(.cookie) == "a=b; c=d; e=f")
        #expect(head.fields.occurrences(of: .cookie) == 1)
    }

    @Test func `trailers go both ways`() throws {
        let pair = try SessionPair()
        var fields = HeaderFields()
        fields.append(lowercaseName: "x-checksum", "abc")
        echo(pair, trailers: fields)
        let stream = try pair.client.submitRequest(.chat(), scheme: "https", body: .unknown)
        pair.client.send("body".utf8Span.span, on: stream)
        pair.client.finish(stream, trailers: fields)
        try pair.run()
        #expect(pair.atServer.trailers[stream.number]?.index(named: "x-checksum") == 0)
        #expect(pair.atClient.trailers[stream.number]?.index(named: "x-checksum") == 0)
        #expect(pair.atClient.body(stream.number) == "body")
        #expect(pair.atClient.closings[stream.number] == .noError)
    }

    @Test func `trailers follow an empty body, and empty trailers end it`() throws {
        let pair = try SessionPair()
        let stream = try pair.client.submitRequest(.chat(), scheme: "https", body: .unknown)
        try pair.run()
        var fields = HeaderFields()
        fields.append(lowercaseName: "x-checksum", "abc")
        pair.client.finish(stream, trailers: fields)
        try pair.run()
        #expect(pair.atServer.log == ["request 1 POST /v1/chat/completions", "ended 1 with trailers"])
        let second = try pair.client.submitRequest(.chat(), scheme: "https", body: .unknown)
        try pair.run()
        pair.client.finish(second, trailers: HeaderFields())
        try pair.run()
        #expect(pair.atServer.log.last == "ended 3")
    }

    @Test func `an answer to HEAD has no body, and keeps the length it was given`() throws {
        let pair = try SessionPair()
        var head = RequestHead.get("/v1/models")
        head.method = .head
        let stream = try pair.client.submitRequest(head, scheme: "https", body: .none)
        try pair.run()
        let server = try #require(pair.atServer.streams[stream.number])
        pair.server.respond(server, .ok(), body: .known(1234))
        pair.server.send("ignored".utf8Span.span, on: server)
        pair.server.finish(server)
        try pair.run()
        #expect(pair.atClient.log == ["response 1 200 end", "closed 1 0"])
        #expect(pair.atClient.responses[1]?.fields.text(.contentLength) == "1234")
    }

    @Test func `statuses without a body end the stream with the head`() throws {
        for code in [UInt16(204), 304] {
            let pair = try SessionPair()
            let stream = try pair.client.submitRequest(.get("/"), scheme: "https", body: .none)
            try pair.run()
            pair.server.respond(
                try #require(pair.atServer.streams[stream.number]), ResponseHead(Status(code)), body: .known(5))
            try pair.run()
            #expect(pair.atClient.log == ["response 1 \(code) end", "closed 1 0"])
        }
    }

    @Test func `informational responses come before the final one, and 101 not at all`() throws {
        let pair = try SessionPair()
        let stream = try pair.client.submitRequest(.chat(), scheme: "https", body: .unknown)
        try pair.run()
        let server = try #require(pair.atServer.streams[stream.number])
        pair.server.inform(server, ResponseHead(100))
        pair.server.inform(server, ResponseHead(101))
        pair.server.inform(server, ResponseHead(103))
        pair.server.respond(server, .ok(), body: .none)
        pair.server.inform(server, ResponseHead(103))
        pair.client.finish(stream)
        try pair.run()
        #expect(
            pair.atClient.log == ["informational 1 100", "informational 1 103", "response 1 200 end", "closed 1 0"])
    }

    // MARK: Ends

    @Test func `an answer before the request has ended stops the request`() throws {
        let pair = try SessionPair()
        let stream = try pair.client.submitRequest(.chat(), scheme: "https", body: .unknown)
        try pair.run()
        pair.server.respond(try #require(pair.atServer.streams[stream.number]), ResponseHead(413), body: .none)
        try pair.run()
        #expect(pair.atClient.log == ["response 1 413 end", "closed 1 0"])
        #expect(pair.atServer.closings[1] == .noError)
        pair.client.send("more".utf8Span.span, on: stream)
        pair.client.finish(stream)
        try pair.run()
        #expect(pair.atServer.log == ["request 1 POST /v1/chat/completions", "closed 1 0"])
    }

    @Test func `a body shorter than declared never looks finished`() throws {
        let pair = try SessionPair()
        let stream = try pair.client.submitRequest(.get("/"), scheme: "https", body: .none)
        try pair.run()
        let server = try #require(pair.atServer.streams[stream.number])
        pair.server.respond(server, .ok(), body: .known(10))
        pair.server.send("short".utf8Span.span, on: server)
        pair.server.finish(server)
        try pair.run()
        #expect(pair.atClient.closings[1] == .internalError)
        #expect(!pair.atClient.log.contains("ended 1"))
    }

    @Test func `a body longer than declared resets the stream`() throws {
        let pair = try SessionPair()
        let stream = try pair.client.submitRequest(.get("/"), scheme: "https", body: .none)
        try pair.run()
        let server = try #require(pair.atServer.streams[stream.number])
        pair.server.respond(server, .ok(), body: .known(2))
        pair.server.send("long".utf8Span.span, on: server)
        try pair.run()
        #expect(pair.atClient.closings[1] == .internalError)
    }

    @Test func `a reset ends a stream for both, and no other`() throws {
        let pair = try SessionPair()
        echo(pair)
        let doomed = try pair.client.submitRequest(.chat(), scheme: "https", body: .unknown)
        try pair.run()
        pair.client.reset(doomed, .cancel)
        let good = try post(pair, "hello")
        try pair.run()
        #expect(pair.atClient.closings[doomed.number] == .cancel)
        #expect(pair.atServer.closings[doomed.number] == .cancel)
        #expect(pair.atClient.body(good.number) == "hello")
    }

    @Test func `a stream that was reset before it was sent never reaches the wire`() throws {
        let pair = try SessionPair()
        try pair.run()
        let stream = try pair.client.submitRequest(.get("/"), scheme: "https", body: .none)
        pair.client.reset(stream, .cancel)
        try pair.run()
        #expect(pair.atClient.closings[stream.number] == .cancel)
        #expect(pair.atServer.log.isEmpty)
        #expect(pair.server.failure == nil)
    }

    @Test func `what is asked of a closed stream is ignored, also when its place is taken`() throws {
        let pair = try SessionPair()
        echo(pair)
        let old = try post(pair, "old")
        try pair.run()
        let new = try pair.client.submitRequest(.chat(), scheme: "https", body: .unknown)
        pair.client.send("wrong".utf8Span.span, on: old)
        pair.client.finish(old)
        pair.client.reset(old, .cancel)
        pair.client.consumed(10, on: old)
        #expect(pair.client.outboundByteCount(of: old) == 0)
        pair.client.send("right".utf8Span.span, on: new)
        pair.client.finish(new)
        try pair.run()
        #expect(pair.atClient.body(new.number) == "right")
    }

    // MARK: The connection's end

    @Test func `a server that drains serves what was sent and tells when it is done`() throws {
        let pair = try SessionPair()
        echo(pair)
        let first = try post(pair, "first")
        try pair.move(from: pair.client, pair.atClient, to: pair.server, pair.atServer)
        pair.server.drain()
        let crossing = try pair.client.submitRequest(.chat(), scheme: "https", body: .unknown)
        #expect(!pair.server.isFinished)
        try pair.run()
        #expect(
            pair.atClient.log.filter { $0.hasPrefix("goAway") } == [
                "goAway \(Int32.max) 0", "goAway \(crossing.number) 0",
            ])
        #expect(!pair.client.canOpenStream)
        #expect(throws: HTTP2SubmitError.closing) {
            try pair.client.submitRequest(.get("/"), scheme: "https", body: .none)
        }
        #expect(pair.atClient.body(first.number) == "first")
        #expect(!pair.server.isFinished)
        pair.client.send("late".utf8Span.span, on: crossing)
        pair.client.finish(crossing)
        try pair.run()
        #expect(pair.atClient.body(crossing.number) == "late")
        #expect(pair.server.isFinished)
        #expect(pair.client.isFinished)
        #expect(pair.server.failure == nil)
    }

    @Test func `the second call to drain does not wait for the peer`() throws {
        let peer = try RawPeer()
        peer.send { $0.headers(1, FrameWriter.get()) }
        peer.session.drain()
        peer.read()
        peer.session.drain()
        peer.session.drain()
        peer.read()
        let goAways = peer.frames.filter { $0.type == 7 }
        #expect(goAways.map { $0.number(at: 0) } == [UInt32(Int32.max), 1])
        peer.send { $0.headers(3, FrameWriter.get()) }
        #expect(peer.recorder.requests[3] == nil)
        peer.session.respond(peer.recorder.streams[1]!, ResponseHead(204), body: .none)
        peer.read()
        #expect(peer.session.isFinished)
    }

    @Test func `a client that drains opens no more streams and ends with the last`() throws {
        let pair = try SessionPair()
        echo(pair)
        let stream = try post(pair, "last")
        pair.client.drain()
        #expect(throws: HTTP2SubmitError.closing) {
            try pair.client.submitRequest(.get("/"), scheme: "https", body: .none)
        }
        try pair.run()
        #expect(pair.atClient.body(stream.number) == "last")
        #expect(pair.client.isFinished)
    }

    @Test func `streams above the last one that GOAWAY names may be sent again`() throws {
        let peer = try RawPeer(role: .client)
        let streams = try (0..<3).map { _ in try peer.session.submitRequest(.get("/"), scheme: "https", body: .none) }
        peer.read()
        peer.send { $0.goAway(last: 1, code: 0) }
        #expect(peer.recorder.log.first == "goAway 1 0")
        #expect(peer.recorder.closings[streams[0].number] == nil)
        #expect(peer.recorder.closings[streams[1].number]?.meansNotProcessed == true)
        #expect(peer.recorder.closings[streams[2].number]?.meansNotProcessed == true)
        peer.send { $0.headers(1, [(":status", "200")]) }
        #expect(peer.recorder.closings[streams[0].number] == .noError)
        #expect(peer.session.isFinished)
    }

    @Test func `a refused stream may be sent again`() throws {
        let peer = try RawPeer(role: .client)
        _ = try peer.session.submitRequest(.get("/"), scheme: "https", body: .none)
        peer.read()
        peer.send { $0.reset(1, 7) }
        #expect(peer.recorder.closings[1]?.meansNotProcessed == true)
        #expect(peer.session.canOpenStream)
    }

    @Test func `a lost connection closes every stream, and tells which were never sent`() throws {
        let pair = try SessionPair()
        let sent = try pair.client.submitRequest(.get("/"), scheme: "https", body: .none)
        try pair.run()
        let unsent = try pair.client.submitRequest(.get("/"), scheme: "https", body: .none)
        pair.client.connectionLost(for: pair.atClient)
        #expect(pair.atClient.closings[sent.number] == .cancel)
        #expect(pair.atClient.closings[unsent.number]?.meansNotProcessed == true)
        #expect(pair.client.isFinished)
        #expect(!pair.client.wantsToSend)
        #expect(!pair.client.canOpenStream)
        let queue = ByteQueue()
        pair.client.flush(into: queue, upTo: 1000, for: pair.atClient)
        #expect(queue.isEmpty)
    }

    @Test func `a client opens as many streams as the server allows`() throws {
        var limits = HTTP2Limits()
        limits.concurrentStreams = 2
        let pair = try SessionPair(server: limits)
        try pair.run()
        #expect(pair.client.peerConcurrentStreams == 2)
        let first = try pair.client.submitRequest(.get("/"), scheme: "https", body: .none)
        _ = try pair.client.submitRequest(.get("/"), scheme: "https", body: .none)
        #expect(!pair.client.canOpenStream)
        #expect(throws: HTTP2SubmitError.noFreeStream) {
            try pair.client.submitRequest(.get("/"), scheme: "https", body: .none)
        }
        pair.client.reset(first, .cancel)
        try pair.run()
        #expect(pair.client.canOpenStream)
    }

    @Test func `a ping is heard of when it is answered`() throws {
        let pair = try SessionPair()
        pair.client.ping(77)
        try pair.run()
        #expect(pair.atClient.log == ["acknowledged 77"])
    }

    @Test func `a request without a name for its method is not sent`() throws {
        let pair = try SessionPair()
        var head = RequestHead.get("/")
        head.method = .connect
        #expect(throws: HTTP2SubmitError.unknownMethod) {
            try pair.client.submitRequest(head, scheme: "https", body: .none)
        }
        #expect(pair.client.openStreamCount == 0)
    }

    // MARK: From inside a delegate

    @Test func `everything may be done from inside a delegate's method`() throws {
        let pair = try SessionPair()
        let queue = ByteQueue()
        pair.atServer.onRequest = { [unowned pair] stream, _ in
            pair.server.flush(into: queue, upTo: 1000, for: pair.atServer)
            pair.server.respond(stream, .ok(), body: .unknown)
            pair.server.send("x".utf8Span.span, on: stream)
            pair.server.reset(stream, .internalError)
            pair.server.drain()
        }
        pair.atClient.onClosed = { [unowned pair] _ in
            _ = try? pair.client.submitRequest(.get("/again"), scheme: "https", body: .none)
            pair.client.drain()
        }
        let stream = try pair.client.submitRequest(.chat(), scheme: "https", body: .unknown)
        try pair.run()
        #expect(queue.isEmpty)
        #expect(pair.atClient.closings[stream.number] == .internalError)
        #expect(!pair.atClient.log.contains { $0.hasPrefix("response") })
    }

    @Test func `a connection may be given up from inside a delegate's method`() throws {
        let peer = try RawPeer()
        peer.recorder.onRequest = { [unowned peer] stream, _ in
            if stream.number == 3 { peer.session.connectionLost(for: peer.recorder) }
        }
        peer.send { for stream in [UInt32(1), 3, 5] { $0.headers(stream, FrameWriter.get()) } }
        #expect(peer.recorder.log.map { $0.prefix(9) } == ["request 1", "request 3", "closed 1 ", "closed 3 "])
        #expect(peer.error == .connectionLost)
        #expect(peer.session.isFinished)
        #expect(peer.session.openStreamCount == 0)
    }

    @Test func `a delegate may let go of the session while it is being told`() throws {
        final class Holder: HTTP2SessionDelegate {
            var session: HTTP2Session?
            var closed = 0
            func received(request head: consuming RequestHead, on stream: StreamID, isEnd: Bool) {
                session?.respond(stream, ResponseHead(204), body: .none)
                session = nil
            }
            func received(body bytes: Span<UInt8>, on stream: StreamID) { session = nil }
            func ended(_ stream: StreamID, trailers: consuming HeaderFields?) { session = nil }
            func refused(_ stream: StreamID, _ refusal: HTTP2Refusal) { session = nil }
            func closed(_ stream: StreamID, _ code: HTTP2ErrorCode) {
                closed += 1
                session = nil
            }
        }
        let holder = Holder()
        holder.session = try HTTP2Session(role: .server)
        weak let watched = holder.session
        var writer = FrameWriter()
        writer.raw(FrameWriter.preface)
        writer.settings()
        for stream in 0..<5 { writer.headers(UInt32(2 * stream + 1), FrameWriter.get()) }
        writer.reset(3)
        try holder.session?.receive(writer.bytes.span, at: Instant(nanoseconds: 1), for: holder)
        #expect(holder.closed == 1)
        #expect(watched == nil)
    }
}
