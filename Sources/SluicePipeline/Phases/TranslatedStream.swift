internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluiceProviders
internal import SluiceUpstream

/// Cuts a provider's stream into documents and has them decoded.
///
/// A document that is not JSON is left out and counted: one malformed event does not end an answer (theme 3.3).
struct StreamDecoding {
    private let decoder: any ReplyDecoder
    private let sink: any ReplySink
    private let framing: StreamFraming
    private var parser: EventParser
    private var frames: EventStreamParser
    private(set) var malformedCount = 0
    private(set) var eventCount = 0

    init(_ translation: Translation, into sink: any ReplySink, eventBytesMax: Int) {
        decoder = translation.decoder
        self.sink = sink
        framing = translation.dialect.framing
        parser = EventParser(eventBytesMax: eventBytesMax)
        frames = Self.frameParser(payloadBytesMax: eventBytesMax)
    }

    private static func frameParser(payloadBytesMax: Int) -> EventStreamParser {
        var limits = EventStreamLimits()
        limits.payloadBytesMax = payloadBytesMax
        return EventStreamParser(limits: limits)
    }

    mutating func received(_ bytes: Span<UInt8>, tape: JSONTape) throws(UpstreamError) {
        if case .amazonEventStream = framing { return try receivedFrames(bytes, tape) }
        // Out of the struct while it is used: what it hands out is borrowed from it.
        var parser = EventParser()
        swap(&parser, &self.parser)
        defer { swap(&parser, &self.parser) }
        var offset = 0
        do throws(EventParser.EventTooLong) {
            while let event = try parser.next(in: bytes, at: &offset) {
                if event.kind != .message {
                    if event.kind == .fields { decode(bare: parser.raw(event, in: bytes), tape) }
                    continue
                }
                decode(parser.data(of: event, in: bytes), named: parser.name(of: event, in: bytes), tape)
            }
        } catch {
            throw UpstreamError(.tooLarge, "an event of its stream is longer than \(error.bytesMax) bytes")
        }
    }

    private mutating func decode(_ data: Span<UInt8>, named name: Span<UInt8>, _ tape: JSONTape) {
        if data.hasPrefix("[DONE]") { return decoder.done(into: sink) }
        do throws(JSONError) {
            try tape.scan(data)
        } catch {
            malformedCount += 1
            return
        }
        eventCount += 1
        decoder.decode(event: tape.root(over: data), named: name, into: sink)
    }

    /// Lines that are no event's: Google puts errors into its streams as JSON text (section 6 of the Gemini sheet).
    private mutating func decode(bare text: Span<UInt8>, _ tape: JSONTape) {
        if text.isEmpty || text[0] != UInt8(ascii: "{") && text[0] != UInt8(ascii: "[") { return }
        if (try? tape.scan(text)) == nil { return }
        decoder.decode(event: tape.root(over: text), named: text.extracting(0..<0), into: sink)
    }

    // MARK: Amazon's framing

    private mutating func receivedFrames(_ bytes: Span<UInt8>, _ tape: JSONTape) throws(UpstreamError) {
        var frames = EventStreamParser()
        swap(&frames, &self.frames)
        defer { swap(&frames, &self.frames) }
        var offset = 0
        do throws(EventStreamError) {
            while let frame = try frames.next(in: bytes, at: &offset) {
                let payload = frames.payload(of: frame, in: bytes)
                let type = frames.messageType(of: frame, in: bytes)
                if type.equals("exception") {
                    decode(failure: frames.exceptionType(of: frame, in: bytes), payload, tape)
                } else if type.equals("error") {
                    let code = frames.header(":error-code", of: frame, in: bytes)?.string
                    let message = frames.header(":error-message", of: frame, in: bytes)?.string
                    decode(error: code, message, tape)
                } else {
                    decode(payload, named: frames.eventType(of: frame, in: bytes), tape)
                }
            }
        } catch {
            throw UpstreamError(.malformed, "its event stream is broken: \(error)")
        }
    }

    /// An exception: its document, under its type's name.
    private mutating func decode(failure name: Span<UInt8>, _ payload: Span<UInt8>, _ tape: JSONTape) {
        if (try? tape.scan(payload)) == nil { return decode(error: name, payload, tape) }
        decoder.decode(event: tape.root(over: payload), named: name, into: sink)
    }

    /// A failure that has no document gets one.
    private mutating func decode(error code: Span<UInt8>?, _ message: Span<UInt8>?, _ tape: JSONTape) {
        let document = ByteBuffer(capacity: 128)
        var json = JSONWriter(into: document)
        json.beginObject()
        json.key("__type")
        if let code { json.string(code) } else { json.string("InternalFailure") }
        json.key("message")
        if let message { json.string(message) } else { json.string("") }
        json.endObject()
        if (try? tape.scan(document.span)) == nil { return }
        decoder.decode(event: tape.root(over: document.span), named: document.span.extracting(0..<0), into: sink)
    }

    // MARK: The end

