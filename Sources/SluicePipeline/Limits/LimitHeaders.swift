internal import SluiceCore
internal import SluiceHTTP
internal import SluiceNet
internal import SluicePolicy

/// Tells applications how their rate limits stand, by the names that their SDKs know.
///
/// The tightest limit on requests and the tightest on tokens, as they stand when the reply's head goes out.
enum LimitHeaders {
    /// Fields by which providers tell of their own limits: those say nothing to somebody who is held by ours.
    static func isProviders(_ name: Span<UInt8>) -> Bool {
        name.hasPrefix("x-ratelimit-") || name.hasPrefix("anthropic-ratelimit-")
    }

    /// - Returns: whether some limit of ours is about the request.
    @discardableResult
    static func append(to fields: inout HeaderFields, _ context: RequestContext) -> Bool {
        guard let limits = context.limits, !limits.isEmpty || context.attempt.limits?.isEmpty == false else {
            return false
        }
        let time = context.limitTime
        let text = ByteBuffer(capacity: 48)
        if context.dialect == .anthropic {
            appendAnthropic(to: &fields, context, time, text)
        } else {
            appendOpenAI(to: &fields, context, time, text)
        }
        if limits.isLocalNow || context.attempt.limits?.isLocalNow == true {
            fields.append(lowercaseName: "x-sluice-limits", "local")
        }
        return true
    }

    /// The tightest of the limits that an application is told of, by what they count.
    private struct Tightest {
        var requests: LimitStanding?
        var totalTokens: LimitStanding?
        var inputTokens: LimitStanding?
        var outputTokens: LimitStanding?

        init(_ context: RequestContext, _ time: LimitTime) {
            add(context.limits, time)
            add(context.attempt.limits, time)
        }

        private mutating func add(_ hold: LimitHold?, _ time: LimitTime) {
            hold?.forEachStanding(at: time) { unit, standing in
                switch unit {
                case .requests: Self.take(standing, &requests)
                case .totalTokens: Self.take(standing, &totalTokens)
                case .inputTokens: Self.take(standing, &inputTokens)
                case .outputTokens: Self.take(standing, &outputTokens)
                case .concurrency, .cost: break
                }
            }
        }

        private static func take(_ standing: LimitStanding, _ known: inout LimitStanding?) {
            if let known, known.share <= standing.share { return }
            known = standing
        }

        /// Of all that count tokens.
        var tokens: LimitStanding? {
            var tokens = totalTokens
            if let inputTokens { Self.take(inputTokens, &tokens) }
            if let outputTokens { Self.take(outputTokens, &tokens) }
            return tokens
        }
    }

    // MARK: OpenAI (section 1 of its sheet)

    private static func appendOpenAI(
        to fields: inout HeaderFields, _ context: RequestContext, _ time: LimitTime, _ text: ByteBuffer
    ) {
        let tightest = Tightest(context, time)
        if let requests = tightest.requests {
            fields.append(lowercaseName: "x-ratelimit-limit-requests", decimal: requests.limit)
            fields.append(lowercaseName: "x-ratelimit-remaining-requests", decimal: requests.remaining)
            append("x-ratelimit-reset-requests", to: &fields, text) { write(requests.reset, into: $0) }
        }
        if let tokens = tightest.tokens {
            fields.append(lowercaseName: "x-ratelimit-limit-tokens", decimal: tokens.limit)
            fields.append(lowercaseName: "x-ratelimit-remaining-tokens", decimal: tokens.remaining)
            append("x-ratelimit-reset-tokens", to: &fields, text) { write(tokens.reset, into: $0) }
        }
    }

    private static func append(
        _ name: StaticString, to fields: inout HeaderFields, _ text: ByteBuffer, _ write: (ByteBuffer) -> Void
    ) {
        text.removeAll()
        write(text)
        fields.append(lowercaseName: name, text.span)
    }

    /// As Go writes durations: `12ms`, `8.64s`, `6m0s`, `1h2m3s`.
    static func write(_ duration: Duration, into text: ByteBuffer) {
        let milliseconds = Int((max(0, duration.nanoseconds) + 999_999) / 1_000_000)
        if milliseconds == 0 { return text.append("0s") }
        if milliseconds < 1000 {
            text.append(decimal: milliseconds)
            return text.append("ms")
        }
        let seconds = milliseconds / 1000
        if seconds >= 3600 {
            text.append(decimal: seconds / 3600)
            text.append("h")
        }
        if seconds >= 60 {
            text.append(decimal: seconds / 60 % 60)
            text.append("m")
        }
        text.append(decimal: seconds % 60)
        let fraction = milliseconds % 1000
        if fraction > 0, seconds < 60 {
            text.append(".")
            text.append(UInt8(ascii: "0") + UInt8(fraction / 100))
            if fraction % 100 > 0 { text.append(UInt8(ascii: "0") + UInt8(fraction / 10 % 10)) }
            if fraction % 10 > 0 { text.append(UInt8(ascii: "0") + UInt8(fraction % 10)) }
        }
        text.append("s")
    }

    // MARK: Anthropic (section 2 of its sheet)

    private static func appendAnthropic(
        to fields: inout HeaderFields, _ context: RequestContext, _ time: LimitTime, _ text: ByteBuffer
    ) {
        func add(_ standing: LimitStanding?, _ limit: StaticString, _ remaining: StaticString, _ reset: StaticString) {
            guard let standing else { return }
            fields.append(lowercaseName: limit, decimal: standing.limit)
            fields.append(lowercaseName: remaining, decimal: standing.remaining)
            append(reset, to: &fields, text) { text in
                let seconds = Int(clamping: (standing.reset.nanoseconds + 999_999_999) / 1_000_000_000)
                CivilDate(secondsSince1970: time.wallSeconds + min(seconds, 1 << 40)).append(to: text)
            }
        }
        let tightest = Tightest(context, time)
        add(
            tightest.requests, "anthropic-ratelimit-requests-limit", "anthropic-ratelimit-requests-remaining",
            "anthropic-ratelimit-requests-reset")
        add(
            tightest.totalTokens, "anthropic-ratelimit-tokens-limit", "anthropic-ratelimit-tokens-remaining",
            "anthropic-ratelimit-tokens-reset")
        add(
            tightest.inputTokens, "anthropic-ratelimit-input-tokens-limit", "anthropic-ratelimit-input-tokens-remaining",
            "anthropic-ratelimit-input-tokens-reset")
        add(
            tightest.outputTokens, "anthropic-ratelimit-output-tokens-limit", "anthropic-ratelimit-output-tokens-remaining",
            "anthropic-ratelimit-output-tokens-reset")
    }

    // MARK: Refusals

    /// To the millisecond, which SDKs prefer, and that waiting helps.
    static func appendWait(_ rejection: Rejection, to fields: inout HeaderFields) {
        if !rejection.isRetryable { return }
        if let wait = rejection.retryAfter {
            fields.append(.retryAfterMS, "\(max(1, (wait.nanoseconds + 999_999) / 1_000_000))")
        }
        fields.append(.xShouldRetry, "true")
    }
}
