import SluiceCore
import SluiceHTTP
import SluiceJSON
import SluiceProviders
import TestSupport
import Testing

@Suite struct `How long to wait` {
    // 2026-11-20 12:40 UTC
    private static let now = 1_795_178_400_000

    private func wait(_ lines: [(String, String)], _ body: String? = nil) -> Duration? {
        var fields = HeaderFields()
        for (name, value) in lines { fields.append(name: name.utf8Span.span, value: value.utf8Span.span) }
        guard let body else { return RetryAfter.read(fields, nowMilliseconds: Self.now) }
        let tape = JSONTape()
        guard (try? tape.scan(body.utf8Span.span)) != nil else {
            Issue.record("not JSON: \(body)")
            return nil
        }
        return RetryAfter.read(fields, body: tape.root(over: body.utf8Span.span), nowMilliseconds: Self.now)
    }

    @Test(
        arguments: [
            ("retry-after", "7", 7000), ("Retry-After", " 1.5 ", 1500), ("retry-after", "0", 0),
            ("retry-after", "0.0001", 1),
            ("retry-after", "86400", 3_600_000), ("retry-after", "99999999999999999999", 3_600_000),
            ("retry-after", "Fri, 20 Nov 2026 12:40:37 GMT", 37_000),
            ("retry-after", "Fri, 20 Nov 2026 12:39:00 GMT", 0),
            ("retry-after", "20s", 20_000), ("retry-after-ms", "6521", 6521), ("retry-after-ms", "12.5", 13),
            ("retry-after", "-1", nil), ("retry-after", "soon", nil), ("retry-after", "", nil),
            ("retry-after", "1.", nil),
            ("retry-after", "1e3", nil), ("retry-after", ".", nil), ("retry-after", "nan", nil),
            ("x-ratelimit-reset-requests", "1s", 1000), ("x-ratelimit-reset-requests", "6m0s", 360_000),
            ("x-ratelimit-reset-tokens", "12ms", 12), ("x-ratelimit-reset-tokens", "8.64s", 8640),
            ("x-ratelimit-reset-tokens", "1h2m3s", 3_600_000), ("x-ratelimit-reset-tokens", "2m59.56s", 179_560),
            ("x-ratelimit-reset-project-tokens", "1m30s", 90_000), ("x-ratelimit-reset-tokens", "500µs", 1),
            ("x-ratelimit-reset-tokens", "10", 10_000), ("x-ratelimit-reset", "3", 3000),
            ("x-ratelimit-reset", "1795178405", 5000), ("X-RateLimit-Reset", "1795178400250", 250),
            ("x-ratelimit-reset-tokens", "-1", nil), ("x-ratelimit-reset-tokens", "0", nil),
            ("x-ratelimit-resets", "3", nil), ("x-ratelimit-limit-tokens", "3", nil),
            ("anthropic-ratelimit-requests-reset", "2026-11-20T12:40:59Z", 59_000),
            ("anthropic-ratelimit-input-tokens-reset", "2026-11-20T12:40:00.5Z", 500),
            ("anthropic-ratelimit-tokens-reset", "2026-11-20T12:39:59Z", nil),
            ("anthropic-ratelimit-tokens-remaining", "0", nil), ("x-should-retry", "true", nil),
        ] as [(String, String, Int?)])
    func `a field says how long`(name: String, value: String, milliseconds: Int?) {
        #expect(wait([(name, value)]) == milliseconds.map { .milliseconds($0) })
    }

    @Test func `the most exact field counts, and one that says nothing does not`() {
        #expect(wait([("retry-after", "7"), ("retry-after-ms", "6521")]) == .milliseconds(6521))
        #expect(wait([("retry-after", "7"), ("retry-after-ms", "?")]) == .seconds(7))
        #expect(wait([("x-ratelimit-reset-tokens", "1s"), ("retry-after", "7")]) == .seconds(7))
        #expect(wait([]) == nil)
    }

