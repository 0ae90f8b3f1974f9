internal import SluiceConfig
package import SluiceCore
package import SluiceDownstream
package import SluiceHTTP
internal import SluiceNet
package import SluicePolicy
package import SluiceProviders
internal import SluiceUpstream
internal import Synchronization

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
    /// The trace that it belongs to; `nil`: nobody traces.
    package var trace: ExchangeTrace?
    /// What its spans will tell beside what is known anyway.
    var traceEvents: [TraceEvent] = []
    var spanNotes: SpanNotes?
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
    /// The head of a streamed reply has gone out: an error is an event now.
    package private(set) var isInStream = false
    /// Something of a streamed answer has gone out: from now on there is no other beginning.
    package private(set) var hasContentOut = false

    /// Who asks, as far as that is proved or taken for granted.
    package var principal: Principal
    /// Why nobody is known to ask.
    package var refusal: CredentialRefusal?
    /// What `WWW-Authenticate` says.
    var challenge: StaticString?
    /// Who asks, by name; empty unless some policy wants to know.
    package var caller = Caller()
    /// Who may answer.
    package var plan = RoutePlan()
    /// The try that is under way, or the last.
    package var attempt = Attempt()
    package var attempts = 0
    /// Attempts that failed, in order.
    package var tried: [TriedAttempt] = []
    /// What is told if nothing better comes.
    var lastWords: LastWords?
    /// A provider's error reply that is told as it came.
    var verbatim: ProviderErrorReply?
    /// How often the current target was asked again.
    var repeatsAtTarget = 0
    /// What the next attempt waits for.
    var waitBeforeNext = Duration.zero
    /// How long the request has waited for targets that were closed.
    var waited = Duration.zero
    /// When one of those who were asked may be asked again.
    var soonestRetry: Instant?
    /// The second of two attempts that are under way at once.
    var rival: Attempt?
    var pause: Pause?
    /// The wait for an answer that another exchange has asked for.
    var waiter: FlightWaiter?
    /// Why nothing more is tried, whatever comes.
    var ending: UpstreamError?
    /// Why a key was set aside on the way.
    package var keyReason: KeyRing.Reason?
    /// A token was refused, and another one asked for.
    var hasRefreshedToken = false
    /// What was taken from rate limits and budgets.
    var limits: LimitHold?
    /// What was estimated when it was taken, and what attempts that are over have used.
    var limitEstimate = LimitAmounts()
    var limitSpent = LimitAmounts()
    var limitCounted: Usage?
    var limitMarks: [LimitMark] = []
    /// What was settled, and others are to hear of.
    var limitsToTell: [LimitHold] = []
    /// The limit that has refused the request.
    package var refusingLimit: String?
    /// Its priority: 0 goes first.
    package var rank = 0
    /// Its place among those that the model may have at one time.
    var slot: GateSlot?
    /// One that an attempt needs, which it has waited for and not used yet.
    var keptSlot: GateSlot?
    /// Where it waits for a place.
    var queueWait: QueueWait?
    /// How long it has waited for places.
    package var queueTime: Duration?
    /// How the last of these waits ended.
    var queueOutcome = QueueOutcome.admitted
    /// Which of the tape's documents was the request's.
    var requestScan = 0
    /// It was answered in place of a provider: how.
    package var degraded: DegradedPolicy.Kind?
    /// What came, for another attempt; `nil` once a reply has begun.
    var request: IncomingRequest?
    /// What happens to a request that asks for more than its model can do.
    package var unsupported = FieldReport.Mode.warn
    /// The reply, where it is a stream that goes on without a task.
    var stream: (any RelayedStream)?
    /// Told when the first of a streamed answer goes out, where somebody wants to know.
    var onContentBegins: (() -> Void)?
    /// What is kept of a stream, so that another provider can go on with it.
    var rescue: Rescue?
    /// The answer is read on although the application has gone.
    var drain: StreamDrain?
    /// The same, for others who wait for it.
    var abandonedLead: AbandonedLead?
    /// Where the pipeline keeps the context while its exchange is under way.
    let place: Int
    /// What the exchange has to do with the cache; `nil` where nothing is cached.
    package var cacheTurn: CacheTurn?
    /// What it has to do with others under its idempotency key; `nil` without one.
    package var idempotentTurn: IdempotentTurn?
    /// The reply as the pipeline's tape has it, if it was read whole.
    var scannedReply: ScannedReply?
    /// What is kept of the reply, for either.
    var recording: ReplyRecording?
    /// Whose answers these are, as operators name it: the team, or what stands for the credential.
    var tenant = ""
    /// Somebody was to answer: it will be recorded.
    var isInvocation = false
    /// What is kept of it for its record.
    var notes: RecordNotes?
    package var malformedEvents = 0
    package var outcome = Outcome.complete
    package var rejection: Rejection?
    package var status: Status = 0
    package var firstByteAt: Instant?
    /// What Sluice itself has added until now.
    var overhead = Overhead()
    /// Counts what becomes of the exchange.
    var metrics: ExchangeMetrics?

    init(_ exchange: DownstreamExchange, snapshot: ConfigSnapshot, requestID: String, place: Int) {
        self.exchange = exchange
        self.snapshot = snapshot
        self.requestID = requestID
        self.place = place
        principal = snapshot.access != nil ? .nobody : exchange.peer.trust == .machine ? .local : .anyone
    }
}

