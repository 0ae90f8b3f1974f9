internal import SluiceCore
internal import SluiceNet
internal import SluicePipeline
internal import SluicePolicy
internal import SluiceProviders

/// What policies know of targets, keys, places and limits, read when somebody asks.
enum TrafficMetrics {
    private static let target = ["gen_ai_provider_name", "gen_ai_request_model"]
    private static let breaker = MetricFamily(
        "sluice_breaker_state", .gauge, labels: target, help: "0: closed, 1: half-open, 2: open.")
    private static let transitions = MetricFamily(
        "sluice_breaker_transitions", .counter, labels: target + ["to"],
        help: "How often the breaker has got to a state: closed, half_open, open.")
    private static let failuresInRow = MetricFamily(
        "sluice_breaker_consecutive_failures", .gauge, labels: target, help: "Failures since the last success.")
    private static let outstanding = MetricFamily(
        "sluice_target_in_flight", .gauge, labels: target, help: "Attempts under way at the target.")
    private static let available = MetricFamily(
        "sluice_target_available", .gauge, labels: target, help: "Whether the target is asked at all at the moment.")
    private static let keyUp = MetricFamily(
        "sluice_key_up", .gauge, labels: ["gen_ai_provider_name", "key"],
        help: "Whether the provider's key with this number is in use: 0 while it is set aside.")
    private static let gateInUse = MetricFamily(
        "sluice_gate_in_use", .gauge, labels: ["kind", "name"], help: "Places of a model or provider that are taken.")
    private static let gateSize = MetricFamily("sluice_gate_size", .gauge, labels: ["kind", "name"], help: "Places there are.")
    private static let gateWaiting = MetricFamily(
        "sluice_gate_waiting", .gauge, labels: ["kind", "name"], help: "Requests that wait for a place.")
    private static let gateRefusals = MetricFamily(
        "sluice_gate_refusals", .counter, labels: ["kind", "name", "reason"], help: "Requests that got no place.")
    private static let decisions = MetricFamily(
        "sluice_ratelimit_decisions", .counter, labels: ["rule", "dimension", "decision"],
        help: "Requests at a limit or budget, by what divides it.")
    private static let alone = MetricFamily(
        "sluice_ratelimit_local_decisions", .counter, labels: ["rule"],
        help: "Decisions on fleet-wide limits that this process took alone.")
    private static let isLocal = MetricFamily(
        "sluice_ratelimit_local", .gauge,
        help: "Whether fleet-wide limits are decided by this process alone, as Redis does not answer.")
    private static let reserved = MetricFamily(
        "sluice_ratelimit_reserved_units", .counter, labels: ["rule", "unit"],
        help: "What requests were expected to use, and was set aside for them.")
    private static let released = MetricFamily(
        "sluice_ratelimit_released_units", .counter, labels: ["rule", "unit"],
        help: "What had been set aside and was not used.")
    private static let settled = MetricFamily(
        "sluice_ratelimit_settled_units", .counter, labels: ["rule", "unit"], help: "What was really used.")
    private static let budget = MetricFamily(
        "sluice_budget_used_ratio", .gauge, labels: ["rule"], help: "The share of the fullest budget of the rule that is used.")
    private static let streamEnds = MetricFamily(
        "sluice_stream_ends", .counter, labels: ["reason"], help: "How streams ended.")
    private static let rescues = MetricFamily(
        "sluice_stream_rescues", .counter, labels: ["result"], help: "Broken streams that were gone on with.")
    private static let drains = MetricFamily(
        "sluice_stream_drains", .gauge, help: "Answers that are read on for their usage.")
    private static let shed = MetricFamily(
        "sluice_shed_requests", .counter, labels: ["priority"], help: "Requests that were refused for want of room.")
    private static let quotaRemaining = MetricFamily(
        "sluice_provider_quota_remaining", .gauge, labels: target + ["unit"],
        help: "What the provider last said is left of its limit.")
    private static let quotaLimit = MetricFamily(
        "sluice_provider_quota_limit", .gauge, labels: target + ["unit"], help: "The provider's limit, as it last said.")
    static let families = [
        breaker, transitions, failuresInRow, outstanding, available, keyUp, gateInUse, gateSize, gateWaiting, gateRefusals,
        decisions, alone, isLocal, reserved, released, settled, budget, streamEnds, rescues, drains, shed, quotaRemaining,
        quotaLimit,
    ]

    static func register(_ shared: Shared) {
        shared.lasting.metrics.registry.addSource(families) { [unowned shared] collection in
            let now = EventLoop.readClock()
            let snapshot = shared.current.snapshot
            addTargets(shared, snapshot, now, &collection)
            addKeys(snapshot, now, &collection)
            addGates(shared, &collection)
            if let limits = snapshot.rateLimits {
                if limits.hasShared { collection.add(isLocal, [], shared.lasting.limits.isLocal ? 1 : 0) }
                addLimits(limits, now, &collection)
            }
            addStreams(shared.lasting, &collection)
            if let priorities = snapshot.concurrency?.priorities {
                for (rank, priority) in priorities.classes.enumerated() {
                    collection.add(shed, [priority.name], shared.gauge.shedCount(rank: rank))
                }
            }
        }
    }

