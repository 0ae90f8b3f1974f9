internal import SluiceCore
package import SluiceHTTP
package import SluiceJSON

/// How long a provider asks to be left alone, in every spelling that providers use.
///
/// The first of these that says something counts: `retry-after-ms`, `retry-after`, the error's body (Google's
/// `RetryInfo`, `retry_after`, then a sentence such as "Please try again in 600ms"), and the `reset` of rate limits. A
/// reset says when a bucket is full again, which is longer than needed: it is asked last, of the buckets that are empty
/// if any are said to be, and otherwise of the one that fills first.
package enum RetryAfter {
    /// Longer waits count as this.
    package static let longest = Duration.seconds(3600)
    private static let longestMilliseconds = 3_600_000

    /// - Parameters:
    ///   - fields: of the response.
    ///   - body: of the response, if it is JSON.
    ///   - milliseconds: now, since 1970.
    /// - Returns: 0 to `longest`; `nil` if the provider said nothing that can be understood.
    package static func read(
        _ fields: borrowing HeaderFields, body: JSONValue? = nil, nowMilliseconds now: Int
    ) -> Duration? {
        let wait = stated(fields, now) ?? fromBody(body) ?? ResetFields.wait(fields, now)
        return wait.map { .milliseconds(min(max($0, 0), longestMilliseconds)) }
    }

    // MARK: Fields

    private static func stated(_ fields: borrowing HeaderFields, _ now: Int) -> Int? {
        if let index = fields.index(of: .retryAfterMS),
            let wait = RetryText.milliseconds(fields.value(at: index), .milliseconds)
        {
            return wait
        }
        guard let index = fields.index(of: .retryAfter) else { return nil }
        let value = fields.value(at: index)
        if let wait = RetryText.milliseconds(value, .seconds) { return wait }
        return CivilDate.seconds(http: value).map { $0 * 1000 - now }
    }

    // MARK: Bodies

    private static func fromBody(_ body: JSONValue?) -> Int? {
        guard let body else { return nil }
        // Google wraps the error of a stream in an array.
        if body.isArray { return fromError(body[0]) }
        return fromError(body)
    }

    private static func fromError(_ root: JSONValue?) -> Int? {
        guard let root else { return nil }
        if let error = root["error"], error.isObject, let wait = fromMembers(of: error) { return wait }
        return fromMembers(of: root) ?? sentence(root["error"])
    }

    private static func fromMembers(of error: JSONValue) -> Int? {
        retryInfo(error["details"]) ?? number(error["retry_after"]) ?? sentence(error["message"])
    }

    /// `{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"37s"}`
    private static func retryInfo(_ details: JSONValue?) -> Int? {
        guard let details else { return nil }
        var elements = details.elements
        while let detail = elements.next() {
            if let delay = detail["retryDelay"], let text = delay.unescapedBytes {
                return RetryText.milliseconds(text, nil)
            }
        }
        return nil
    }

    /// Seconds, as a number or a text.
    private static func number(_ value: JSONValue?) -> Int? {
        guard let value else { return nil }
        if let text = value.unescapedBytes { return RetryText.milliseconds(text, .seconds) }
        return RetryText.milliseconds(value.rawBytes, .seconds)
    }

    private static func sentence(_ value: JSONValue?) -> Int? {
        guard let value, let text = value.escapedBytes else { return nil }
        return RetryText.wait(inSentence: text)
    }
}
