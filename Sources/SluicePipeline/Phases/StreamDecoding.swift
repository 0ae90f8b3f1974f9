internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceProviders
internal import SluiceUpstream

/// Cuts a provider's stream into documents and has them decoded.
///
/// A document that is not JSON is left out and counted: one malformed event does not end an answer (theme 3.3).
struct StreamDecoding {
    private enum Cutter {
        case events(EventParser)
        case frames(EventStreamParser)
        case messages(WebSocketFrameParser, WebSocketLife)
    }

    private let decoder: any ReplyDecoder
    private let sink: any ReplySink
    private var cutter: Cutter
    private(set) var malformedCount = 0

    init(_ translation: Translation, into sink: any ReplySink, eventBytesMax: Int) {
        decoder = translation.decoder
        self.sink = sink
        cutter =
            switch translation.dialect.framing {
            case .serverSentEvents: .events(EventParser(eventBytesMax: eventBytesMax))
            case .amazonEventStream:
                .frames(EventStreamParser(limits: EventStreamLimits(payloadBytesMax: eventBytesMax)))
            case .webSocketMessages: .messages(WebSocketFrameParser(messageBytesMax: eventBytesMax), WebSocketLife())
            }
    }

    /// Whether the answer is complete although the connection goes on.
    var isOver: Bool { if case .messages = cutter { decoder.isComplete } else { false } }

    /// - Parameter upstream: for what a protocol wants answered at once.
    mutating func received(_ bytes: Span<UInt8>, from upstream: UpstreamExchange, tape: JSONTape) throws(UpstreamError)
    {
        // Out of the struct while it is used: what it hands out is borrowed from it.
        var cutter = Cutter.events(EventParser())
        swap(&cutter, &self.cutter)
        defer { swap(&cutter, &self.cutter) }
        switch cutter {
        case .events(var parser):
            cutter = .events(EventParser())
            defer { cutter = .events(parser) }
            try readEvents(bytes, &parser, tape)
        case .frames(var parser):
            cutter = .events(EventParser())
            defer { cutter = .frames(parser) }
            try readFrames(bytes, &parser, tape)
        case .messages(var parser, var life):
            cutter = .events(EventParser())
            defer { cutter = .messages(parser, life) }
            try readMessages(bytes, &parser, &life, upstream, tape)
        }
    }

    private mutating func readEvents(_ bytes: Span<UInt8>, _ parser: inout EventParser, _ tape: JSONTape)
        throws(UpstreamError)
    {
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

    private mutating func readFrames(
        _ bytes: Span<UInt8>, _ parser: inout EventStreamParser, _ tape: JSONTape
    ) throws(UpstreamError) {
        var offset = 0
        do throws(EventStreamError) {
            while let frame = try parser.next(in: bytes, at: &offset) {
                let data = parser.payload(of: frame, in: bytes)
                let type = parser.messageType(of: frame, in: bytes)
                if type.equals("exception") {
                    decode(failure: parser.exceptionType(of: frame, in: bytes), data, tape)
                } else if type.equals("error") {
                    let code = parser.header(":error-code", of: frame, in: bytes)?.string
                    let message = parser.header(":error-message", of: frame, in: bytes)?.string
                    decode(error: code, message, tape)
                } else {
                    decode(data, named: parser.eventType(of: frame, in: bytes), tape)
                }
            }
        } catch {
            throw UpstreamError(.malformed, "its event stream is damaged: \(error)")
        }
    }

    private mutating func readMessages(
        _ bytes: Span<UInt8>, _ parser: inout WebSocketFrameParser, _ life: inout WebSocketLife,
        _ upstream: UpstreamExchange,
        _ tape: JSONTape
    ) throws(UpstreamError) {
        var offset = 0
        do throws(WebSocketError) {
            while let event = try parser.next(in: bytes, at: &offset) {
                switch life.received(event.kind) {
                case .deliver: decode(parser.payload(of: event, in: bytes), named: "".utf8Span.span, tape)
                case .sendPong:
                    let pong = ByteBuffer(capacity: 160)
                    WebSocketFrameWriter.pong(
                        parser.payload(of: event, in: bytes), mask: .random(in: 0 ... .max), into: pong)
                    upstream.post(pong)
                case .sendClose(let code), .sendCloseAndEnd(let code): Self.close(upstream, code)
                case .nothing, .endConnection: break
                }
            }
        } catch {
            if case .sendCloseAndEnd(let code) = life.failed(error) { Self.close(upstream, code) }
            throw UpstreamError(.malformed, "its WebSocket is damaged: \(error)")
        }
        // Some servers leave the end of the connection to us.
        if life.state == .closed, !decoder.isComplete {
            throw UpstreamError(.closedInBody, "it closed its WebSocket before the answer was complete")
        }
    }

    /// Says it once: nothing may be sent after it.
    private static func close(_ upstream: UpstreamExchange, _ code: WebSocketCloseCode?) {
        let close = ByteBuffer(capacity: 16)
        WebSocketFrameWriter.close(code, mask: .random(in: 0 ... .max), into: close)
        upstream.post(close)
        upstream.farewell = nil
    }

    /// Lines that are no event's: Google puts errors into its streams as JSON text (section 6 of the Gemini sheet).
    private mutating func decode(bare text: Span<UInt8>, _ tape: JSONTape) {
        if text.isEmpty || text[0] != UInt8(ascii: "{") && text[0] != UInt8(ascii: "[") { return }
        if (try? tape.scan(text)) == nil { return }
        decoder.decode(event: tape.root(over: text), named: text.extracting(0..<0), into: sink)
    }

    /// An exception within Amazon's framing: its document, under its type's name.
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

    private mutating func decode(_ data: Span<UInt8>, named name: Span<UInt8>, _ tape: JSONTape) {
        if data.hasPrefix("[DONE]") { return decoder.done(into: sink) }
        do throws(JSONError) {
            try tape.scan(data)
        } catch {
            malformedCount += 1
            return
        }
        decoder.decode(event: tape.root(over: data), named: name, into: sink)
    }

    /// The provider's message is complete as HTTP; whether the answer is, its events say.
    mutating func end(tape: JSONTape) throws(UpstreamError) {
        if case .events(var parser) = cutter, let event = parser.unfinished(), event.kind == .fields {
            let nothing = ByteBuffer(capacity: 16)
            decode(bare: parser.raw(event, in: nothing.span), tape)
        }
        if decoder.end(into: sink) { return }
        throw UpstreamError(.closedInBody, "its stream ended without saying that the answer is complete")
    }
}