extension RequestContext {
    /// Begins a try at a target, with nothing of the one before.
    func begin(_ target: RouteTarget) {
        if limits != nil { noteUsedByAttempt() }
        // A stream that is being rescued is still the one it was.
        let writer = hasContentOut ? attempt.responsesWriter : nil
        attempt = Attempt()
        attempt.responsesWriter = writer
        attempt.usedBefore = rescue?.spent
        attempt.startedAt = exchange.loop.now
        attempt.spanID = trace?.beginAttempt()
        attempt.target = target.state
        attempt.routed = target
        attempt.provider = target.provider
        attempt.upstreamModel = target.upstreamModel
        unsupported = target.unsupported ?? snapshot.unsupported
    }

    /// What the model can do that is asked.
    var capabilities: Capabilities {
        var capabilities = attempt.routed?.capabilities ?? Capabilities()
        // One that is given the beginning of an answer is told in its own way to go on.
        if rescue?.isContinuing == true { capabilities.prefill = true }
        return capabilities
    }

    /// What the principal may use, where that is not everything.
    var restrictingAccess: Access? {
        let access = principal.access
        return snapshot.access == nil || access.allowsAllModels && access.allowsAllProviders ? nil : access
    }

    /// How long the target may take that is asked, and the exchange as a whole.
    var timeouts: TimeoutsConfiguration {
        var timeouts = attempt.routed?.timeouts ?? snapshot.timeouts
        if let route = plan.route { timeouts.total = route.timeouts.total }
        return timeouts
    }

    /// Says who answered, where the application is to know.
    func appendTarget(to fields: inout HeaderFields) {
        guard let target = attempt.routed else { return }
        switch snapshot.showsTarget {
        case .never: return
        case .whereChosen: if plan.targets.count < 2 { return }
        case .always: break
        }
        fields.append(lowercaseName: "x-sluice-provider", target.provider.name)
        // What a caller wrote need not be what may stand in a field.
        if target.upstreamModel.utf8.allSatisfy({ 0x21...0x7E ~= $0 }), !target.upstreamModel.isEmpty {
            fields.append(lowercaseName: "x-sluice-model", target.upstreamModel)
        }
    }

    /// Adds what the application is told of the request's id, by the names that its dialect has for it, and of the attempts if it
    /// took more than one.
    func appendRequestID(to fields: inout HeaderFields) {
        fields.append(.xRequestID, requestID)
        let revision = snapshot.lasting.controlRevision.load(ordering: .relaxed)
        if revision >= 0 { fields.append(lowercaseName: "x-sluice-revision", "\(revision).\(snapshot.revision)") }
        if attempts > 1 { fields.append(lowercaseName: "x-sluice-attempts", "\(attempts)") }
        if dialect == .anthropic { fields.append(lowercaseName: "request-id", requestID) }
        if let degraded { fields.append(lowercaseName: "x-sluice-degraded", degraded.rawValue) }
        if let cacheTurn { cacheTurn.append(to: &fields, now: exchange.loop.now) }
        if let idempotentTurn { idempotentTurn.append(to: &fields) }
        if overhead.isSent || cacheTurn?.isAnswered == true { appendOverhead(to: &fields) }
        if trace != nil { appendTraceOfReply(to: &fields) }
    }

    /// Whether no provider was asked: the answer costs nothing.
    package var isCacheHit: Bool {
        if let idempotentTurn, idempotentTurn.state != .first { return true }
        return cacheTurn?.isAnswered ?? false
    }

    /// What reads errors of a provider whose adapter knows them, where its replies pass as they come otherwise.
    var dialectOfErrors: (any ChatDialect)? {
        guard dialect == .openAI, let provider = attempt.provider, provider.adaptation.readsErrors else { return nil }
        return provider.chat
    }

    /// Whether an answer has begun, so that no other one may. A stream that has only been kept alive is still open to all.
    var isAnswerOut: Bool { isInStream ? hasContentOut : exchange.isHeadSent }

    /// The head of a streamed reply goes out.
    func streamBegins(_ status: Status) {
        self.status = status
        isInStream = true
        firstByteAt = exchange.loop.now
        metrics?.streamBegan()
    }

    /// The first of a streamed answer goes out: what another attempt would need is given back, unless the stream may be rescued.
    func contentBegins() {
        hasContentOut = true
        onContentBegins?()
        onContentBegins = nil
        if rescue == nil { giveUpRescue() }
    }

    /// The stream will not be rescued: what another attempt would need is given back, as the stream may last long.
    func giveUpRescue() {
        rescue = nil
        if !hasContentOut { return }
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
