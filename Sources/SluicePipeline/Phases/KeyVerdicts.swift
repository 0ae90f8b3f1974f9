internal import SluiceCore
internal import SluiceDownstream
internal import SluiceNet
internal import SluiceProviders

/// What a provider's error says of the key that was shown: one that is refused is set aside, for everybody.
enum KeyVerdicts {
    /// - Returns: whether another attempt has something else to show: another key, or a fresh token.
    static func offersAnother(_ fault: ProviderFault, _ context: RequestContext) -> Bool {
        guard let provider = context.attempt.provider, let key = context.attempt.key else { return false }
        let now = context.exchange.loop.now
        switch fault.key {
        case .fine: return false
        case .refused:
            if let tokens = provider.signer(key)?.tokens, !context.hasRefreshedToken {
                context.hasRefreshedToken = true
                tokens.forget(ofRenewals: context.attempt.tokenRenewals)
                return true
            }
            provider.keys.setAside(key, .refused, at: now)
            context.keyReason = .refused
        case .exhausted:
            provider.keys.setAside(key, .exhausted, for: fault.retryAfter, at: now)
            context.keyReason = .exhausted
        }
        return provider.keys.hasOther(than: key, at: now)
    }
}
