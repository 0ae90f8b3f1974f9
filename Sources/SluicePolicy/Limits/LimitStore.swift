internal import SluiceCore
internal import Synchronization

/// The accounts of limits that are divided by the same values. Shared by all workers; a lock is held for one look.
final class LimitStore: Sendable {
    let by: LimitKey
    /// The buckets of each account, in this order.
    let rules: [LimitRule]
    /// By their values in `LimitKey.all`.
    private let parts: [LimitKey]
    private let shards: [Shard]

    /// Over so many the ones with the least in them are forgotten: names are the callers' to choose.
    static let accountsMax = 100_000
    private static let shardCount = 16
    /// One that was looked at so lately may be in somebody's hands.
    private static let settleNanoseconds: Int64 = 1_000_000_000
    private static let swept = 2
    private static let sampled = 16

    private final class Shard: Sendable {
        struct State {
            var accounts: [Int: LimitAccount] = [:]
            var list: [LimitAccount] = []
            var hand = 0
        }
        let state = Mutex(State())
    }

    init(by: LimitKey, rules: [LimitRule]) {
        self.by = by
        self.rules = rules
        parts = LimitKey.all.map(\.part).filter { by.contains($0) }
        shards = (0..<Self.shardCount).map { _ in Shard() }
    }

    // MARK: Looking up

    func account(of subject: borrowing LimitSubject, at time: LimitTime) -> LimitAccount {
        let hash = hash(of: subject)
        return shard(hash).state.withLock { state in
            if let found = find(hash, subject, state) {
                found.touchedAt = time.now.nanoseconds
                return found
            }
            var values: [String] = []
            for part in parts { values.append(subject.value(of: part)) }
            let account = LimitAccount(hash: hash, values: values, rules: rules, at: time.now.nanoseconds)
            sweep(&state, at: time)
            Self.insert(account, &state)
            return account
        }
    }

    /// Without making one.
    func existing(for subject: borrowing LimitSubject) -> LimitAccount? {
        let hash = hash(of: subject)
        return shard(hash).state.withLock { find(hash, subject, $0) }
    }

    private func hash(of subject: borrowing LimitSubject) -> Int {
        var hasher = Hasher()
        for part in parts { hasher.combine(subject.value(of: part)) }
        return hasher.finalize()
    }

    private func shard(_ hash: Int) -> Shard { shards[Int(UInt(bitPattern: hash) >> 60) % Self.shardCount] }

    private func find(_ hash: Int, _ subject: borrowing LimitSubject, _ state: Shard.State) -> LimitAccount? {
        var candidate = state.accounts[hash]
        while let account = candidate {
            var isSame = true
            for (index, part) in parts.enumerated() where account.values[index] != subject.value(of: part) {
                isSame = false
            }
            if isSame { return account }
            candidate = account.next
        }
        return nil
    }

    var count: Int { shards.reduce(0) { $0 + $1.state.withLock { $0.list.count } } }

    /// All of them, as they are when a shard's turn comes.
    var accounts: [LimitAccount] { shards.flatMap { $0.state.withLock { $0.list } } }

    // MARK: Coming and going

    private static func insert(_ account: LimitAccount, _ state: inout Shard.State) {
        account.next = state.accounts.updateValue(account, forKey: account.hash)
        account.position = state.list.count
        state.list.append(account)
    }

    private static func remove(_ account: LimitAccount, _ state: inout Shard.State) {
        if let first = state.accounts[account.hash], first !== account {
            var before = first
            while let next = before.next, next !== account { before = next }
            before.next = account.next
        } else {
            state.accounts[account.hash] = account.next
        }
        account.next = nil
        let last = state.list.removeLast()
        if last !== account {
            last.position = account.position
            state.list[account.position] = last
        }
    }

    /// Each newcomer makes room for itself: idle accounts go, two looks at a time, and when there are too many the one of a few
    /// that has the least in it.
    private func sweep(_ state: inout Shard.State, at time: LimitTime) {
        for _ in 0..<Self.swept where !state.list.isEmpty {
            state.hand = (state.hand + 1) % state.list.count
            let account = state.list[state.hand]
            let isSettled = time.now.nanoseconds - account.touchedAt > Self.settleNanoseconds
            if isSettled, account.isIdle(rules, at: time) { Self.remove(account, &state) }
        }
        if state.list.count < Self.accountsMax / Self.shardCount { return }
        var lightest: (account: LimitAccount, weight: Double)?
        for _ in 0..<Self.sampled {
            state.hand = (state.hand + 1) % state.list.count
            let account = state.list[state.hand]
            let weight = account.weight(rules, at: time)
            if weight < lightest?.weight ?? 2 { lightest = (account, weight) }
        }
        // Where all are in use there are no more of them than requests under way, and those have a bound of their own.
        if let lightest { Self.remove(lightest.account, &state) }
    }

    // MARK: Another configuration

    /// A store for other limits that has the same accounts, with what is in the buckets of limits that go on.
    func carried(to rules: [LimitRule], at now: Int64) -> LimitStore {
        let store = LimitStore(by: by, rules: rules)
        let sources = rules.map { rule in self.rules.firstIndex { rule.continues($0) } }
        for (index, shard) in shards.enumerated() {
            let accounts = shard.state.withLock { $0.list }
            store.shards[index].state.withLock { state in
                for old in accounts {
                    let copy = LimitAccount(
                        hash: old.hash, values: old.values, rules: rules,
                        carrying: sources.map { $0.map(old.bucket) },
                        shared: old.shared.isEmpty ? [] : sources.map { $0.map { old.shared[$0] } }, at: now)
                    Self.insert(copy, &state)
                }
            }
        }
        return store
    }
}
