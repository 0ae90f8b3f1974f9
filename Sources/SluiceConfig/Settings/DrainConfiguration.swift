/// How the process goes: first it says so, then it finishes what it has.
package struct DrainConfiguration: Sendable, Equatable {
    /// Readiness is down and requests are still taken, for balancers to notice. 0 to 10 min.
    package var lameDuck = Duration.seconds(5)
    /// After that, how long exchanges may take to finish. 0 to a day.
    package var grace = Duration.seconds(30)

    package init() {}

    package static func read(_ section: ConfigSection) -> Self {
        var drain = Self()
        drain.lameDuck = section.duration(
            "lame_duck_ms", default: drain.lameDuck, in: 0...600_000,
            doc: "How long requests are still taken after readiness went down. 0 when nothing balances in front.")
        drain.grace = section.duration(
            "grace_ms", default: drain.grace, in: 0...86_400_000,
            doc: "How long exchanges may take to finish after that. What is left is cut with an honest error.")
        return drain
    }
}
