internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders
internal import SluiceUpstream

/// How a stream goes on whose provider failed after some of its answer had gone out (theme 3.2): a model continues what there is, or
/// the same answer comes once more and what the application has of it is kept back, or else the stream ends with an honest error.
///
/// Never a second beginning, and never an end that is none.
final class Rescue {
    /// What became of it: the answer is complete, the second answer was not the first, or no attempt brought one.
    typealias Result = StreamCounts.Rescue

    let policy: RescuePolicy
    let record: ReplyRecord
    /// What writes the application's stream; `nil` for one that passes as its provider sends it, until that is over.
    var writer: (any StreamWriter)?
    /// What is being tried.
    private(set) var step: RescueStep?
    private(set) var requestCount = 0
    private(set) var result: Result?
    /// Why the stream broke off: what the application is told if it cannot go on.
    private(set) var cause: Rejection?
    /// What the attempts before this one cost.
    private(set) var spent: Usage?
    /// For a model that goes on: what it is shown of the answer, and the white space after that.
    private(set) var prefix: [UInt8] = []
    private(set) var blanks: [UInt8] = []
    private var steps: ArraySlice<RescueStep> = []
    private var recordedAtStep = 0
    /// The place of the target whose stream broke off last, and of all that did.
    private var failed = 0
    private var allFailed: Set<Int> = []

    /// An answer that says something else than the first.
    static let different = UpstreamError(.malformed, "its second answer is not the first one")

    private init(_ policy: RescuePolicy) {
        self.policy = policy
        record = ReplyRecord(byteCountMax: policy.byteCountMax)
    }

    /// For a stream that begins: what it needs to be rescued some day; the one there is if this stream is the rescue.
    ///
    /// - Parameter isTranslated: we write the stream's events, not the provider.
    /// - Returns: `nil` if it will not be: nothing is kept then.
    static func make(_ context: RequestContext, isTranslated: Bool) -> Rescue? {
        if let rescue = context.rescue, rescue.step != nil { return rescue }
        let policy = context.plan.route?.rescue ?? context.snapshot.streams.rescue
        guard !policy.ways.isEmpty, policy.includesSingleTargets || context.plan.targets.count > 1,
            case .json? = context.request?.body,
            context.operation == .chatCompletions || isTranslated && context.operation == .responses
        else { return nil }
        return Rescue(policy)
    }

    // MARK: After a failure

    /// A stream has failed.
    ///
    /// - Returns: whether another attempt is to be made for it.
    static func follows(_ error: UpstreamError, _ context: RequestContext, tape: JSONTape) -> Bool {
        guard let rescue = context.rescue, context.hasContentOut, !context.exchange.isAbandoned, context.ending == nil
        else { return false }
        return rescue.follow(error, context, tape)
    }

    /// An attempt to go on has failed before its stream began.
    static func follows(_ rejection: Rejection, _ context: RequestContext) -> Bool {
        guard let rescue = context.rescue, rescue.step != nil, !context.exchange.isAbandoned, context.ending == nil
        else { return false }
        return rescue.next(context)
    }

    private func follow(_ error: UpstreamError, _ context: RequestContext, _ tape: JSONTape) -> Bool {
        spent = context.attempt.usage
        if error == Self.different {
            result = .different
            // Other words from a model that goes on are no contradiction yet: it may not have gone on.
            return step?.way == .prefill && next(context)
        }
        if cause == nil || record.byteCount > recordedAtStep { cause = Forwarding.rejection(error, context) }
        let kind = FailureClass.of(error, context)
        guard kind.mayPass, !record.isLost, record.byteCount > 0 else {
            if step != nil { result = .failed }
            return false
        }
        if let step, record.byteCount == recordedAtStep {
            // It had its chance.
            steps.removeAll { $0.position == step.position }
        } else {
            plan(kind, context, tape)
        }
        return next(context)
    }

