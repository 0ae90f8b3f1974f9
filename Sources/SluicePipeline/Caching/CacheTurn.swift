internal import SluiceCore
internal import SluiceHTTP
package import SluicePolicy
internal import SluiceProviders
package import SluiceStorage

/// What one exchange has to do with the cache.
package final class CacheTurn {
    package enum State: String, Sendable {
        case hit
        case miss
        /// A kept answer that is no longer fresh.
        case stale
        /// Nothing was looked for, and nothing will be kept.
        case bypass
        /// The answer to a request like it, which was under way.
        case joined
    }

    package enum Level: String, Sendable { case memory, redis }

    package internal(set) var state: State
    /// Where the answer came from, if it did not come from a provider.
    package internal(set) var level: Level?
    /// What was sent of what is kept.
    package internal(set) var served: CacheEntry?
    let request: CacheRequest?
    /// Others may wait for how this one ends.
    var isLeader = false
    /// Other processes may, too.
    var lock: LockKeeper?
    /// What a stream of responses events repeats of its request; `nil` where the stream has to be the provider's own.
    var echo: ResponsesEcho?
    /// No longer fresh, but better than a failure.
    var spare: CacheEntry?

    /// - Parameter request: `nil` where nothing is looked for or kept.
    init(_ state: State, _ request: CacheRequest?) {
        self.state = state
        self.request = request
    }

    /// Whether no provider was asked for this exchange.
    package var isAnswered: Bool { served != nil }

    package var key: CacheKey? { request?.key }

    /// What the application is told.
    func append(to fields: inout HeaderFields, now: Instant) {
        fields.append(name: "x-sluice-cache".utf8Span.span, value: state.rawValue.utf8Span.span)
        if let key {
            let digits = key.prefixDigits
            fields.append(name: "x-sluice-cache-key".utf8Span.span, value: digits.span)
        }
        guard let served else { return }
        let seconds = served.lifetime.age(at: now).nanoseconds / 1_000_000_000
        if seconds == 0 { fields.append(.age, "0" as StaticString) } else { fields.append(.age, "\(seconds)") }
    }
}

/// A request whose answer may be kept.
struct CacheRequest {
    let key: CacheKey
    let form: AnswerForm
    let rule: CacheRule
    let wishes: CacheWishes
}
