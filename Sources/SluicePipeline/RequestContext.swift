package import SluiceCore
package import SluiceDownstream
package import SluiceHTTP
internal import SluiceNet
package import SluicePolicy
package import SluiceProviders
internal import SluiceUpstream

/// What is known about one exchange: each phase adds what it learned. Settled, and so logged, exactly once.
package final class RequestContext {
    /// The wire format that the application speaks.
    package enum Dialect: Sendable { case openAI, anthropic, platform }

    /// How an exchange ended.
    package enum Outcome: String, Sendable {
        case complete
        case rejected
        case providerError = "provider_error"
        case truncated
        case clientGone = "client_gone"
        /// Answered in place of providers that failed.
        case degraded
    }

    package let exchange: DownstreamExchange
    package let snapshot: ConfigSnapshot
    package let requestID: String
    package var dialect = Dialect.openAI
    package var operation: OpenAIOperation?
    /// The path as a template: never what the caller wrote.
    package var route: StaticString = "other"
    package var allowedMethods: StaticString?

    package var model = ""
    /// What the envelope calls the request; echoed in its reply.
    package var envelopeRequestID: String?
    /// The scene that the envelope names (`prompt_id`).
    package var scene: String?
    package var isStream = false
    /// Only what the request would cost in tokens is asked for (`/v1/messages/count_tokens`).
    package var countsTokens = false
    /// The application asked for usage in its stream.
    package var showsUsage = false
    /// Events have gone out: an error is an event now.
    package var isInStream = false

    /// Who asks; empty unless some policy wants to know.
    package var caller = Caller()
    /// Who may answer.
    package var plan = RoutePlan()
    /// The try that is under way, or the last.
    package var attempt = Attempt()
    package var attempts = 0
    /// Why a key was set aside on the way.
    package var keyReason: KeyRing.Reason?
    /// A token was refused, and another one asked for.
    var hasRefreshedToken = false
    /// Its priority: 0 goes first.
    package var rank = 0
    /// Its place among those that the model may have at one time.
    var slot: GateSlot?
    /// Where it waits for a place.
    var queueWait: QueueWait?
    /// How long it has waited for places.
    package var queueTime: Duration?
    /// It was answered in place of a provider: how.
    package var degraded: DegradedPolicy.Kind?
    /// What came, for another attempt; `nil` once a reply has begun.
    var request: IncomingRequest?
    /// What happens to a request that asks for more than its model can do.
    package var unsupported = FieldReport.Mode.warn
    /// The reply, where it is a stream that goes on without a task.
    var stream: (any RelayedStream)?
    /// Where the pipeline keeps the context while its exchange is under way.
    let place: Int
    package var malformedEvents = 0
    package var outcome = Outcome.complete
    package var rejection: Rejection?
    package var status: Status = 0
    package var firstByteAt: Instant?

    init(_ exchange: DownstreamExchange, snapshot: ConfigSnapshot, requestID: String, place: Int) {
        self.exchange = exchange
        self.snapshot = snapshot
        self.requestID = requestID
        self.place = place
    }
}

extension RequestContext {
    /// Begins a try at a target, with nothing of the one before.
    func begin(_ target: RouteTarget) {
        attempt = Attempt()
        attempt.target = target.state
        attempt.provider = target.provider
        attempt.upstreamModel = target.upstreamModel
        unsupported = target.unsupported ?? snapshot.unsupported
    }

    /// Adds what the application is told of the request's id, by the names that its dialect has for it.
    func appendRequestID(to fields: inout HeaderFields) {
        fields.append(.xRequestID, requestID)
        if dialect == .anthropic { fields.append(lowercaseName: "request-id", requestID) }
    }

    /// What reads errors of a provider whose adapter knows them, where its replies pass as they come otherwise.
    var dialectOfErrors: (any ChatDialect)? {
        guard dialect == .openAI, let provider = attempt.provider, !provider.adaptation.errors.isEmpty else { return nil }
        return provider.chat
    }

    /// The head of a streamed reply goes out: what another attempt would need is given back, as the stream may last long.
    func streamBegins(_ status: Status) {
        self.status = status
        isInStream = true
        firstByteAt = exchange.loop.now
        request = nil
        exchange.forgetFields()
    }

    /// Notes what the provider reported; the error to throw.
    func reported(_ fault: ProviderFault) -> UpstreamError {
        var fault = fault
        // Servers that refuse a key like to repeat it.
        if let provider = attempt.provider {
            let message = ByteBuffer(fault.message)
            provider.conceal(in: message)
            fault.message = message.text
        }
        attempt.fault = fault
        outcome = .providerError
        return UpstreamError(.reported, fault.message)
    }
}
