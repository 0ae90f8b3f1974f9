internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders
internal import SluiceUpstream

/// Writes a provider's stream as the stream of another dialect, event by event; also what comes after the rescue of a stream, in
/// whichever dialect, under the name of the stream that it goes on with.
///
/// Nothing goes out before the answer begins: a provider that fails until then has never been asked, as far as the application can
/// tell. A long silence sends the response's head and a comment, and still nothing of the answer.
final class TranslatedStream: RelayedStream {
    private let context: RequestContext
    private let exchange: DownstreamExchange
    private let upstream: UpstreamExchange
    private let translation: Translation
    private let writer: any StreamWriter
    /// What stands before the writer, where a rescue is possible or under way.
    private let rescueSink: RescueSink?
    private let tape: JSONTape
    private var decoding: StreamDecoding
    private var watch: StreamWatch?
    private var failure: UpstreamError?
    private var isComplete = false
    /// Of the writer's text, what was there before.
    private let earlierByteCount: Int
    /// How much of the answer had come when the watch was last told.
    private var notedCount = 0

    init(_ context: RequestContext, from upstream: UpstreamExchange, _ translation: Translation, tape: JSONTape) {
        self.context = context
        self.upstream = upstream
        self.translation = translation
        self.tape = tape
        exchange = context.exchange
        let rescue = Rescue.make(context, isTranslated: true)
        context.rescue = rescue
        let writer = rescue?.writer ?? ReplyFormat.streamWriter(context)
        rescue?.writer = writer
        self.writer = writer
        earlierByteCount = writer.textByteCount
        let rescueSink = rescue.map { RescueSink($0, writer) }
        self.rescueSink = rescueSink
        decoding = StreamDecoding(
            translation, into: rescueSink ?? writer, eventBytesMax: context.snapshot.limits.eventBytesMax)
        exchange.onDrained = { [unowned upstream] in upstream.resume() }
        watch = StreamWatch(context, upstream) { [unowned self] in
            sendHead()
        } late: { [unowned self] error in
            fail(error)
        }
    }

    func start(_ onEnd: @escaping (UpstreamError?) -> Void) {
        // What the stream has said counts for more than that it was cut off after it.
        upstream.relay(to: self) { [self] ended in onEnd(decoding.isOver ? nil : failure ?? ended) }
    }

    func received(_ bytes: Span<UInt8>) {
        if failure != nil { return }
        if let drain = context.drain, !drain.takes(bytes.count) { return fail(StreamDrain.over) }
        do throws(UpstreamError) {
            try decode(bytes)
            if decoding.isOver { return upstream.cancel(UpstreamError(.cancelled, "the answer is complete")) }
        } catch {
            fail(error)
        }
        if exchange.isCongested, context.drain == nil { upstream.pause() }
    }

    private func decode(_ bytes: Span<UInt8>) throws(UpstreamError) {
        do throws(UpstreamError) {
            try decoding.received(bytes, from: upstream, tape: tape)
        } catch {
            try deliver()
            throw error
        }
        try deliver()
    }

    private func fail(_ error: UpstreamError) {
        if failure != nil { return }
        failure = error
        upstream.cancel(error)
    }

    /// A reply that came whole.
    func take(whole body: ByteBuffer) throws(UpstreamError) {
        let tape = tape
        let sink: any ReplySink = rescueSink ?? writer
        translation.decoder.decode(whole: tape.root(over: body.span), into: sink)
        try deliver()
        if !writer.hasContent, !translation.decoder.end(into: sink) { throw TranslatedReply.noAnswer }
        try finish()
    }

    func end() throws(UpstreamError) {
        if let failure { throw failure }
        try decoding.end(tape: tape)
        try deliver()
        if !writer.hasContent || rescueSink?.pieceCount == 0 { throw TranslatedReply.noAnswer }
        try finish()
    }

    private func finish() throws(UpstreamError) {
        context.attempt.noteAnswered(by: writer.model)
        if let rescueSink {
            rescueSink.end()
            if rescueSink.isDifferent { throw Rescue.different }
        }
        isComplete = true
        if usage == nil { (rescueSink as (any ReplySink)? ?? writer).usage(estimate) }
        writer.finishStream()
        // Nobody is there to be told, and what was not sent is no whole reply.
        if context.drain != nil { return exchange.abort() }
        flush()
        context.rescue?.succeeded()
        exchange.finish()
    }

    /// Sends what was written, once the answer has begun; also what came before a fault, so that it does not matter how the provider's
    /// bytes were cut.
    private func deliver() throws(UpstreamError) {
        noteContent()
        let limit = context.snapshot.streams.rescue.heldByteCountMax
        if writer.hasContent || context.hasContentOut || writer.output.count > limit { flush() }
        if rescueSink?.isDifferent == true { throw Rescue.different }
        if let fault = rescueSink?.fault ?? writer.fault { throw context.reported(fault) }
    }

    private func noteContent() {
        let count = rescueSink?.pieceCount ?? writer.textByteCount
        if count == notedCount { return }
        if notedCount == 0 {
            context.attempt.noteAnswered(by: writer.model)
            watch?.chunkTimes = context.metrics?.chunkTimes(context)
        }
        notedCount = count
        watch?.noteContent()
        if let rescue = context.rescue, rescue.record.isLost, rescue.step == nil { context.giveUpRescue() }
    }

    private func flush() {
        let output = writer.output
        if output.isEmpty { return }
        defer { output.removeAll() }
        if context.drain != nil { return }
        sendHead()
        if !context.hasContentOut { context.contentBegins() }
        watch?.noteSent()
        exchange.send(output.span)
    }

    private func sendHead() {
        if exchange.isHeadSent { return }
        context.streamBegins(200)
        exchange.sendHead(ReplyFormat.streamHead(context), body: .unknown)
    }

    // MARK: Usage

    /// What this attempt cost, as its provider says.
    private var usage: Usage? { rescueSink.map(\.usage) ?? writer.usage }

    private var estimate: Usage {
        let repeated = rescueSink?.repeatedByteCount ?? 0
        return .estimate(
            requestByteCount: exchange.receivedByteCount,
            textByteCount: writer.textByteCount - earlierByteCount + repeated)
    }

    func stop() {
        let said = writer.hasContent ? estimate : nil
        let own = isComplete ? usage ?? said : Usage.ofCut(usage, said)
        context.attempt.noteAnswered(by: writer.model)
        context.attempt.usage = Usage.sum(context.rescue?.spent, own)
        context.malformedEvents = decoding.malformedCount
        watch?.stop()
        context.drain?.end()
    }
}
