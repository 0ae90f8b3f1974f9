/// The words that a behaviour is told in, with what each does: one list for the parser and for the help.
enum BehaviourKey: String, CaseIterable {
    case latency = "latency-ms"
    case firstToken = "first-token-ms"
    case event = "event-ms"
    case tokenRate = "token-rate"
    case burst, jitter, seed
    case tokens, text, vary, arguments, reasoning
    case prefill
    case toolCalls = "tool-calls"
    case usage
    case promptTokens = "prompt-tokens"
    case completionTokens = "completion-tokens"
    case cachedTokens = "cached-tokens"
    case reasoningTokens = "reasoning-tokens"
    case strict
    case status
    case retryAfter = "retry-after"
    case retryAfterDate = "retry-after-date"
    case retryAfterMS = "retry-after-ms"
    case shouldRetry = "should-retry"
    case quota
    case contextLength = "context-length"
    case contentFilter = "content-filter"
    case redirect
    case errorIn200 = "error-in-200"
    case reset, close, silence, garbage
    case slowHead = "slow-head"
    case hugeHead = "huge-head"
    case slowBody = "slow-body"
    case badLength = "bad-length"
    case drip = "drip-ms"
    case comments = "comments-ms"
    case cut
    case cutClean = "cut-clean"
    case stall
    case errorEvent = "error-event"
    case malformed
    case noDone = "no-done"
    case noFinish = "no-finish"
    case times, after, every, flap, chance

    /// What may stand after the equals sign; `nil` if nothing may.
    var value: String? {
        switch self {
        case .latency, .firstToken, .event, .retryAfterMS, .drip, .comments: "MS"
        case .tokenRate, .tokens, .toolCalls, .promptTokens, .completionTokens, .cachedTokens, .reasoningTokens: "N"
        case .seed, .times, .after, .every: "N"
        case .flap: "N[:M]"
        case .jitter, .chance: "SHARE"
        case .prefill: "continue|ignore|refuse"
        case .text, .arguments, .reasoning: "TEXT"
        case .usage: "none"
        case .status: "STATUS"
        case .retryAfter, .retryAfterDate: "SECONDS"
        case .shouldRetry: "true|false"
        case .contentFilter: "[refuse]"
        case .cut, .cutClean, .stall, .errorEvent, .vary: "[SHARE]"
        case .burst, .strict, .quota, .contextLength, .redirect, .errorIn200, .reset, .close, .silence, .garbage: nil
        case .slowHead, .hugeHead, .slowBody, .badLength, .malformed, .noDone, .noFinish: nil
        }
    }

    /// Whether it is said by a flag of its own on the command line; faults are said by `--fault`.
    var isFlag: Bool {
        switch self {
        case .latency, .firstToken, .event, .tokenRate, .burst, .jitter, .seed, .tokens, .text, .vary, .prefill,
            .toolCalls, .strict:
            true
        default: false
        }
    }

    var doc: String {
        switch self {
        case .latency: "wait before the response's head"
        case .firstToken: "wait between the head and the first content of a stream"
        case .event: "one content event in so many milliseconds"
        case .tokenRate: "content events a second; 0: as fast as it goes, each in a write of its own (default)"
        case .burst: "as fast as it goes, many events in one write"
        case .jitter: "gaps between events vary by this share, 0 to 1"
        case .seed: "what jitter and identifiers are drawn from (default 1)"
        case .tokens: "answer with so many tokens of filler; without it the last user message is echoed"
        case .text: "answer with this text, percent-encoded"
        case .vary: "another answer each time, from this share of it on (0)"
        case .prefill: "what becomes of an assistant's message at the end: the answer goes on after it, or not, or 400"
        case .arguments: "arguments of tool calls, percent-encoded; without it they are made from the schema"
        case .reasoning: "reason first, with this text, in dialects that have reasoning"
        case .toolCalls: "tools called at once when the request has tools (default 1; 0: text)"
        case .usage: "leave usage out even when it is asked for"
        case .promptTokens: "report so many prompt tokens"
        case .completionTokens: "report so many completion tokens"
        case .cachedTokens: "report so many cached prompt tokens"
        case .reasoningTokens: "report so many reasoning tokens"
        case .strict: "refuse unknown members of a chat request, as api.openai.com does"
        case .status: "answer with this error, 400 to 599"
        case .retryAfter: "retry-after in seconds, with an error"
        case .retryAfterDate: "retry-after as a date, so many seconds from now"
        case .retryAfterMS: "retry-after-ms, with an error"
        case .shouldRetry: "x-should-retry, with an error"
        case .quota: "429 insufficient_quota"
        case .contextLength: "400 context_length_exceeded"
        case .contentFilter: "finish reason content_filter half-way; =refuse: 400 content_filter"
        case .redirect: "307 to /mock/redirected, which counts who follows"
        case .errorIn200: "an error object with status 200"
        case .reset: "reset the connection before the head"
        case .close: "close the connection before the head"
        case .silence: "never answer"
        case .garbage: "answer with what is not HTTP"
        case .slowHead: "the head drips for about a second"
        case .hugeHead: "256 KB of header fields"
        case .slowBody: "a body that is no stream drips for about a second"
        case .badLength: "the body is shorter than its content-length"
        case .drip: "the body comes 16 bytes at a time, one write in so many milliseconds"
        case .comments:
            "a keep-alive in so many milliseconds before the first token or after a stall; without either, nothing else"
        case .cut: "close the connection after this share of the content (0.66)"
        case .cutClean: "end the body properly there, without finish reason and [DONE]"
        case .stall: "send nothing more after this share (0.5), and keep the connection"
        case .errorEvent: "an error event as the first event of a stream; =SHARE: after that share"
        case .malformed: "one event that is not JSON, in the middle"
        case .noDone: "no [DONE] after the finish reason"
        case .noFinish: "[DONE] without a finish reason"
        case .times: "faults hit the first N requests of the model, the others pass"
        case .after: "the first N requests pass, faults hit the others"
        case .every: "faults hit the first of every N requests"
        case .flap: "N requests fail, M pass (N), and again"
        case .chance: "faults hit this share of the requests, drawn from the seed"
        }
    }
}