    private func plan(_ kind: FailureClass, _ context: RequestContext, _ tape: JSONTape) {
        var ways = policy.ways
        if ways.contains(.prefill), !prepareContinuation(context, tape) { ways.remove(.prefill) }
        let targets = context.plan.targets
        failed = context.plan.position
        // One that stalls, says that it has troubles, or breaks off again is asked last.
        let isSameFirst = allFailed.insert(failed).inserted && kind == .truncated
        steps =
            RescueStep.plan(ways, current: failed, count: targets.count, isSameFirst: isSameFirst) {
                targets[$0].capabilities.continuation != .none
            }[...]
    }

    /// - Returns: whether the answer so far can be said in a message of the assistant.
    private func prepareContinuation(_ context: RequestContext, _ tape: JSONTape) -> Bool {
        guard record.isText, context.operation == .chatCompletions, case .json(let body)? = context.request?.body,
            (try? tape.scan(body.span)) != nil, RescueRequest.takesAnswer(tape.root(over: body.span))
        else { return false }
        prefix = record.decoded().flatMap(\.bytes)
        let end = prefix.lastIndex { !$0.isBlank }.map { $0 + 1 } ?? 0
        blanks = Array(prefix[end...])
        prefix.removeLast(blanks.count)
        return !prefix.isEmpty
    }

    private func next(_ context: RequestContext) -> Bool {
        while let step = steps.popFirst(), requestCount < policy.attemptsMax,
            context.timeLeft >= context.snapshot.recovery.retries.attemptMin
        {
            if !takes(step, context) { continue }
            self.step = step
            requestCount += 1
            recordedAtStep = record.byteCount
            context.plan.position = step.position
            context.repeatsAtTarget = step.position == failed ? 1 : 0
            context.outcome = .complete
            context.note(.rescue(way: step.way))
            if writer == nil { writer = ReplyFormat.resumingWriter(record.opening, context) }
            return true
        }
        if step != nil, result == nil { result = .failed }
        return false
    }

    /// Whether a step's target takes requests, and has a repeat left if it is the one that failed.
    private func takes(_ step: RescueStep, _ context: RequestContext) -> Bool {
        let target = context.plan.targets[step.position]
        let recovery = context.snapshot.recovery
        let now = context.exchange.loop.now
        let health = target.state.health
        if health.opening(keyCount: target.provider.keys.count, recovery.breakers, at: now) != nil { return false }
        if step.position != failed { return true }
        let retries = recovery.retries
        return health.repeats.withdraw(ratio: retries.budgetRatio, perSecond: retries.budgetPerSecond, at: now)
    }

    /// What the application is told of a stream that could not be rescued: why it broke off in the first place.
    static func cause(_ rejection: Rejection, _ context: RequestContext) -> Rejection {
        context.exchange.isAbandoned ? rejection : context.rescue?.cause ?? rejection
    }

    // MARK: The attempt

    /// Whether a model is being given what there is of the answer.
    var isContinuing: Bool { step?.way == .prefill }

    /// What is sent for the step under way. The tape holds the document of what was received, and afterwards that of what is
    /// returned.
    func request(
        _ request: IncomingRequest, _ context: RequestContext, tape: JSONTape
    ) throws(Rejection) -> IncomingRequest {
        guard isContinuing, case .json(let body) = request.body else { return request }
        let prefix = prefix
        let longer = RescueRequest.adding(prefix.span, to: tape.root(over: body.span))
        try RequestEditing.scan(longer, tape)
        return IncomingRequest(body: .json(longer))
    }

    /// How the reply to the step under way is read; `nil` if there is none: the stream is not being rescued.
    func translation(_ context: RequestContext) -> Translation? {
        guard step != nil, let provider = context.attempt.provider else { return nil }
        return context.attempt.translation ?? Translation(provider.chat, Translation.filters(context, provider, []))
    }

    func succeeded() { if step != nil { result = .rescued } }
}
