internal import Synchronization

/// API keys by their hashes. Shared by all workers: replaced at one instant, or changed key by key.
///
/// What is not there takes the same path as what is there and may not come in: the time tells nobody which keys exist.
package final class KeyTable: Sendable {
    private let state: Mutex<KeyTableState>

    package init(_ records: [KeyRecord] = []) { state = Mutex(KeyTableState(records)) }

    // MARK: The request's question

    /// - Parameter now: seconds since 1970.
    package func check(_ digest: KeyDigest, under policy: AccessPolicy, at now: Int) -> CredentialVerdict {
        state.withLock { $0.check(digest, policy, now) }
    }

    /// The same for a key that was shown before, and is known by its id since.
    package func check(id: String, under policy: AccessPolicy, at now: Int) -> CredentialVerdict {
        state.withLock { $0.check(id: id, policy, now) }
    }

    package var isEmpty: Bool { state.withLock { $0.count == 0 } }

    // MARK: Changes

    /// Puts other keys in the place of all; when those that stay were used last is kept.
    package func replace(_ records: [KeyRecord]) {
        let fresh = KeyTableState(records)
        state.withLock { state in
            var fresh = fresh
            fresh.takeTimes(from: state)
            state = fresh
        }
    }

    /// Adds a key, or puts it in the place of the one with its id.
    package func insert(_ record: KeyRecord) { state.withLock { $0.insert(record) } }

    /// - Returns: whether there is such a key.
    @discardableResult package func disable(_ id: String) -> Bool { change(id) { $0.isDisabled = true } }

    /// - Returns: whether there was such a key.
    @discardableResult package func remove(_ id: String) -> Bool { state.withLock { $0.remove(id) } }

    /// Gives a key another secret; the old one is taken until `overlapEnd`, in seconds since 1970.
    ///
    /// - Returns: whether there is such a key.
    @discardableResult package func rotate(_ id: String, to digest: KeyDigest, overlapEnd: Int) -> Bool {
        change(id) { record in
            record.previous = KeyRecord.Previous(digest: record.digest, until: overlapEnd)
            record.digest = digest
        }
    }

    private func change(_ id: String, _ body: (inout KeyRecord) -> Void) -> Bool {
        state.withLock { state in
            guard var record = state.record(id) else { return false }
            body(&record)
            state.insert(record)
            return true
        }
    }

    // MARK: For those who manage them

    package var count: Int { state.withLock { $0.count } }
    package func record(_ id: String) -> KeyRecord? { state.withLock { $0.record(id) } }
    package var records: [KeyRecord] { state.withLock { $0.records } }
    /// Keys that were used then or later, in seconds since 1970, and when. The lock is held for a few of them at a time.
    package func uses(since seconds: Int) -> [KeyUse] {
        var uses: [KeyUse] = []
        var position = 0
        while state.withLock({ $0.appendUses(since: seconds, from: &position, to: &uses) }) {}
        return uses
    }

    /// What is known of an earlier process: later uses count.
    package func remember(_ uses: [KeyUse]) {
        state.withLock { state in for use in uses { state.remember(use) } }
    }

    /// In seconds since 1970; `nil` if it is not known to have been used.
    package func lastUsed(_ id: String) -> Int? { state.withLock { $0.lastUsed(id) } }
}

/// When a key was last used.
package struct KeyUse: Sendable, Equatable {
    /// Of the key.
    package let id: String
    /// Seconds since 1970.
    package let seconds: Int

    package init(id: String, seconds: Int) {
        self.id = id
        self.seconds = seconds
    }
}
