internal import SluiceCore
internal import SluiceJSON
internal import SluicePipeline
internal import SluicePolicy

/// What the admin port says of a target's health: its breaker, keys that are closed, and what is left of its budget of repeats.
enum TargetHealthReport {
    static func write(
        _ health: TargetHealth, _ recovery: ConfigSnapshot.Recovery, _ now: Instant, _ json: inout JSONWriter
    ) {
        json.key("breaker")
        if let breakers = recovery.breakers {
            write(health.breaker.snapshot(breakers, at: now), &json)
        } else {
            json.null()
        }
        json.key("closed_keys")
        json.array { json in
            for closure in health.closures.current(at: now) {
                json.object { json in
                    json.key("key")
                    if closure.key < 0 { json.null() } else { json.int(closure.key + 1) }
                    json.member("opens_in_ms", Int((closure.until - now).milliseconds))
                }
            }
        }
        json.key("repeats_left")
        json.int(
            Int(
                max(
                    0,
                    health.repeats.left(
                        ratio: recovery.retries.budgetRatio, perSecond: recovery.retries.budgetPerSecond, at: now))))
        if let hedging = recovery.hedging {
            json.key("hedge_after_ms")
            if let latency = health.latency.quantile(hedging.quantile) {
                json.double(latency.milliseconds)
            } else {
                json.null()
            }
        }
    }

    private static func write(_ breaker: CircuitBreaker.Snapshot, _ json: inout JSONWriter) {
        json.object { json in
            json.member("state", name(breaker.phase))
            json.key("reason")
            if let reason = breaker.reason { json.string(reason.rawValue) } else { json.null() }
            json.key("open_for_ms")
            if let openFor = breaker.openFor { json.int(Int(openFor.milliseconds)) } else { json.null() }
            json.member("calls", breaker.counts.total)
            json.member("failed", breaker.counts.failed)
            json.member("slow", breaker.counts.slow)
            json.member("failures_in_row", breaker.failuresInRow)
            json.member("transitions", breaker.transitions)
        }
    }

    private static func name(_ phase: CircuitBreaker.Phase) -> String {
        switch phase {
        case .closed: "closed"
        case .open: "open"
        case .halfOpen: "half_open"
        }
    }
}
