internal import SluiceConfig
internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceStorage

/// What is kept of a sampled exchange for its spans: the beginning and the end of the reply, where it says what it is and why it
/// ends, and both bodies if that was asked for.
final class SpanNotes: ReplyTap {
    /// Somebody else who watches the reply.
    var next: (any ReplyTap)?
    private(set) var isEventStream = false
    /// A reply that went out in one piece.
    private(set) var whole: ByteBuffer?
    private(set) var beginning = ByteBuffer(capacity: 512)
    private(set) var end = ByteBuffer(capacity: 512)
    private var request: ByteBuffer?
    private let settings: TraceSettings
    /// For the first event of a stream.
    private static let beginningByteCount = 1024
    /// For its last ones.
    private static let endByteCount = 2048
    /// A secret that begins before the cut is found with so much of what follows.
    private static let redactionMargin = 512

    init(_ settings: TraceSettings) { self.settings = settings }

    /// To be called once, when the request has been read.
    static func begin(_ request: IncomingRequest, _ context: RequestContext) {
        guard let tracing = context.snapshot.tracing, tracing.isExporting, context.trace?.isSampled == true else { return }
        let notes = SpanNotes(tracing)
        if tracing.bodies != .off, case .json(let body) = request.body { notes.request = body }
        context.spanNotes = notes
        context.watchReply()
    }

    // MARK: ReplyTap

    func began(_ head: ResponseHead) {
        isEventStream = Relaying.isEventStream(head)
        next?.began(head)
    }

    func passed(_ bytes: Span<UInt8>) {
        keep(bytes)
        next?.passed(bytes)
    }

    func passed(sharing buffer: ByteBuffer) {
        if whole == nil, beginning.isEmpty, !isEventStream { whole = buffer } else { keep(buffer.span) }
        next?.passed(sharing: buffer)
    }

    func completed() { next?.completed() }

    private func keep(_ bytes: Span<UInt8>) {
        if let whole {
            // It was not in one piece after all.
            self.whole = nil
            keep(whole.span)
        }
        let wanted = max(Self.beginningByteCount, settings.bodies == .off ? 0 : settings.bodyByteCountMax + Self.redactionMargin)
        if beginning.count < wanted { beginning.append(bytes.extracting(first: min(bytes.count, wanted - beginning.count))) }
        if !isEventStream { return }
        end.append(bytes.extracting(last: min(bytes.count, Self.endByteCount)))
        if end.count > 2 * Self.endByteCount { end.consume(end.count - Self.endByteCount) }
    }

    // MARK: Bodies

    var requestText: String? { request.flatMap(text) }
    var replyText: String? { settings.bodies == .off ? nil : text(whole ?? beginning) }

    /// What may be exported of a body: its beginning, in valid UTF-8, without what unlocks or names if that is the policy.
    private func text(_ body: ByteBuffer) -> String? {
        if body.isEmpty { return nil }
        let most = settings.bodyByteCountMax
        if settings.bodies == .full { return String(decoding: body.span.extracting(first: min(body.count, most))) }
        let looked = min(body.count, most + Self.redactionMargin)
        let redacted = ByteBuffer(capacity: looked)
        Redactor.redact(body.span.extracting(first: looked), into: redacted)
        // What stands before the cut may be the beginning of a secret.
        if looked < body.count { redacted.truncate(to: max(0, redacted.count - Self.redactionMargin)) }
        redacted.truncate(to: min(redacted.count, most))
        return redacted.text
    }
}
