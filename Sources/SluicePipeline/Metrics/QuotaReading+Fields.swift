internal import SluiceCore
internal import SluiceHTTP
internal import SluicePolicy

extension QuotaReading {
    /// Reads what a provider says of its limits (sections 1 and 2 of the sheets of OpenAI and Anthropic; most others speak like one
    /// of them).
    func note(_ fields: borrowing HeaderFields, at now: Instant) {
        if !isDue(at: now.nanoseconds) { return }
        for index in 0..<fields.count where fields.field(at: index) == .other {
            let name = fields.name(at: index)
            if !LimitHeaders.isProviders(name) { continue }
            guard let meaning = Self.meaning(of: name), let count = ASCII.decimal(fields.value(at: index)) else { continue }
            if meaning.isRemaining { note(remaining: count, of: meaning.unit) } else { note(limit: count, of: meaning.unit) }
        }
    }

    private static func meaning(of name: Span<UInt8>) -> (unit: Unit, isRemaining: Bool)? {
        if name.equals("x-ratelimit-remaining-requests") { return (.requests, true) }
        if name.equals("x-ratelimit-remaining-tokens") { return (.tokens, true) }
        if name.equals("x-ratelimit-limit-requests") { return (.requests, false) }
        if name.equals("x-ratelimit-limit-tokens") { return (.tokens, false) }
        if name.equals("anthropic-ratelimit-requests-remaining") { return (.requests, true) }
        if name.equals("anthropic-ratelimit-requests-limit") { return (.requests, false) }
        if name.equals("anthropic-ratelimit-tokens-remaining") { return (.tokens, true) }
        if name.equals("anthropic-ratelimit-tokens-limit") { return (.tokens, false) }
        if name.equals("anthropic-ratelimit-input-tokens-remaining") { return (.inputTokens, true) }
        if name.equals("anthropic-ratelimit-input-tokens-limit") { return (.inputTokens, false) }
        if name.equals("anthropic-ratelimit-output-tokens-remaining") { return (.outputTokens, true) }
        if name.equals("anthropic-ratelimit-output-tokens-limit") { return (.outputTokens, false) }
        return nil
    }
}
