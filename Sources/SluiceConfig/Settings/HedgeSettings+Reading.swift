internal import SluiceCore
package import SluicePolicy

/// What `hedging` of a configuration says.
extension HedgeSettings {
    /// - Returns: `nil` if no request is asked a second time.
    package static func read(_ section: ConfigSection) -> Self? {
        var hedging = Self()
        let isEnabled = section.boolean(
            "enabled", default: false,
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
        return isEnabled ? hedging : nil
    }
}
