internal import SluiceCore
internal import SluiceDownstream
internal import SluiceJSON
internal import SluiceProviders
internal import SluiceUpstream

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
            if reply.isEmpty { throw TranslatedReply.noAnswer }
        } catch {
            throw failed(error)
        }
    }

    /// What was answered before the failure has its price all the same.
    private func failed(_ error: UpstreamError) -> UpstreamError {
        context.attempt.usage = Usage.ofCut(reply.usage, reply.isEmpty ? nil : estimate)
        return error
    }

    private var estimate: Usage {
        .estimate(requestByteCount: context.exchange.receivedByteCount, textByteCount: reply.byteCount)
    }
}
