internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet

/// A provider's error reply as the application gets it, if no other attempt does better.
struct ProviderErrorReply {
    let status: Status
    var fields: HeaderFields
    let body: ByteBuffer

    func send(_ context: RequestContext) {
        context.status = status
        context.outcome = .providerError
        context.exchange.sendHead(ResponseHead(status, fields: fields), body: .known(body.count))
        context.exchange.send(sharing: body)
        context.exchange.finish()
    }
}

/// What the application is told if nothing better comes: of the attempts' errors the most telling one, of equals the last.
struct LastWords {
    var telling: Int
    var rejection: Rejection
    var reply: ProviderErrorReply?
    var upstreamStatus: Status?
    var upstreamRequestID: String?
}

extension RequestContext {
    /// Keeps an attempt's error, unless a more telling one is kept already.
    func keep(_ rejection: Rejection, telling: Int) {
        if let lastWords, lastWords.telling > telling { return }
        lastWords = LastWords(
            telling: telling, rejection: rejection, reply: attempt.errorReply, upstreamStatus: attempt.upstreamStatus,
            upstreamRequestID: attempt.upstreamRequestID)
    }

    /// Tells what is kept, as it came or as a rejection.
    ///
    /// - Returns: what is still to be told; `nil` if it was.
    func tellLastWords() -> Rejection? {
        guard var words = lastWords else { return nil }
        let wait = soonestRetry.map { max(.zero, $0 - exchange.loop.now) }
        attempt.upstreamStatus = words.upstreamStatus
        attempt.upstreamRequestID = words.upstreamRequestID
        let hasRetried = attempts > 1
        guard words.reply != nil, !isInStream, !Caching.hasStale(for: words.rejection, self) else { return words.rejection.afterwards(hasRetried: hasRetried, soonest: wait) }
        if hasRetried {
            // An application's own attempts would multiply with ours (theme 3.8).
            words.reply?.fields.remove(.xShouldRetry)
            words.reply?.fields.append(.xShouldRetry, "false")
            words.reply?.fields.remove(named: "x-sluice-attempts")
            words.reply?.fields.append(lowercaseName: "x-sluice-attempts", "\(attempts)")
            if let wait, words.rejection.mayPassLater {
                words.reply?.fields.remove(.retryAfterMS)
                words.reply?.fields.remove(.retryAfter)
                words.reply?.fields.append(.retryAfter, "\(Rejection.seconds(wait))")
            }
        }
        words.reply?.send(self)
        return nil
    }
}

extension Rejection {
    /// A wait in whole seconds, at least one.
    static func seconds(_ wait: Duration) -> Int { max(1, Int((wait.nanoseconds + 999_999_999) / 1_000_000_000)) }

    /// Whether time makes it better.
    var mayPassLater: Bool { status.code == 429 || status.code >= 500 }

    /// The same after attempts that did not help.
    ///
    /// - Parameter soonest: when one of those who were asked may be asked again.
    func afterwards(hasRetried: Bool, soonest: Duration?) -> Rejection {
        Rejection(
            owner, status, type: type, code: code, message, param: param, isRetryable: isRetryable && !hasRetried,
            retryAfter: mayPassLater ? soonest ?? retryAfter : retryAfter)
    }
}
