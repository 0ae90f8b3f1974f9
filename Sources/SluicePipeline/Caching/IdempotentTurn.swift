internal import SluiceHTTP
internal import SluicePolicy
internal import SluiceStorage

/// What one exchange with an `Idempotency-Key` has to do with others under the same key.
package final class IdempotentTurn {
    package enum State: String, Sendable {
        /// The first under its key: it does the work.
        case first
        /// The reply of an earlier one, sent again.
        case replayed
        /// The reply of one that was under way.
        case joined
    }

    package internal(set) var state = State.first
    let key: CacheKey
    let content: CacheKey
    var isLeader = false
    var lock: LockKeeper?

    init(_ key: CacheKey, content: CacheKey) {
        self.key = key
        self.content = content
    }

    func append(to fields: inout HeaderFields) {
        if state != .first { fields.append(lowercaseName: "x-sluice-idempotent", state.rawValue) }
    }
}
