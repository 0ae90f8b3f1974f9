internal import SluiceConfig
internal import SluicePipeline
internal import SluicePolicy

/// Turns `retries`, `breakers` and `hedging` of the configuration into what the request path uses.
enum RecoveryBuilder {
    static func recovery(_ configuration: ServerConfiguration) -> ConfigSnapshot.Recovery {
        var recovery = ConfigSnapshot.Recovery()
        recovery.retries = retries(configuration.retries)
        recovery.breakers = configuration.breakers.isEnabled ? breakers(configuration.breakers) : nil
        recovery.hedging = configuration.hedging.isEnabled ? hedging(configuration.hedging) : nil
        return recovery
    }

    private static func retries(_ configuration: RetriesConfiguration) -> RetrySettings {
        var retries = RetrySettings()
        retries.attemptsMax = configuration.attemptsMax
        retries.sameTargetMax = configuration.sameTargetMax
        retries.backoffBase = configuration.backoffBase
        retries.backoffMax = configuration.backoffMax
        retries.budgetRatio = configuration.budgetRatio
        retries.budgetPerSecond = Double(configuration.budgetPerSecond)
        retries.attemptMin = configuration.attemptMin
        retries.afterSent = configuration.afterSent
        retries.waitMax = configuration.waitMax
        retries.closedDefault = configuration.closedDefault
        retries.closedMax = configuration.closedMax
        retries.contextLength =
            switch configuration.contextLength {
            case .larger: .larger
            case .next: .next
            case .never: .never
            }
        retries.contentPolicy =
            switch configuration.contentPolicy {
            case .next: .next
            case .never: .never
            }
        return retries
    }

    private static func breakers(_ configuration: BreakersConfiguration) -> BreakerSettings {
        var breakers = BreakerSettings()
        breakers.window = configuration.window
        breakers.failureRate = configuration.failureRate
        breakers.slowRate = configuration.slowRate
        breakers.slow = configuration.slow
        breakers.volumeMin = configuration.volumeMin
        breakers.failuresInRow = configuration.failuresInRow
        breakers.openBase = configuration.openBase
        breakers.openMax = configuration.openMax
        breakers.probesMax = configuration.probesMax
        return breakers
    }

    private static func hedging(_ configuration: HedgingConfiguration) -> HedgeSettings {
        var hedging = HedgeSettings()
        hedging.quantile = configuration.quantile
        hedging.delayMin = configuration.delayMin
        hedging.delayMax = configuration.delayMax
        hedging.shareMax = configuration.shareMax
        return hedging
    }
}
