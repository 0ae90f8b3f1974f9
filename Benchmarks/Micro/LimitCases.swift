internal import SluiceCore
internal import SluicePolicy

/// Ten limits that are about a request: what they take before it goes out, and get when it has been answered.
func measureLimits(_ measure: Measure) {
    let units: [LimitUnit] = [.requests, .inputTokens, .outputTokens, .totalTokens, .concurrency]
    func rules(_ count: Int, by: [LimitKey]) -> [LimitRule] {
        (0..<count).map { index in
            let unit = units[index % units.count]
            return LimitRule(
                name: "limit \(index)", by: by[index % by.count], unit: unit,
                kind: unit == .concurrency ? .concurrency : .tokenBucket, limit: LimitAmounts.amountMax)
        }
    }
    var subject = LimitSubject(model: "gpt-5.4-mini")
    subject.caller.user = "ada"
    subject.caller.key = "0123456789abcdef"
    let estimate = LimitAmounts(inputTokens: 300, outputTokens: 1000)
    let used = LimitAmounts(inputTokens: 280, outputTokens: 120)
    let time = LimitTime(now: Instant(nanoseconds: 1_000_000_000), wallSeconds: 1_795_000_000)
    for (name, count, by) in [
        ("1 limit", 1, [LimitKey.user]), ("10 limits of one kind", 10, [.user]),
        ("10 limits of three kinds", 10, [.user, .key, [.user, .model]]),
    ] {
        guard let set = LimitTable().adopt(rules(count, by: by), at: time.now) else { continue }
        measure("limit/\(name)") {
            let hold = LimitHold(set)
            keep(set.reserve(subject, estimate, at: time, into: hold) == nil)
            hold.settle(used, at: time) { _, _, _ in }
        }
    }
}
