internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet

/// A provider's error reply as the application gets it, if no other attempt does better.
struct ProviderErrorReply {
    let status: Status
    var fields: HeaderFields
    let body: ByteBuffer

    /// An application's own attempts would multiply with ours (theme 3.8).
    ///
    /// - Parameter soonest: when one of those who were asked may be asked again.
    mutating func noteAttempts(_ count: Int, soonest: Duration?) {
        fields.remove(.xShouldRetry)
        fields.append(.xShouldRetry, "false")
        fields.remove(named: "x-sluice-attempts")
        fields.append(lowercaseName: "x-sluice-attempts", "\(count)")
        guard let soonest else { return }
        fields.remove(.retryAfterMS)
        fields.remove(.retryAfter)
        fields.append(.retryAfter, "\(Rejection.seconds(soonest))")
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

    /// What is kept, with what the attempts taught: as a rejection, and in `verbatim` as the reply that said so.
    func takeLastWords() -> Rejection? {
        guard let words = lastWords else { return nil }
        let wait = soonestRetry.map { max(.zero, $0 - exchange.loop.now) }
        attempt.upstreamStatus = words.upstreamStatus
        attempt.upstreamRequestID = words.upstreamRequestID
        let hasRetried = attempts > 1
        verbatim = words.reply
        if hasRetried { verbatim?.noteAttempts(attempts, soonest: words.rejection.mayPassLater ? wait : nil) }
        return words.rejection.afterwards(hasRetried: hasRetried, soonest: wait)
    }

    /// Sends the provider's own error, where there is one to tell.
    ///
    /// - Returns: whether it was sent.
    func tellVerbatim() -> Bool {
        guard let verbatim, !exchange.isHeadSent else { return false }
        status = verbatim.status
        outcome = .providerError
        exchange.sendHead(
            ResponseHead(verbatim.status, fields: verbatim.fields), body: .known(verbatim.body.count))
        exchange.send(sharing: verbatim.body)
        exchange.finish()
        return true
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
