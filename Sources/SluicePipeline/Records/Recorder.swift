internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders
internal import SluiceStorage

/// Makes the record of an exchange when it is over, and hands it to the store. Confined to its worker.
final class Recorder {
    private let buffer = ByteBuffer(capacity: 2048)
    /// A name that is a literal, as a `String` that was made once.
    private var routes: [(StaticString, String)] = []
    private static let messageBytesMax = 1024
    private static let clientGone = 499

    /// To be called once an exchange, from settlement.
    func record(_ context: RequestContext, at end: Instant) {
        let store = context.snapshot.lasting.records
        buffer.removeAll()
        // What is long is not kept for the next.
        defer { if buffer.capacity > 1 << 20 { buffer.giveBack() } }
        let content = context.notes?.content ?? RecordedContent()
        RecordCoding.append(make(context, at: end), content, to: buffer)
        let buffer = buffer
        store.append(buffer.span, at: context.exchange.loop.now)
    }

    private func make(_ context: RequestContext, at end: Instant) -> InvocationRecord {
        var record = InvocationRecord()
        let exchange = context.exchange
        let took = end - exchange.startedAt
        record.requestID = context.requestID
        record.route = name(context.route)
        record.modelID = context.model
        record.scene = context.scene ?? ""
        tell(of: context, &record)
        record.outcome = InvocationRecord.Outcome(context.outcome)
        record.httpStatus = context.outcome == .clientGone ? Self.clientGone : Int(context.status.code)
        record.endTime = Int(EventLoop.readWallClock() / 1_000_000)
        record.startTime = record.endTime - Int(took.nanoseconds / 1_000_000)
        record.durationMicros = Int(took.nanoseconds / 1000)
        if let first = context.firstByteAt {
            record.firstByteMicros = Int((first - exchange.startedAt).nanoseconds / 1000)
        }
        record.isStream = context.isStream
        if let turn = context.cacheTurn { record.cacheState = turn.state.rawValue }
        addUsage(context, &record)
        addAttempts(context, &record, end)
        addError(context, &record)
        return record
    }

    /// Who asked.
    private func tell(of context: RequestContext, _ record: inout InvocationRecord) {
        let principal = context.principal
        record.principalID = principal.id
        record.userID = context.caller.user ?? principal.user ?? ""
        record.team = context.caller.team ?? principal.team ?? ""
        record.businessLine = context.caller.businessLine ?? principal.businessLine ?? ""
        record.key = context.caller.key ?? ""
    }

    private func addUsage(_ context: RequestContext, _ record: inout InvocationRecord) {
        if context.isCacheHit {
            record.usageSource = .cache
            record.costMicros = 0
        } else if let usage = context.attempt.usage {
            record.usageSource = usage.isEstimated ? .estimated : context.drain == nil ? .provider : .drained
            record.inputTokens = usage.inputTokens
            record.outputTokens = usage.outputTokens
            record.cachedTokens = usage.cachedInputTokens
            record.reasoningTokens = usage.reasoningTokens
            record.totalTokens = usage.totalTokens
        } else if context.attempt.headAt != nil, context.outcome != .rejected || context.exchange.isAbandoned {
            record.usageSource = .unknown
        }
    }

    private func addAttempts(_ context: RequestContext, _ record: inout InvocationRecord, _ now: Instant) {
        // Nobody was asked: that costs nothing, and that is known.
        var cost = context.tried.isEmpty && context.attempt.provider == nil ? 0 : -1
        for tried in context.tried {
            var attempt = InvocationRecord.Attempt()
            attempt.provider = tried.provider
            attempt.model = tried.model
            attempt.result = tried.kind.rawValue
            attempt.status = tried.status.map { Int($0.code) } ?? 0
            attempt.durationMicros = Int(tried.took.nanoseconds / 1000)
            attempt.inputTokens = tried.usage?.inputTokens ?? 0
            attempt.outputTokens = tried.usage?.outputTokens ?? 0
            attempt.costMicros = tried.costMicros ?? -1
            cost = Self.sum(cost, attempt.costMicros)
            record.attempts.append(attempt)
        }
        if !context.isCacheHit { record.costMicros = cost }
        guard let provider = context.attempt.provider, !context.isCacheHit else { return }
        record.provider = provider.name
        record.upstreamModel = context.attempt.upstreamModel
        // One that came to nothing is among those already.
        if context.tried.contains(where: { $0.startedAt == context.attempt.startedAt && $0.provider == provider.name })
        {
            return
        }
        var last = InvocationRecord.Attempt()
        last.provider = provider.name
        last.model = context.attempt.upstreamModel
        last.result = Self.result(context)
        last.status = context.attempt.upstreamStatus.map { Int($0.code) } ?? 0
        last.durationMicros = Int((now - context.attempt.startedAt).nanoseconds / 1000)
        if let usage = context.attempt.usageOfItsOwn {
            last.inputTokens = usage.inputTokens
            last.outputTokens = usage.outputTokens
        }
        last.costMicros = context.attempt.costMicros ?? -1
        record.attempts.append(last)
        record.costMicros = Self.sum(cost, last.costMicros)
    }

    private static func result(_ context: RequestContext) -> String {
        switch context.outcome {
        case .complete: "ok"
        case .clientGone: "client_gone"
        case .truncated: "truncated"
        case .providerError: "provider_error"
        case .rejected, .degraded: context.rejection?.code ?? "failed"
        }
    }

    /// Of what is known; -1 if nothing is.
    private static func sum(_ first: Int, _ second: Int) -> Int {
        if first < 0 || second < 0 { return max(first, second) }
        let (sum, overflowed) = first.addingReportingOverflow(second)
        return overflowed ? .max : sum
    }

    private func addError(_ context: RequestContext, _ record: inout InvocationRecord) {
        if let rejection = context.rejection {
            record.errorCode = rejection.code
            record.errorMessage = Self.cut(rejection.message)
            record.errorOwner = rejection.owner.rawValue
        } else if context.outcome == .providerError, let fault = context.attempt.fault {
            record.errorCode = fault.code ?? ""
            record.errorMessage = Self.cut(fault.message)
            record.errorOwner = Rejection.Owner.provider.rawValue
        }
    }

    private static func cut(_ text: String) -> String {
        let bytes = text.utf8Span.span
        return bytes.count <= messageBytesMax ? text : String(decoding: bytes.extracting(0..<messageBytesMax))
    }

    private func name(_ route: StaticString) -> String {
        for (literal, name) in routes where unsafe literal.utf8Start == route.utf8Start { return name }
        let name = "\(route)"
        routes.append((route, name))
        return name
    }
}

extension InvocationRecord.Outcome {
    init(_ outcome: RequestContext.Outcome) {
        self =
            switch outcome {
            case .complete: .complete
            case .rejected: .rejected
            case .providerError: .providerError
            case .truncated: .truncated
            case .clientGone: .clientGone
            case .degraded: .degraded
            }
    }
}
