internal import SluiceCore
internal import SluiceDownstream
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders

/// What a failure says of the key that was shown, and of the target for a while: one that is refused is set aside, one that is closed
/// is left alone, for everybody.
enum KeyVerdicts {
    /// - Returns: whether another attempt has something else to show: another key, or a fresh token.
    static func offersAnother(_ kind: FailureClass, _ context: RequestContext) -> Bool {
        guard let provider = context.attempt.provider, let key = context.attempt.key else { return false }
        let now = context.exchange.loop.now
        let fault = context.attempt.fault
        switch kind {
        case .keyRefused where fault?.key == .refused || fault == nil:
            if let tokens = provider.signer(key)?.tokens, !context.hasRefreshedToken, fault != nil {
                context.hasRefreshedToken = true
                tokens.forget(ofRenewals: context.attempt.tokenRenewals)
                return true
            }
            provider.keys.setAside(key, .refused, at: now)
            context.keyReason = .refused
            context.metrics?.noteKey(key, .refused, context)
        case .quota where fault?.key == .exhausted:
            provider.keys.setAside(key, .exhausted, for: fault?.retryAfter, at: now)
            context.keyReason = .exhausted
            context.metrics?.noteKey(key, .exhausted, context)
        case .rateLimited: break
        default: return false
        }
        guard provider.keys.hasOther(than: key, at: now) else { return false }
        return context.attempt.target?.health.closures.soonestOpening(ofKeys: provider.keys.count, at: now) == nil
    }

    /// Notes until when the provider wants to be left alone.
    ///
    /// - Returns: how long none of the target's keys is open; `nil` if one is.
    static func close(_ kind: FailureClass, _ context: RequestContext, _ hints: HintChannel) -> Duration? {
        guard let provider = context.attempt.provider, let target = context.attempt.target else { return nil }
        let retries = context.snapshot.recovery.retries
        let now = context.exchange.loop.now
        let stated = context.attempt.fault?.retryAfter
        guard
            let wait = kind == .rateLimited ? stated ?? retries.closedDefault : kind.speaksAgainstTarget ? stated : nil
        else { return nil }
        let until = now + min(wait, retries.closedMax)
        context.soonestRetry = context.soonestRetry.map { min($0, until) } ?? until
        // What the application's own key is told concerns nobody else.
        if kind == .rateLimited, context.showsOwnCredential { return wait }
        let key = kind == .rateLimited ? context.attempt.key ?? KeyClosures.noKey : KeyClosures.everyKey
        if target.health.closures.close(key, until: until, at: now) {
            hints.tellClosed(key, of: provider.keys.count, target, for: until - now)
        }
        let opening = target.health.closures.soonestOpening(ofKeys: provider.keys.count, at: now)
        if let opening { target.close(until: opening) }
        return opening.map { $0 - now }
    }
}
