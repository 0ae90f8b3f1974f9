internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluiceProviders
internal import SluiceUpstream

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
        _ context: RequestContext, from upstream: UpstreamExchange, _ translation: Translation,
        _ writer: any StreamWriter,
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
        keepAlive = StreamKeepAlive(context, after: context.snapshot.timeouts.keepAliveComment) { [unowned self] in
            sendHead()
        }
    }

    func start(_ onEnd: @escaping (UpstreamError?) -> Void) {
        upstream.relay(to: self) { [self] failure in onEnd(decoding.isOver ? nil : failure) }
    }

    func received(_ bytes: Span<UInt8>) {
        if failure != nil { return }
        do throws(UpstreamError) {
            try decode(bytes)
            if decoding.isOver { return upstream.cancel(UpstreamError(.cancelled, "the answer is complete")) }
        } catch {
            failure = error
            upstream.cancel(error)
        }
        if exchange.isCongested { upstream.pause() }
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

    /// A reply that came whole.
    func take(whole body: ByteBuffer) throws(UpstreamError) {
        let tape = tape
        translation.decoder.decode(whole: tape.root(over: body.span), into: writer)
        try deliver()
        if !writer.hasContent, !translation.decoder.end(into: writer) { throw TranslatedReply.noAnswer }
        finish()
    }

    func end() throws(UpstreamError) {
        if let failure { throw failure }
        try decoding.end(tape: tape)
        try deliver()
        finish()
    }

    private func finish() {
        if writer.usage == nil { writer.usage(estimate) }
        writer.finishStream()
        flush()
        exchange.finish()
    }

    /// Sends what was written, once there is something to notice in it: also what came before a fault, so that it does not
    /// matter how the provider's bytes were cut.
    private func deliver() throws(UpstreamError) {
        if writer.hasContent || exchange.isHeadSent { flush() }
        if let fault = writer.fault { throw context.reported(fault) }
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
        context.streamBegins(200)
        exchange.sendHead(ReplyFormat.streamHead(context), body: .unknown)
    }

    private var estimate: Usage {
        .estimate(requestByteCount: exchange.receivedByteCount, textByteCount: writer.textByteCount)
    }

    func stop() {
        context.attempt.usage = writer.usage ?? (writer.hasContent ? estimate : nil)
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
            try decoding.received(bytes, from: upstream, tape: tape)
            if let fault = reply.fault { throw context.reported(fault) }
            if reply.keptByteCount > byteCountMax {
                throw UpstreamError(.tooLarge, "its answer is longer than \(byteCountMax) bytes")
            }
            if decoding.isOver { upstream.cancel(UpstreamError(.cancelled, "the answer is complete")) }
        } catch {
            failure = error
            upstream.cancel(error)
        }
    }

    /// Takes the stream to its end.
    func collect() async throws(UpstreamError) {
        do throws(UpstreamError) {
            try await upstream.relay(to: self)
        } catch {
            if !decoding.isOver { throw failed(failure ?? error) }
        }
        if let failure { throw failed(failure) }
        do throws(UpstreamError) {
            try decoding.end(tape: tape)
        } catch {
            throw failed(error)
        }
    }

    /// What was answered before the failure has its price all the same.
    private func failed(_ error: UpstreamError) -> UpstreamError {
        context.attempt.usage = reply.usage ?? (reply.isEmpty ? nil : estimate)
        return error
    }

    private var estimate: Usage {
        .estimate(requestByteCount: context.exchange.receivedByteCount, textByteCount: reply.byteCount)
    }
}
