package import SluicePolicy
package import SluiceStorage

/// What outlives a configuration: what the process has learned, counts and keeps. Shared by all workers.
package final class LastingState: Sendable {
    package let targets = TargetTable()
    package let limits = LimitTable()
    package let drains = DrainGate()
    package let redis = RedisHealth()

    package init() {}
}
