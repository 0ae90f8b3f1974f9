internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders
internal import SluiceUpstream

/// Relays a stream of events as they arrive: untouched runs in one write, each event looked at on the way.
///
/// Nothing goes out before the answer begins: a provider that fails until then has never been asked, as far as the application can
/// tell. A long silence sends the response's head and a comment, and still nothing of the answer.
final class StreamRelay<Inspector: StreamInspector>: RelayedStream {
    private let context: RequestContext
    private let exchange: DownstreamExchange
    private let upstream: UpstreamExchange
    private var head: ResponseHead
    private let tape: JSONTape
    private var parser: EventParser
    private var inspector: Inspector
    private var watch: StreamWatch?
    private var failure: UpstreamError?
    /// The answer has begun, or more has come than is held back: what comes goes out from now on.
    private var isOpen = false
    /// Events that came before.
    private var held: ByteBuffer?
    private var heldEventCount = 0
    private var heldByteCount = 0
    /// Events that said something, when the watch was last told.
    private var notedCount = 0

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
        context.rescue = Rescue.make(context, isTranslated: false)
        self.inspector.record = context.rescue?.record
        exchange.onDrained = { [unowned upstream] in upstream.resume() }
        watch = StreamWatch(context, upstream) { [unowned self] in
            sendHead()
        } late: { [unowned self] error in
            fail(error)
        }
    }

    func start(_ onEnd: @escaping (UpstreamError?) -> Void) {
        // What the stream has said counts for more than that it was cut off after it.
        upstream.relay(to: self) { [self] ended in onEnd(failure ?? ended) }
    }

    // MARK: Events

    func received(_ bytes: Span<UInt8>) {
        if failure != nil { return }
        if let drain = context.drain, !drain.takes(bytes.count) { return fail(StreamDrain.over) }
        read(bytes)
        if inspector.eventCount - inspector.blankCount != notedCount { noteContent() }
        if exchange.isCongested, context.drain == nil { upstream.pause() }
    }

    private func read(_ bytes: Span<UInt8>) {
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
                    event.kind == .message ? look(at: parser.data(of: event, in: bytes)) : .forward
                if !isOpen, failure == nil { note(event) }
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
            flush(bytes, start, end)
            return fail(UpstreamError(.tooLarge, "an event of its stream is longer than \(error.bytesMax) bytes"))
        }
        flush(bytes, start, end)
    }

    /// An event came while nothing had gone out.
    private func note(_ event: EventParser.Event) {
        let limits = context.snapshot.streams.rescue
        heldEventCount += 1
        heldByteCount += event.range.count
        isOpen =
            inspector.hasBegun || heldEventCount > limits.heldEventCountMax
            || heldByteCount > limits.heldByteCountMax
    }

    private func noteContent() {
        if notedCount == 0 {
            context.attempt.noteAnswered(by: inspector.model)
            watch?.chunkTimes = context.metrics?.chunkTimes(context)
        }
        notedCount = inspector.eventCount - inspector.blankCount
        watch?.noteContent()
        // What cannot be compared, or is too long to be kept, needs no request to be kept for it.
        if let rescue = context.rescue, rescue.record.isLost {
            inspector.record = nil
            context.giveUpRescue()
        }
    }

    private func look(at data: Span<UInt8>) -> StreamVerdict {
        let verdict = inspector.inspect(data, with: tape)
        guard verdict == .error else { return verdict }
        let tape = tape
        // The tape holds the event: nothing that was learned by heart is an error.
        let root = tape.root(over: data)
        if context.dialectOfErrors != nil || !isOpen || context.rescue != nil {
            if let fault = fault(in: root) {
                fail(context.reported(fault))
                return .drop
            }
        }
        if isOpen { return .forward }
        // Nothing has gone out: the provider's failure can still be told as what it is.
        fail(UpstreamError(.malformed, "its stream began with an error: " + Self.message(root)))
        return .drop
    }

    private func fault(in event: JSONValue) -> ProviderFault? {
        if context.dialect == .openAI, let fault = context.attempt.provider?.adaptation.errors.inBand(event) { return fault }
        return inspector.fault(in: event)
    }

    private static func message(_ root: JSONValue) -> String {
        let text = root["error"]?["message"]?.string ?? root["message"]?.string ?? "without a message"
        return ProviderError.excerpt(text)
    }

    private func flush(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) {
        if end > start { send(bytes.extracting(start..<end)) }
    }

    private func send(_ bytes: Span<UInt8>) {
        if !isOpen { return hold(bytes) }
        if context.drain != nil { return }
        if !context.hasContentOut { begin() }
        watch?.noteSent()
        exchange.send(bytes)
    }

    private func sendHead() {
        if exchange.isHeadSent { return }
        context.streamBegins(head.status)
        exchange.sendHead(head, body: .unknown)
        head.fields = HeaderFields()
    }

    private func begin() {
        sendHead()
        context.contentBegins()
        if let held { exchange.send(sharing: held) }
        held = nil
    }

    private func hold(_ bytes: Span<UInt8>) {
        let buffer = held ?? ByteBuffer(capacity: bytes.count)
        held = buffer
        buffer.append(bytes)
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
        context.attempt.noteAnswered(by: inspector.model)
        context.attempt.usage = inspector.usage
        context.malformedEvents = inspector.malformedCount
        if parser.isInsideEvent, !inspector.isDone {
            throw UpstreamError(.closedInBody, "its stream ended within an event")
        }
        guard inspector.isComplete else {
            throw UpstreamError(
                .closedInBody, "its stream ended without \(Inspector.ending): the answer is not complete")
        }
        if !isOpen, !inspector.hasBegun { throw TranslatedReply.noAnswer }
        if inspector.hasError { context.outcome = .providerError }
        isOpen = true
        // Nobody is there to be told, and what was not sent is no whole reply.
        if context.drain != nil { return exchange.abort() }
        if !context.hasContentOut { begin() }
        exchange.finish()
    }

    /// For a provider that does not say, or did not get to it: its chunks bring about a token each.
    private var estimate: Usage? {
        let count = inspector.eventCount - inspector.blankCount
        guard context.operation?.hasStreamOptions == true, count > 0, isOpen else { return nil }
        return .estimate(requestByteCount: exchange.receivedByteCount, textByteCount: 4 * count)
    }

    func stop() {
        context.attempt.noteAnswered(by: inspector.model)
        context.attempt.usage =
            inspector.isComplete ? inspector.usage ?? estimate : Usage.ofCut(inspector.usage, estimate)
        context.malformedEvents = inspector.malformedCount
        watch?.stop()
        context.drain?.end()
    }
}