    private static func addTargets(
        _ shared: Shared, _ snapshot: ConfigSnapshot, _ now: Instant, _ collection: inout MetricCollection
    ) {
        var names = ModelLabels()
        var seen: Set<[String]> = []
        for state in shared.lasting.targets.all {
            let model = names.label(state.id.model, snapshot, shared.directory)
            // Targets that callers chose share a name: the first stands for all.
            let values = [state.id.provider, model]
            if !seen.insert(values).inserted { continue }
            if let settings = snapshot.recovery.breakers {
                let report = state.health.breaker.snapshot(settings, at: now)
                collection.add(breaker, values, report.phase == .closed ? 0 : report.phase == .halfOpen ? 1 : 2)
                for (phase, name) in [(CircuitBreaker.Phase.closed, "closed"), (.halfOpen, "half_open"), (.open, "open")] {
                    collection.add(transitions, values + [name], state.health.breaker.entryCount(phase))
                }
                collection.add(failuresInRow, values, report.failuresInRow)
            }
            collection.add(outstanding, values, state.load.outstanding)
            collection.add(available, values, state.isAvailable(at: now) ? 1 : 0)
            for unit in QuotaReading.Unit.allCases {
                if let count = state.quota.remaining(unit) { collection.add(quotaRemaining, values + [unit.name], count) }
                if let count = state.quota.limit(unit) { collection.add(quotaLimit, values + [unit.name], count) }
            }
        }
    }

    private static func addKeys(_ snapshot: ConfigSnapshot, _ now: Instant, _ collection: inout MetricCollection) {
        for provider in snapshot.providers.values.sorted(by: { $0.name < $1.name }) where !provider.keys.isEmpty {
            let aside = Set(provider.keys.current(at: now).map(\.index))
            for key in 0..<provider.keys.count {
                collection.add(keyUp, [provider.name, "\(key + 1)"], aside.contains(key) ? 0 : 1)
            }
        }
    }

    private static func addGates(_ shared: Shared, _ collection: inout MetricCollection) {
        for gate in shared.lasting.gates.snapshots {
            let values = [gate.id.kind.rawValue, gate.id.name]
            collection.add(gateInUse, values, gate.inUse)
            collection.add(gateSize, values, gate.settings.limit)
            collection.add(gateWaiting, values, gate.waiting.reduce(0, +))
            collection.add(gateRefusals, values + ["full"], gate.counts.full)
            collection.add(gateRefusals, values + ["displaced"], gate.counts.displaced)
            collection.add(gateRefusals, values + ["timeout"], gate.counts.timedOut)
        }
    }

    private static func addLimits(_ limits: LimitSet, _ now: Instant, _ collection: inout MetricCollection) {
        let time = LimitTime(now: now, wallSeconds: Int(EventLoop.readWallClock() / 1_000_000_000))
        for (number, rule) in limits.rules.enumerated() {
            let counts = limits.counters[number].snapshot
            let parts = LimitKey.all.filter { rule.by.contains($0.part) }.map(\.name)
            let dimension = parts.isEmpty ? "all" : parts.joined(separator: "+")
            collection.add(decisions, [rule.name, dimension, "passed"], counts.passed)
            collection.add(decisions, [rule.name, dimension, "refused"], counts.refused)
            if rule.unit.isEstimated {
                collection.add(reserved, [rule.name, rule.unit.rawValue], counts.reserved)
                collection.add(released, [rule.name, rule.unit.rawValue], counts.released)
            }
            if rule.fleet != nil { collection.add(alone, [rule.name], counts.decidedAlone) }
            collection.add(settled, [rule.name, rule.unit.rawValue], counts.settled)
            guard rule.isBudget, rule.meter.limit > 0 else { continue }
            let fullest = limits.mostUsed(number, at: time)
            collection.add(budget, [rule.name], .number(Double(fullest) / Double(rule.meter.limit)))
        }
    }

    private static func addStreams(_ lasting: LastingState, _ collection: inout MetricCollection) {
        let streams = lasting.streams.snapshot
        for (reason, count) in [
            ("complete", streams.complete), ("truncated", streams.truncated), ("client_abort", streams.clientAbort),
            ("idle", streams.idle), ("budget", streams.budget),
        ] {
            collection.add(streamEnds, [reason], count)
        }
        for (result, count) in [
            ("rescued", streams.rescued), ("different", streams.different), ("failed", streams.failed),
        ] {
            collection.add(rescues, [result], count)
        }
        collection.add(drains, [], lasting.drains.snapshot.underWay)
    }
}
