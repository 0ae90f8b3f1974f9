internal import SluiceCore
package import SluicePolicy

/// When a target is left alone, for how long, and how it comes back; and how often providers are asked how they are.
package struct BreakersConfiguration: Sendable, Equatable {
    /// Default true.
    package var isEnabled = true
    package var settings = BreakerSettings()
    /// 0 (none) to a day. Default 0.
    package var probeInterval = Duration.zero

    package init() {}

    package static func read(_ section: ConfigSection) -> Self {
        var breakers = Self()
        breakers.isEnabled = section.boolean(
            "enabled", default: breakers.isEnabled,
            doc: "Whether a target that fails is left alone for a while: its breaker opens.")
        breakers.settings.readTriggers(section)
        breakers.settings.readTimes(section)
        breakers.probeInterval = section.duration(
            "probe_interval_ms", default: breakers.probeInterval, in: 0...86_400_000,
            doc:
                "How often providers are asked, at no cost, whether they are well: one that is not opens its breakers, one that is shortens the wait. 0: never."
        )
        return breakers
    }

}

extension BreakerSettings {
    fileprivate mutating func readTimes(_ section: ConfigSection) {
        openBase = section.duration(
            "open_base_ms", default: openBase, in: 10...600_000,
            doc:
                "How long a breaker stays open the first time, less up to half of it; each time that follows soon is twice as long."
        )
        openMax = section.duration(
            "open_max_ms", default: openMax, in: 10...3_600_000,
            doc: "No breaker stays open for longer at a time.")
        if openMax < openBase {
            section.mistake("open_max_ms", "at least open_base_ms, found \(section.written("open_max_ms"))")
        }
        probesMax = section.integer(
            "probes_max", default: probesMax, in: 1...100,
            doc:
                "Half-open, so many requests at a time try the target, and so many in a row must succeed to close the breaker."
        )
    }

    fileprivate mutating func readTriggers(_ section: ConfigSection) {
        window = section.duration(
            "window_ms", default: window, in: 1000...600_000, doc: "What the rates are looked at over.")
        failureRate = section.number(
            "failure_rate", default: failureRate, in: 0.01...1,
            doc:
                "A share of failed calls that opens the breaker. Errors of callers, cancellations and limits do not count."
        )
        slow = section.duration(
            "slow_ms", default: slow, in: 0...600_000,
            doc:
                "A call is slow whose response's head takes longer. An unstreamed answer has its head at its end. 0: none is slow."
        )
        slowRate = section.number(
            "slow_rate", default: slowRate, in: 0.01...1, doc: "A share of slow calls that opens the breaker.")
        volumeMin = section.integer(
            "volume_min", default: volumeMin, in: 1...10_000,
            doc: "The rates of fewer calls in the window mean nothing.")
        failuresInRow = section.integer(
            "failures_in_row", default: failuresInRow, in: 0...1000,
            doc: "So many failures in a row open the breaker whatever the rates. 0: no number does.")
    }
}
