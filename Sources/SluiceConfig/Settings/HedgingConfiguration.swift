/// A second attempt beside one that is slow to be answered.
package struct HedgingConfiguration: Sendable, Equatable {
    /// Default false.
    package var isEnabled = false
    /// 0.5 to 0.999. Default 0.95.
    package var quantile = 0.95
    /// 10 ms to 10 min. Default 500 ms.
    package var delayMin = Duration.milliseconds(500)
    /// 10 ms to 10 min. Default 10 s.
    package var delayMax = Duration.seconds(10)
    /// 0.001 to 1. Default 0.05.
    package var shareMax = 0.05

    package init() {}

    package static func read(_ section: ConfigSection) -> Self {
        var hedging = Self()
        hedging.isEnabled = section.boolean(
            "enabled", default: hedging.isEnabled,
            doc:
                "Whether a request whose response's head is late is asked a second time, at the next target or at the same; the slower attempt is cancelled. Both may be paid."
        )
        hedging.quantile = section.number(
            "quantile", default: hedging.quantile, in: 0.5...0.999,
            doc: "Late is what takes longer than this share of the target's last one to two hundred calls.")
        hedging.delayMin = section.duration(
            "delay_min_ms", default: hedging.delayMin, in: 10...600_000, doc: "Nothing is late sooner than this.")
        hedging.delayMax = section.duration(
            "delay_max_ms", default: hedging.delayMax, in: 10...600_000,
            doc: "Everything is late after this. Also the delay as long as fewer than 20 calls are known.")
        if hedging.delayMax < hedging.delayMin {
            section.mistake("delay_max_ms", "at least delay_min_ms, found \(section.written("delay_max_ms"))")
        }
        hedging.shareMax = section.number(
            "share_max", default: hedging.shareMax, in: 0.001...1,
            doc: "Second attempts as a share of the requests to a target within ten seconds.")
        return hedging
    }
}
