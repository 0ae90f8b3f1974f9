package import SluiceCore
package import SluiceHTTP
internal import SluiceJSON
package import SluicePolicy
package import SluiceProviders
package import SluiceUpstream

/// Everything that belongs to one try at one target. Another try begins with another value: no field, credential or state of one
/// gets into the next, or to the application (theme 3.18).
package struct Attempt {
    package var provider: Provider?
    /// As the provider spells it.
    package var upstreamModel = ""
    /// The model that answered, as the provider says; empty if it does not.
    package var answeredBy = ""
    /// What the process knows of the target.
    package var target: TargetState?
    /// Its places among those that may be under way at one time.
    var slots = AttemptSlots()
    /// What the configuration says of it.
    package var routed: RouteTarget?
    /// Leave of the target's breaker; given back with the attempt's outcome.
    var permit: CircuitBreaker.Permit?
    /// The target counts on hearing how the attempt ended.
    var isUnderWay = false
    package var startedAt = Instant(nanoseconds: 0)
    /// Of the trace; `nil`: nobody traces.
    package var spanID: SpanID?
    /// Which of the provider's keys the attempt shows; `nil` for none.
    package var key: Int?
    /// Which of the key's tokens it shows, where those are exchanged for keys.
    package var tokenRenewals = 0
    /// The provider speaks another dialect than the application.
    package var translation: Translation?
    /// What writes the reply, where that is a stream of responses events that a provider does not send itself.
    var responsesWriter: ResponsesStreamWriter?
    /// What of the request got lost or was changed on the way.
    package var report = FieldReport()
    /// The tool whose arguments are the answer: it was forced for the sake of its schema.
    package var answerTool: String?
    package var upstream: UpstreamExchange?
    package var upstreamStatus: Status?
    package var upstreamRequestID: String?
    /// What the provider reported in place of an answer, or within one.
    package var fault: ProviderFault?
    /// The reply that said so, if the application can have it as it is.
    var errorReply: ProviderErrorReply?
    package var usage: Usage?
    /// What of it attempts before this one have used: a stream that is rescued tells the sum.
    var usedBefore: Usage?
    /// What was taken from limits that depend on the provider.
    var limits: LimitHold?
    /// When the request was handed to the upstream connection, and when the response's head had come.
    package var sentUpstreamAt: Instant?
    package var headAt: Instant?

    package init() {}

    /// From handing over the request to the response's head; `nil` without one.
    package var latency: Duration? {
        guard let sentUpstreamAt, let headAt else { return nil }
        return headAt - sentUpstreamAt
    }
}

extension Attempt {
    /// - Parameter model: of a reply.
    mutating func noteAnswered(by model: JSONValue?) {
        // Most answer with the name that they were asked by: it is not copied.
        guard let model, model.isString, model.rawBytes.count <= Self.modelBytesMax else { return }
        answeredBy = model.equals(upstreamModel.utf8Span.span) ? upstreamModel : model.string ?? ""
    }

    mutating func noteAnswered(by model: String?) {
        if let model, model.utf8.count <= Self.modelBytesMax { answeredBy = model }
    }

    private static let modelBytesMax = 512
}

/// An attempt's places where only so many may be at one time; `nil` where as many as come.
struct AttemptSlots {
    var provider: GateSlot?
    /// At a model that stands in for the one that was asked for.
    var model: GateSlot?

    mutating func release(at now: Instant) {
        provider?.release(at: now)
        model?.release(at: now)
        self = AttemptSlots()
    }
}

/// An attempt that led to nothing: what is left of it for the log and the books.
package struct TriedAttempt: Sendable {
    package let provider: String
    package let model: String
    package let key: Int?
    package let kind: FailureClass
    package let status: Status?
    package let took: Duration
    /// What it cost all the same.
    package let usage: Usage?
    /// In millionths of the currency, if that is known.
    package let costMicros: Int?
    let startedAt: Instant
    let spanID: SpanID?

    init(_ attempt: Attempt, _ kind: FailureClass, at now: Instant) {
        provider = attempt.provider?.name ?? ""
        model = attempt.upstreamModel
        key = attempt.key
        self.kind = kind
        status = attempt.upstreamStatus
        took = now - attempt.startedAt
        usage = attempt.usageOfItsOwn
        costMicros = attempt.costMicros
        startedAt = attempt.startedAt
        spanID = attempt.spanID
    }

    /// `openai/gpt-5-mini#1 rate_limited 429 12ms`, and what it cost if that is known: `30+12`.
    package var text: String {
        var text = "\(provider)/\(model)"
        if let key { text += "#\(key + 1)" }
        text += " \(kind.rawValue)"
        if let status { text += " \(status.code)" }
        text += " \(took.nanoseconds / 1_000_000)ms"
        if let usage { text += " \(usage.inputTokens)+\(usage.outputTokens)" }
        return text
    }
}

extension Attempt {
    /// What it has used itself.
    var usageOfItsOwn: Usage? {
        guard var usage, let usedBefore else { return self.usage }
        usage.inputTokens = max(0, usage.inputTokens - usedBefore.inputTokens)
        usage.outputTokens = max(0, usage.outputTokens - usedBefore.outputTokens)
        usage.cachedInputTokens = max(0, usage.cachedInputTokens - usedBefore.cachedInputTokens)
        return usage
    }

    /// What it cost, in millionths of the currency; `nil` if nobody knows.
    var costMicros: Int? {
        if let usage = usageOfItsOwn {
            return routed?.traits.price?.micros(
                inputTokens: usage.inputTokens, outputTokens: usage.outputTokens,
                cachedInputTokens: usage.cachedInputTokens)
        }
        // Whoever was not asked, or has refused, takes nothing for it.
        return sentUpstreamAt == nil || upstreamStatus.map { $0.code >= 400 } == true ? 0 : nil
    }
}
