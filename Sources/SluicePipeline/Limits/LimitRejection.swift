internal import SluiceCore
internal import SluiceHTTP
internal import SluicePolicy

extension Rejection {
    /// Where a limit refuses without knowing for how long.
    private static let waitUnknown = Duration.seconds(1)

    /// In the words that SDKs know: a rate that comes back may be waited for, a budget that is spent may not.
    init(_ refusal: LimitRefusal, _ amounts: LimitAmounts) {
        let rule = refusal.rule
        if rule.isBudget, !refusal.isTooLarge {
            self.init(
                .policy, 429, type: "insufficient_quota", code: "insufficient_quota",
                "The budget \"\(rule.name)\" is spent: \(Self.allowance(rule)). \(Self.divided(rule))",
                retryAfter: refusal.wait)
            return
        }
        let type = rule.unit.isEstimated && rule.unit != .cost ? "tokens" : "requests"
        if refusal.isTooLarge {
            self.init(
                .policy, 429, type: type, code: "rate_limit_exceeded",
                "The request is too large for the limit \"\(rule.name)\": it may need \(Self.quantity(amounts[rule.unit], rule.unit)), and there are never more than \(Self.quantity(rule.meter.burst, rule.unit)) at once. Shorten it, or ask for a shorter answer."
            )
            return
        }
        let wait = refusal.wait ?? Self.waitUnknown
        let text = ByteBuffer(capacity: 16)
        LimitHeaders.write(wait, into: text)
        self.init(
            .policy, 429, type: type, code: "rate_limit_exceeded",
            "Rate limit \"\(rule.name)\" reached: \(Self.allowance(rule)). \(Self.divided(rule))Please try again in \(text.text).",
            isRetryable: true, retryAfter: wait)
    }

    private static func allowance(_ rule: LimitRule) -> String {
        let amount = quantity(rule.meter.limit, rule.unit)
        return switch rule.meter.kind {
        case .concurrency: "\(rule.meter.limit) requests at one time"
        case .budget(let period, _): "\(amount) a \(period.rawValue)"
        case .tokenBucket, .leakyBucket: "\(amount) in \(time(rule.period))"
        }
    }

    private static func divided(_ rule: LimitRule) -> String {
        rule.by.isEmpty ? "" : "It counts for each \(rule.by.names.joined(separator: ", ")). "
    }

    private static func quantity(_ amount: Int, _ unit: LimitUnit) -> String {
        switch unit {
        case .requests, .concurrency: return "\(amount) requests"
        case .inputTokens: return "\(amount) input tokens"
        case .outputTokens: return "\(amount) output tokens"
        case .totalTokens: return "\(amount) tokens"
        case .cost:
            let digits = String(amount % 1_000_000 + 1_000_000).dropFirst()
            return "\(amount / 1_000_000).\(digits) of money"
        }
    }

    private static func time(_ period: Duration) -> String {
        let text = ByteBuffer(capacity: 16)
        LimitHeaders.write(period, into: text)
        return text.text
    }
}