    /// The provider's message is complete as HTTP; whether the answer is, its events say.
    mutating func end(tape: JSONTape) throws(UpstreamError) {
        let isInside = parser.isInsideEvent || frames.isInsideFrame
        var parser = EventParser()
        swap(&parser, &self.parser)
        let nothing = ByteBuffer(capacity: 16)
        if let event = parser.unfinished(), event.kind == .fields { decode(bare: parser.raw(event, in: nothing.span), tape) }
        let isComplete = decoder.end(into: sink)
        if !isComplete {
            let what = isInside ? "within an event" : "without saying that the answer is complete"
            throw UpstreamError(.closedInBody, "its stream ended \(what)")
        }
    }
}

/// Writes a provider's stream as the stream of another dialect, event by event.
///
/// The response's head waits for the first content, so that a stream that begins with an error becomes a response with a status; a
/// long silence before it ends the wait.
final class TranslatedStream: RelayedStream {
    private let context: RequestContext
    private let exchange: DownstreamExchange
    private let upstream: UpstreamExchange
    private let translation: Translation
    private let writer: any StreamWriter
    private let tape: JSONTape
    private var decoding: StreamDecoding
    private var keepAlive: StreamKeepAlive?
    private var failure: UpstreamError?

    init(
        _ context: RequestContext, from upstream: UpstreamExchange, _ translation: Translation, _ writer: any StreamWriter,
        tape: JSONTape
    ) {
        self.context = context
        self.upstream = upstream
        self.translation = translation
        self.writer = writer
        self.tape = tape
        exchange = context.exchange
        decoding = StreamDecoding(translation, into: writer, eventBytesMax: context.snapshot.limits.eventBytesMax)
        exchange.onDrained = { [unowned upstream] in upstream.resume() }
        keepAlive = StreamKeepAlive(exchange, after: context.snapshot.timeouts.keepAliveComment) { [unowned self] in
            sendHead()
        }
    }

    func start(_ onEnd: @escaping (UpstreamError?) -> Void) { upstream.relay(to: self, onEnd: onEnd) }

    func received(_ bytes: Span<UInt8>) {
        if failure != nil { return }
        do throws(UpstreamError) {
            try decoding.received(bytes, tape: tape)
            try deliver()
        } catch {
            failure = error
            upstream.cancel(error)
        }
        if exchange.isCongested { upstream.pause() }
    }

    /// A reply that came whole.
    func take(whole body: ByteBuffer) throws(UpstreamError) {
        let tape = tape
        translation.decoder.decode(whole: tape.root(over: body.span), into: writer)
        try deliver()
        finish()
    }

    func end() throws(UpstreamError) {
        if let failure { throw failure }
        try decoding.end(tape: tape)
        try deliver()
        finish()
    }

    private func finish() {
        writer.finishStream()
        flush()
        exchange.finish()
    }

    /// Sends what was written, once there is something to notice in it.
    private func deliver() throws(UpstreamError) {
        if let fault = writer.fault { throw context.reported(fault) }
        if writer.hasContent || exchange.isHeadSent { flush() }
    }

    private func flush() {
        let output = writer.output
        if output.isEmpty { return }
        sendHead()
        keepAlive?.noteSent()
        exchange.send(output.span)
        output.removeAll()
    }

    private func sendHead() {
        if exchange.isHeadSent { return }
        context.status = 200
        context.isInStream = true
        context.firstByteAt = exchange.loop.now
        exchange.sendHead(ReplyFormat.streamHead(context), body: .unknown)
    }

    func stop() {
        context.usage = writer.usage
        context.malformedEvents = decoding.malformedCount
        keepAlive?.stop()
    }
}

/// Collects a provider's stream for an application that wants the answer whole.
final class AssembledStream: BodySink {
    private let context: RequestContext
    private let upstream: UpstreamExchange
    private let reply: ReplyAssembly
    private let byteCountMax: Int
    private let tape: JSONTape
    private var decoding: StreamDecoding
    private var failure: UpstreamError?

    init(
        _ context: RequestContext, from upstream: UpstreamExchange, _ translation: Translation, _ reply: ReplyAssembly,
        tape: JSONTape
    ) {
        self.context = context
        self.upstream = upstream
        self.reply = reply
        self.tape = tape
        byteCountMax = context.snapshot.limits.bodyBytesMax
        decoding = StreamDecoding(translation, into: reply, eventBytesMax: context.snapshot.limits.eventBytesMax)
    }

    func received(_ bytes: Span<UInt8>) {
        if failure != nil { return }
        do throws(UpstreamError) {
            try decoding.received(bytes, tape: tape)
            if let fault = reply.fault { throw context.reported(fault) }
            if reply.byteCount > byteCountMax {
                throw UpstreamError(.tooLarge, "its answer is longer than \(byteCountMax) bytes")
            }
        } catch {
            failure = error
            upstream.cancel(error)
        }
    }

    func end() throws(UpstreamError) {
        if let failure { throw failure }
        try decoding.end(tape: tape)
    }
}
