internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders

/// Makes the spans of an exchange when it is over, out of what is known of it by then: one for the exchange, and one for each
/// attempt. Confined to its worker.
final class Tracer {
    private let buffer = ByteBuffer(capacity: 4096)
    /// What was written for a long exchange is not kept for the next.
    private static let capacityKept = 1 << 18

    /// An exchange is over. To be called once, of exchanges that somebody may want to know about.
    func note(_ context: RequestContext, at end: Instant, tape: JSONTape) {
        guard let trace = context.trace, context.operation != nil else { return }
        let error = ErrorType.of(context)
        if !trace.isSampled, !Self.isFailure(context, error) { return }
        buffer.removeAll()
        defer { if buffer.capacity > Self.capacityKept { buffer.giveBack() } }
        let facts = context.spanNotes.map { ReplyFacts($0, tape: tape) }
        let writer = SpanWriter(
            context, trace, error, facts, into: ProtobufWriter(into: buffer), now: end,
            wallClock: EventLoop.readWallClock())
        writer.writeAll()
        let buffer = buffer
        context.snapshot.lasting.spans.append(buffer.span, count: writer.spanCount)
    }

    /// Whether something went wrong that is worth a look: what callers got wrong is their own.
    private static func isFailure(_ context: RequestContext, _ error: String) -> Bool {
        context.tried.contains { attempt in
            switch attempt.kind {
            case .outrun, .cancelled, .caller, .contextLength: false
            default: true
            }
        } || !error.isEmpty && !error.hasPrefix("caller_")
    }
}
