internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluiceProviders
internal import SluiceUpstream

/// Relays a stream of events as they arrive: untouched runs in one write, each event looked at on the way.
///
/// The response's head waits for the first event, so that a stream that begins with an error becomes a response with a status; a
/// long silence before it ends the wait.
final class StreamRelay<Inspector: StreamInspector>: RelayedStream {
    private let context: RequestContext
    private let exchange: DownstreamExchange
    private let upstream: UpstreamExchange
    private var head: ResponseHead
    private let tape: JSONTape
    private var parser: EventParser
    private var inspector: Inspector
    private var keepAlive: StreamKeepAlive?
    private var failure: UpstreamError?
    /// Whether an event has come that is no error, and says more than that the stream begins.
    private var hasMessage = false
    private var held: ByteBuffer?
    private static var heldBytesMax: Int { 4096 }

    init(
        _ context: RequestContext, from upstream: UpstreamExchange, head: ResponseHead, through inspector: Inspector,
        tape: JSONTape
    ) {
        self.context = context
        self.upstream = upstream
        self.head = head
        self.tape = tape
        exchange = context.exchange
        parser = EventParser(eventBytesMax: context.snapshot.limits.eventBytesMax)
        self.inspector = inspector
        exchange.onDrained = { [unowned upstream] in upstream.resume() }
        keepAlive = StreamKeepAlive(context, after: context.snapshot.timeouts.keepAliveComment) { [unowned self] in
            if !exchange.isHeadSent { sendHead() }
        }
    }

    func start(_ onEnd: @escaping (UpstreamError?) -> Void) { upstream.relay(to: self, onEnd: onEnd) }

    // MARK: Events

    func received(_ bytes: Span<UInt8>) {
        if failure != nil { return }
        // Out of the object while it is used: what it hands out is borrowed from it.
        var parser = EventParser()
        swap(&parser, &self.parser)
        defer { swap(&parser, &self.parser) }
        var offset = 0
        var start = 0
        var end = 0
        do throws(EventParser.EventTooLong) {
            while let event = try parser.next(in: bytes, at: &offset) {
                let verdict =
                    event.kind == .message
                    ? look(at: parser.data(of: event, in: bytes), isFirst: !hasMessage) : .forward
                if event.kind == .message, failure == nil { hasMessage = inspector.hasBegun }
                if verdict == .forward {
                    if event.isCarried {
                        send(parser.raw(event, in: bytes))
                        start = offset
                    } else if end != event.range.lowerBound {
                        flush(bytes, start, end)
                        start = event.range.lowerBound
                    }
                    end = offset
                    continue
                }
                flush(bytes, start, end)
                start = offset
                end = offset
                if verdict == .withoutUsage { sendWithoutUsage(parser.data(of: event, in: bytes)) }
                if failure != nil { return }
            }
        } catch {
            return fail(UpstreamError(.tooLarge, "an event of its stream is longer than \(error.bytesMax) bytes"))
        }
        flush(bytes, start, end)
        if exchange.isCongested { upstream.pause() }
    }

    /// - Parameter isFirst: no event came before it.
    private func look(at data: Span<UInt8>, isFirst: Bool) -> StreamVerdict {
        let verdict = inspector.inspect(data, with: tape)
        guard verdict == .error else { return verdict }
        let tape = tape
        // The tape holds the event: nothing that was learned by heart is an error.
        if context.dialectOfErrors != nil, let fault = context.attempt.provider?.adaptation.errors.inBand(tape.root(over: data))
        {
            fail(context.reported(fault))
            return .drop
        }
        if exchange.isHeadSent || !isFirst { return .forward }
        // Nothing has gone out: the provider's failure can still be told as what it is.
        if let fault = inspector.fault(in: tape.root(over: data)) {
            fail(context.reported(fault))
            return .drop
        }
        fail(UpstreamError(.malformed, "its stream began with an error: " + Self.message(tape, data)))
        return .drop
    }

    private static func message(_ tape: JSONTape, _ data: Span<UInt8>) -> String {
        let root = tape.root(over: data)
        let text = root["error"]?["message"]?.string ?? root["message"]?.string ?? "without a message"
        return ProviderError.excerpt(text)
    }

    private func flush(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) {
        if end > start { send(bytes.extracting(start..<end)) }
    }

    private func send(_ bytes: Span<UInt8>) {
        if !exchange.isHeadSent {
            if !hasMessage, hold(bytes) { return }
            sendHead()
        }
        keepAlive?.noteSent()
        exchange.send(bytes)
    }

    private func sendHead() {
        context.streamBegins(head.status)
        exchange.sendHead(head, body: .unknown)
        head.fields = HeaderFields()
        if let held { exchange.send(sharing: held) }
        held = nil
    }

    /// Comments before the first event wait for it: it may be an error.
    private func hold(_ bytes: Span<UInt8>) -> Bool {
        let buffer = held ?? ByteBuffer(capacity: bytes.count)
        if buffer.count + bytes.count > Self.heldBytesMax { return false }
        held = buffer
        buffer.append(bytes)
        return true
    }

    /// The tape holds the event that was looked at last, unless its pattern was known.
    private func sendWithoutUsage(_ data: Span<UInt8>) {
        if let range = inspector.usageRange(in: data) {
            let event = ByteBuffer(capacity: data.count + 16)
            event.append("data: ")
            event.append(data.extracting(0..<range.lowerBound))
            event.append(data.extracting(range.upperBound...))
            event.append("\n\n")
            return send(event.span)
        }
        let tape = tape
        let root = tape.root(over: data)
        var edits = JSONEdits()
        edits.remove("usage", from: root)
        let event = ByteBuffer(capacity: data.count + 16)
        event.append("data: ")
        edits.splices(over: root).append(to: event, from: data)
        event.append("\n\n")
        send(event.span)
    }

    private func fail(_ error: UpstreamError) {
        if failure != nil { return }
        failure = error
        upstream.cancel(error)
    }

    // MARK: End

    func end() throws(UpstreamError) {
        if let failure { throw failure }
        context.attempt.usage = inspector.usage
        context.malformedEvents = inspector.malformedCount
        if parser.isInsideEvent, !inspector.isDone {
            throw UpstreamError(.closedInBody, "its stream ended within an event")
        }
        guard inspector.isComplete else {
            throw UpstreamError(
                .closedInBody, "its stream ended without \(Inspector.ending): the answer is not complete")
        }
        if inspector.hasError { context.outcome = .providerError }
        if !exchange.isHeadSent { sendHead() }
        exchange.finish()
    }

    /// For a provider that does not say: its chunks bring about a token each.
    private var estimate: Usage? {
        guard context.operation?.hasStreamOptions == true, inspector.eventCount > 0, exchange.isHeadSent else {
            return nil
        }
        return .estimate(requestByteCount: exchange.receivedByteCount, textByteCount: 4 * inspector.eventCount)
    }

    func stop() {
        context.attempt.usage = inspector.usage ?? estimate
        context.malformedEvents = inspector.malformedCount
        keepAlive?.stop()
    }
}

/// How a stream ends that cannot be completed.
enum StreamEnd {
    /// Sends an honest last event and closes so that the end is not taken for a proper one.
    static func fail(_ context: RequestContext, _ rejection: Rejection) {
        if context.exchange.isAbandoned { return context.exchange.abort() }
        context.outcome = .truncated
        context.exchange.send(ErrorReply.event(rejection, context).span)
        context.exchange.abortAfterSending()
    }
}
