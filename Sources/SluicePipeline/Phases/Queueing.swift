internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders
internal import SluiceUpstream

/// Lets so many requests at one time to a model, and to a provider: the others wait for their turn, or are shed.
///
/// A slot of the model that was asked for is taken once an exchange, before the attempts; one of a provider, and of a model that
/// stands in, with each attempt, which gives it back when it ends.
/// Where there are no limits all of this is one look at a `nil`.
enum Queueing {
    /// Takes a slot of the model that was asked for.
    static func enterModel(_ context: RequestContext) async throws(Rejection) {
        guard let policy = context.snapshot.concurrency else { return }
        if !policy.priorities.isEmpty { context.rank = rank(context, policy.priorities) }
        guard let gate = policy.models[context.plan.route?.name ?? context.model] else { return }
        context.slot = try await enter(gate, context)
    }

    /// Takes what an attempt at a target needs: a slot of its provider, and one of its model if that stands in for the one that was
    /// asked for. For each the one that the request has waited for, or another.
    ///
    /// - Returns: `nil` where the slots are in `slots`; else the gate that is full, and nothing is taken.
    static func enter(_ target: RouteTarget, _ slots: inout AttemptSlots, _ context: RequestContext) -> ConcurrencyGate? {
        guard let policy = context.snapshot.concurrency else { return nil }
        var taken = AttemptSlots()
        if let gate = policy.models[target.model], target.model != context.plan.route?.name {
            guard let slot = slot(of: gate, context) else { return gate }
            taken.model = slot
        }
        if let gate = policy.providers[target.provider.name] {
            guard let slot = slot(of: gate, context) else { return gate }
            taken.provider = slot
        }
        slots = taken
        return nil
    }

    private static func slot(of gate: ConcurrencyGate, _ context: RequestContext) -> GateSlot? {
        if let kept = context.keptSlot, kept.gate === gate {
            context.keptSlot = nil
            return kept
        }
        return gate.tryEnter() ? hold(gate, context) : nil
    }

    /// Waits for a slot that an attempt needs; the next one uses it.
    static func wait(at gate: ConcurrencyGate, _ context: RequestContext) async throws(Rejection) {
        context.keptSlot = try await enter(gate, context)
    }

    private static func hold(_ gate: ConcurrencyGate, _ context: RequestContext) -> GateSlot {
        GateSlot(of: gate, since: context.exchange.loop.now)
    }

    // MARK: Waiting

    private static func enter(
        _ gate: ConcurrencyGate, _ context: RequestContext
    ) async throws(Rejection) -> GateSlot {
        if gate.tryEnter() { return hold(gate, context) }
        let exchange = context.exchange
        if exchange.isAbandoned { throw .gone }
        let start = exchange.loop.now
        let wait = QueueWait(at: gate, on: exchange.loop)
        switch gate.enter(rank: context.rank, at: start, wake: { wait.take($0) }) {
        case .admitted: return hold(gate, context)
        case .full: throw busy(gate, context)
        case .waiting(let ticket, let until):
            let end = await waited(wait, ticket, by: until, context)
            context.queueTime = (context.queueTime ?? .zero) + (exchange.loop.now - start)
            context.queueOutcome = QueueOutcome(end)
            if end == .admitted {
                let slot = hold(gate, context)
                if !exchange.isAbandoned { return slot }
                slot.release(at: exchange.loop.now)
                throw .gone
            }
            throw rejection(end, gate, context)
        }
    }

    private static func waited(
        _ wait: QueueWait, _ ticket: ConcurrencyGate.Ticket, by until: Instant, _ context: RequestContext
    ) async -> QueueWait.End {
        let exchange = context.exchange
        let onAbandoned = exchange.onAbandoned
        exchange.onAbandoned = {
            wait.leave(.gone)
            onAbandoned?()
        }
        context.queueWait = wait
        let end = await wait.end(ticket, by: min(until, context.deadlines.total))
        context.queueWait = nil
        // What an exchange that is over lets go of stays so.
        if !exchange.isAbandoned, !exchange.isFinished { exchange.onAbandoned = onAbandoned }
        return end
    }

    // MARK: Priority

    /// The rank of a request among the classes: by who asks, as far as that is known yet, and by what its field says.
    static func rank(_ context: RequestContext, _ priorities: PriorityClasses) -> Int {
        var named: String?
        if let header = priorities.header, context.principal.mayClaim {
            let fields = context.exchange.head.fields
            for index in 0..<fields.count where fields.name(at: index).isSame(as: header.utf8Span.span) {
                named = String(decoding: fields.value(at: index))
                break
            }
        }
        return priorities.rank(of: context.caller, named: named)
    }

    // MARK: Rejections

    private static func busy(_ gate: ConcurrencyGate, _ context: RequestContext) -> Rejection {
        let isModel = gate.id.kind == .model
        return shed(
            gate, context, code: isModel ? "model_busy" : "provider_busy",
            "\(words(gate)) has as many requests as it may have at one time, and no place for more to wait.")
    }

    private static func rejection(
        _ end: QueueWait.End, _ gate: ConcurrencyGate, _ context: RequestContext
    ) -> Rejection {
        switch end {
        case .gone: return .gone
        case .shutdown: return .shuttingDown
        case .admitted, .displaced: return busy(gate, context)
        case .timeout:
            let waited = Int((context.queueTime ?? .zero).milliseconds)
            return shed(
                gate, context, code: "queue_timeout",
                "\(words(gate)) has as many requests as it may have at one time; after \(waited) ms it was not this one's turn yet."
            )
        }
    }

    private static func words(_ gate: ConcurrencyGate) -> String {
        switch gate.id.kind {
        case .model: "The model \"\(gate.id.name)\""
        case .provider: "Provider \(gate.id.name)"
        }
    }

    private static func shed(
        _ gate: ConcurrencyGate, _ context: RequestContext, code: String, _ message: String
    ) -> Rejection {
        let status = Status(context.snapshot.concurrency?.shedStatus ?? 503)
        return Rejection(
            gate.id.kind == .model ? .policy : .gateway, status,
            type: status == 429 ? "rate_limit_error" : "api_error", code: code, message, isRetryable: true,
            retryAfter: gate.expectedWait)
    }
}

extension Span<UInt8> {
    fileprivate func isSame(as other: Span<UInt8>) -> Bool {
        if count != other.count { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }
}