    @Test func `of the buckets the empty ones count, and otherwise the one that fills first`() {
        let resets = [("x-ratelimit-reset-requests", "8.64s"), ("x-ratelimit-reset-tokens", "20ms")]
        #expect(wait(resets) == .milliseconds(20))
        #expect(wait(resets + [("x-ratelimit-remaining-requests", "0")]) == .milliseconds(8640))
        #expect(
            wait(resets + [("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-remaining-tokens", "0")])
                == .milliseconds(8640))
        #expect(
            wait([
                ("anthropic-ratelimit-requests-reset", "2026-11-20T12:40:01Z"),
                ("anthropic-ratelimit-requests-remaining", "12"),
                ("anthropic-ratelimit-output-tokens-reset", "2026-11-20T12:40:30Z"),
                ("anthropic-ratelimit-output-tokens-remaining", "0"),
            ]) == .seconds(30))
    }

    @Test(
        arguments: [
            (
                #"{"error":{"code":429,"details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"37s"}]}}"#,
                37_000
            ),
            (#"[{"error":{"details":[{"retryDelay":"1.5s"}]}}]"#, 1500),
            (#"{"error":{"details":[{"retryDelay":"17"}]}}"#, nil),
            (
                #"{"error":{"message":"Requests have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 7 seconds. Please go here: https://aka.ms/x"}}"#,
                7000
            ),
            (
                #"{"error":{"message":"Your account request reached max organization concurrency: 1, please try again after 1 seconds"}}"#,
                1000
            ),
            (#"{"error":{"message":"Limit 30000, Used 29500, Requested 800. Please try again in 600ms."}}"#, 600),
            (#"{"error":{"message":"Please try again in 1m26.4s. Visit"}}"#, 86_400),
            (#"{"error":{"message":"Please try again in 20s"}}"#, 20_000),
            (#"{"error":"Try again in 2 minutes."}"#, 120_000),
            (#"{"message":"Rate limited. Retry after 3 s"}"#, 3000), (#"{"retry_after":2.5}"#, 2500),
            (#"{"error":{"retry_after":"4"}}"#, 4000), (#"{"error":{"message":"Try again in a while"}}"#, nil),
            (#"{"error":{"message":"It failed in 20s"}}"#, nil),
            (#"{"error":{"message":"try again in 5 apples"}}"#, nil),
            (#"{"error":{"message":"Too many requests, please wait before trying again."}}"#, nil), ("7", nil),
            ("[]", nil),
            (#"{"retry_after":-1}"#, nil), (#"{"retry_after":null}"#, nil),
            (#"{"error":{"message":"retry after "}}"#, nil),
        ] as [(String, Int?)])
    func `a body says how long`(body: String, milliseconds: Int?) {
        #expect(wait([], body) == milliseconds.map { .milliseconds($0) })
    }

    @Test func `a stated field goes before the body, and the body before a reset`() {
        let body = #"{"error":{"details":[{"retryDelay":"37s"}]}}"#
        #expect(wait([("retry-after", "2")], body) == .seconds(2))
        #expect(wait([("x-ratelimit-reset-tokens", "1s")], body) == .seconds(37))
    }

    @Test func `noise neither traps nor leaves the bounds`() {
        let alphabet = Array("0123456789.:-+smhTZ µ,GMT ".utf8)
        let names = ["retry-after", "retry-after-ms", "x-ratelimit-reset-tokens", "anthropic-ratelimit-tokens-reset"]
        for seed in SplitMix64.seeds(5_000) {
            var random = SplitMix64(seed)
            let value = (0..<Int.random(in: 0...30, using: &random)).map { _ in alphabet.randomElement(using: &random)!
            }
            let text = String(decoding: value, as: UTF8.self)
            if let wait = wait([(names.randomElement(using: &random)!, text)]) {
                #expect(wait >= .zero && wait <= RetryAfter.longest, "seed \(seed): \(text)")
            }
        }
    }
}
