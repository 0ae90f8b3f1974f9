internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import Synchronization

/// What the mock was asked and what became of it, for tests to look at: the last requests, and counts by model.
///
/// All workers share it; its lock is held for a few lines.
final class Ledger: Sendable {
    /// A request's place in the ledger.
    struct Admission: Sendable {
        /// Counted over all requests from 1.
        let number: Int
        /// Counted over the model's requests from 1.
        let attempt: Int
        let model: String
        /// The end of the key that came with it; empty without one.
        let key: String
    }

    enum Outcome: Sendable {
        case answered(Status)
        /// What was asked to go wrong went wrong; with the status, if a head was sent.
        case failed(StaticString, Status?)
        /// The other side left.
        case cancelled(after: Duration)
    }

    fileprivate struct State {
        var number = 0
        /// Request `number` stands at `number` modulo how many are kept; `nil` where none was yet.
        var entries: [LedgerEntry?] = []
        var models: [String: ModelCounts] = [:]
        var keys: [String: ModelCounts] = [:]
        var requestIDs: Set<UInt64> = []
        var redirectsFollowed = 0
    }

    private let state = Mutex(State())
    private let kept: Int

    /// Bounds of what is remembered.
    static let modelsMax = 4096
    private static let keysMax = 4096
    /// How much of a key is shown, in characters.
    private static let keyTailCount = 8
    private static let requestIDsMax = 65_536
    /// Models beyond the bound are counted together.
    private static let otherModels = "(others)"

    /// - Parameter kept: how many requests are kept to be shown.
    init(kept: Int) { self.kept = kept }

    func enter(_ head: RequestHead, _ body: ByteBuffer, model: String, isTLS: Bool) -> Admission {
        let id = Self.requestID(head)
        let key = Self.keyTail(head)
        let entry = kept > 0 ? LedgerEntry(head, body, model: model, isTLS: isTLS) : nil
        return state.withLock { state in
            state.number += 1
            let isKnown = state.models[model] != nil || state.models.count < Self.modelsMax
            let name = isKnown ? model : Self.otherModels
            let isRetry = id.map { !state.remember($0, atMost: Self.requestIDsMax) } ?? false
            let attempt = state.models[name, default: ModelCounts()].enter(isRetry: isRetry)
            if !key.isEmpty, state.keys[key] != nil || state.keys.count < Self.keysMax {
                _ = state.keys[key, default: ModelCounts()].enter(isRetry: isRetry)
            }
            if let entry {
                entry.number = state.number
                entry.attempt = attempt
                state.keep(entry, atMost: kept)
            }
            return Admission(number: state.number, attempt: attempt, model: name, key: key)
        }
    }

    func leave(_ admission: Admission, _ outcome: Outcome) {
        state.withLock { state in
            state.models[admission.model]?.leave(outcome)
            state.keys[admission.key]?.leave(outcome)
            let place = admission.number % max(kept, 1)
            if place < state.entries.count, state.entries[place]?.number == admission.number {
                state.entries[place]?.outcome = outcome
            }
        }
    }

    func followRedirect() { state.withLock { $0.redirectsFollowed += 1 } }

    func reset() {
        state.withLock { state in
            let number = state.number
            state = State()
            state.number = number
        }
    }

    /// The end of a key that is sent as it is; what a signature is made with is not known.
    private static func keyTail(_ head: RequestHead) -> String {
        let names: [StaticString] = ["x-api-key", "api-key", "x-goog-api-key"]
        let bearer = head.fields.index(of: .authorization)
        guard let index = bearer ?? names.lazy.compactMap({ head.fields.index(named: $0) }).first else { return "" }
        let value = head.fields.value(at: index)
        if bearer != nil, !value.hasPrefixIgnoringCase("bearer ") { return "" }
        return String(decoding: value.extracting(max(value.count - keyTailCount, 0)...))
    }

    private static func requestID(_ head: RequestHead) -> UInt64? {
        guard let index = head.fields.index(of: .xRequestID) else { return nil }
        let value = head.fields.value(at: index)
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325  // FNV-1a
        for index in value.indices { hash = (hash ^ UInt64(value[index])) &* 0x100_0000_01B3 }
        return hash
    }

    // MARK: Shown

    /// `GET /mock/requests`: the last `limit`, oldest first.
    func writeRequests(limit: Int, _ json: inout JSONWriter) {
        let entries = state.withLock {
            Array($0.entries.compactMap(\.self).sorted { $0.number < $1.number }.suffix(limit))
        }
        json.object { json in
            json.key("requests")
            json.array { json in
                for entry in entries {
                    let outcome = state.withLock { _ in entry.outcome }
                    entry.write(outcome, &json)
                }
            }
        }
    }

    /// `GET /mock/counts`.
    func writeCounts(_ json: inout JSONWriter) {
        let (models, keys, redirects) = state.withLock { ($0.models, $0.keys, $0.redirectsFollowed) }
        json.object { json in
            for (kind, counts) in [("models" as StaticString, models), ("keys", keys)] {
                json.key(kind)
                json.object { json in
                    for (name, counts) in counts.sorted(by: { $0.key < $1.key }) {
                        json.key(name.utf8Span.span)
                        counts.write(&json)
                    }
                }
            }
            json.key("total")
            models.values.reduce(into: ModelCounts()) { $0.add($1) }.write(&json)
            json.member("redirects_followed", redirects)
        }
    }
}

extension Ledger.State {
    /// - Returns: whether the identifier is new.
    fileprivate mutating func remember(_ id: UInt64, atMost limit: Int) -> Bool {
        if requestIDs.count >= limit { requestIDs.removeAll(keepingCapacity: true) }
        return requestIDs.insert(id).inserted
    }

    /// The newest takes the place of the oldest.
    fileprivate mutating func keep(_ entry: LedgerEntry, atMost limit: Int) {
        if entries.isEmpty { entries = Array(repeating: nil, count: limit) }
        entries[entry.number % limit] = entry
    }
}
