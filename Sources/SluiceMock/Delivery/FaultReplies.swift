internal import SluiceHTTP
internal import SluiceJSON

/// What is answered when a behaviour asks for something else than an answer.
enum FaultReplies {
    /// Where a redirect leads: a path of the mock that counts who follows.
    static let redirectTarget = "/mock/redirected"

    /// - Returns: `nil` where the endpoint's own answer is wanted.
    static func reply(for behaviour: Behaviour, model: String) -> Reply? {
        switch behaviour.fault {
        case .status(let status):
            let error = APIError.status(status, model: model, wait: behaviour.retry.waitMilliseconds ?? 20_000)
            return advised(Reply(error), behaviour.retry)
        case .quota: return advised(Reply(.quota), behaviour.retry)
        case .contextLength: return Reply(.contextLength)
        case .promptRefused: return Reply(.promptRefused)
        case .errorIn200:
            var reply = Reply(.serverError)
            reply.status = 200
            return reply
        case .redirect:
            var reply = Reply { $0.object { _ in } }
            reply.status = 307
            reply.fields.append(("location", redirectTarget))
            return reply
        default: return nil
        }
    }

    static func advised(_ reply: Reply, _ retry: RetryAdvice) -> Reply {
        var reply = reply
        if let seconds = retry.seconds { reply.fields.append(("retry-after", "\(seconds)")) }
        if let seconds = retry.dateSeconds {
            let date = HTTPDate.bytes(secondsSince1970: WallClock.seconds + seconds)
            reply.fields.append(("retry-after", String(decoding: date, as: UTF8.self)))
        }
        if let milliseconds = retry.milliseconds { reply.fields.append(("retry-after-ms", "\(milliseconds)")) }
        if let shouldRetry = retry.shouldRetry { reply.fields.append(("x-should-retry", "\(shouldRetry)")) }
        if reply.status == 429 { reply.rateLimitWait = retry.waitMilliseconds ?? 20_000 }
        return reply
    }
}
