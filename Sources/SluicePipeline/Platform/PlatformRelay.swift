internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluiceProviders
internal import SluiceUpstream

/// Takes a provider's chat reply to an application that speaks the platform's envelope.
enum PlatformRelay {
    static func relay(
        _ head: ResponseHead, from upstream: UpstreamExchange, _ context: RequestContext, tape: JSONTape
    ) async throws(UpstreamError) {
        if Relaying.isEventStream(head) {
            return context.stream = PlatformStream(context, from: upstream, tape: tape)
        }
        guard let body = try await upstream.collect(atMost: context.snapshot.limits.bodyBytesMax) else {
            throw UpstreamError(.tooLarge, "its reply is too long for an envelope")
        }
        do throws(JSONError) {
            try tape.scan(body.span)
        } catch {
            throw UpstreamError(.malformed, "its reply is not valid JSON: \(error)")
        }
        let (events, version) = OpenAIChatDecoder.decode(tape.root(over: body.span))
        let answer = PlatformAnswer(events, version: version)
        context.usage = answer.usage
        send(answer, context)
    }

    /// Sends a whole answer.
    static func send(_ answer: PlatformAnswer, _ context: RequestContext) {
        let buffer = ByteBuffer(capacity: answer.text.utf8.count + 384)
        var json = JSONWriter(into: buffer)
        PlatformReply.write(answer, context, &json)
        LocalReplies.send(buffer, context)
    }

    static func streamHead(_ context: RequestContext) -> ResponseHead {
        var fields = HeaderFields(reservingBytes: 128, fields: 3)
        fields.append(.contentType, "text/event-stream; charset=utf-8")
        fields.append(.cacheControl, "no-cache")
        fields.append(.xRequestID, context.requestID)
        return ResponseHead(200, fields: fields)
    }
}

/// A streamed chat reply, event by event in the platform's envelope.
final class PlatformStream: RelayedStream {
    private let context: RequestContext
    private let exchange: DownstreamExchange
    private let upstream: UpstreamExchange
    private let tape: JSONTape
    private var parser: EventParser
    /// Every chunk is scanned, since every chunk is read.
    private var inspector = OpenAIStreamInspector(.chatCompletions, showsUsage: true, remembersChunks: false)
    private var keepAlive: StreamKeepAlive?
    private var failure: UpstreamError?

    init(_ context: RequestContext, from upstream: UpstreamExchange, tape: JSONTape) {
        self.context = context
        self.upstream = upstream
        self.tape = tape
        exchange = context.exchange
        parser = EventParser(eventBytesMax: context.snapshot.limits.eventBytesMax)
        exchange.onDrained = { [unowned upstream] in upstream.resume() }
        keepAlive = StreamKeepAlive(exchange, after: context.snapshot.timeouts.keepAliveComment) { [unowned self] in open() }
    }

    func start(_ onEnd: @escaping (UpstreamError?) -> Void) { upstream.relay(to: self, onEnd: onEnd) }

    func received(_ bytes: Span<UInt8>) {
        if failure != nil { return }
        var parser = EventParser()
        swap(&parser, &self.parser)
        defer { swap(&parser, &self.parser) }
        var offset = 0
        do throws(EventParser.EventTooLong) {
            while let event = try parser.next(in: bytes, at: &offset) {
                if event.kind == .message { translate(parser.data(of: event, in: bytes)) }
                if failure != nil { return }
            }
        } catch {
            fail(UpstreamError(.tooLarge, "an event of its stream is longer than \(error.bytesMax) bytes"))
        }
        if exchange.isCongested { upstream.pause() }
    }

    private func translate(_ data: Span<UInt8>) {
        let tape = tape
        switch inspector.inspect(data, with: tape) {
        case .malformed, .drop: return
        case .error:
            let message = tape.root(over: data)["error"]?["message"]?.string ?? "without a message"
            return fail(UpstreamError(.malformed, "its stream has an error: \(ProviderError.excerpt(message))"))
        case .forward, .withoutUsage: break
        }
        if inspector.isDone { return }
        let (events, version) = OpenAIChatDecoder.decode(chunk: tape.root(over: data))
        let delta = PlatformAnswer(events, version: version)
        if delta.isEmpty { return }
        send(delta)
    }

    private func send(_ delta: PlatformAnswer) {
        open()
        keepAlive?.noteSent()
        exchange.send(PlatformEvent.delta(delta, context).span)
    }

    private func open() {
        if exchange.isHeadSent { return }
        context.status = 200
        context.isInStream = true
        context.firstByteAt = exchange.loop.now
        exchange.sendHead(PlatformRelay.streamHead(context), body: .unknown)
    }

    func stop() {
        context.usage = inspector.usage
        context.malformedEvents = inspector.malformedCount
        keepAlive?.stop()
    }

    private func fail(_ error: UpstreamError) {
        failure = error
        upstream.cancel(error)
    }

    func end() throws(UpstreamError) {
        if let failure { throw failure }
        guard inspector.isComplete else {
            throw UpstreamError(.closedInBody, "its stream ended without a finish reason or [DONE]: the answer is not complete")
        }
        if !exchange.isHeadSent { send(PlatformAnswer()) }
        exchange.send(PlatformEvent.done.span)
        exchange.finish()
    }
}

/// The events of a streamed envelope.
enum PlatformEvent {
    static func delta(_ delta: PlatformAnswer, _ context: RequestContext) -> ByteBuffer {
        let data = ByteBuffer(capacity: delta.text.utf8.count + 256)
        var json = JSONWriter(into: data)
        PlatformReply.writeDelta(delta, context, &json)
        let event = ByteBuffer(capacity: data.count + 16)
        EventWriter.data(data.span, into: event)
        return event
    }

    static var done: ByteBuffer { ByteBuffer("data: [DONE]\n\n") }
}
