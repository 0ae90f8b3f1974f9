package import SluiceCore
internal import Synchronization

/// A provider's credentials, which take turns. One that the provider refuses is set aside for a while, with the reason.
///
/// Shared by all workers: what one learns the others know.
package final class KeyRing: Sendable {
    /// Why a key is not used.
    package enum Reason: String, Sendable {
        /// The provider does not know it, or has disabled it.
        case refused
        /// Its quota is spent.
        case exhausted
    }

    /// One key that is set aside.
    package struct Aside: Sendable {
        package let index: Int
        package let reason: Reason
        package let until: Instant
    }

    package let credentials: [Credential]
    private let turn = Atomic<UInt>(0)
    /// How many are set aside: almost always none, and then nobody needs the lock.
    private let asideCount = Atomic<Int>(0)
    private let aside = Mutex<[Aside]>([])

    /// How long a key that was refused is left alone: somebody has to act, and may have.
    private static let refusedFor = Duration.seconds(300)
    /// A quota comes back by itself at the earliest with a new minute.
    private static let exhaustedFor = Duration.seconds(60)

    package init(_ credentials: [Credential]) { self.credentials = credentials }

    package var isEmpty: Bool { credentials.isEmpty }
    package var count: Int { credentials.count }

    /// The place of the next key in turn that is not set aside; the one that is free the soonest if all are. `nil` if there are no keys.
    package func next(at now: Instant) -> Int? {
        let count = UInt(credentials.count)
        if count == 0 { return nil }
        if count == 1 { return 0 }
        let start = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        if asideCount.load(ordering: .relaxed) == 0 { return Int(start % count) }
        let aside = current(at: now)
        for offset in 0..<count {
            let index = Int((start &+ offset) % count)
            if !aside.contains(where: { $0.index == index }) { return index }
        }
        return aside.min { $0.until < $1.until }?.index
    }

    /// The next key in turn that is neither set aside nor closed; as `next(at:)` if there is none.
    package func next(at now: Instant, unless isClosed: (Int) -> Bool) -> Int? {
        let count = UInt(credentials.count)
        if count < 2 { return next(at: now) }
        let start = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        let aside = current(at: now)
        for offset in 0..<count {
            let index = Int((start &+ offset) % count)
            if !isClosed(index), !aside.contains(where: { $0.index == index }) { return index }
        }
        return next(at: now)
    }

    /// Whether another key than this one could be used.
    package func hasOther(than index: Int, at now: Instant) -> Bool {
        if credentials.count < 2 { return false }
        let aside = current(at: now)
        return credentials.indices.contains { place in place != index && !aside.contains { $0.index == place } }
    }

    /// - Returns: whether it was not set aside before.
    @discardableResult package func setAside(_ index: Int, _ reason: Reason, for wait: Duration? = nil, at now: Instant)
        -> Bool
    {
        let wait = wait ?? (reason == .refused ? Self.refusedFor : Self.exhaustedFor)
        return aside.withLock { aside in
            let isNew = !aside.contains { $0.index == index && now < $0.until }
            aside.removeAll { $0.index == index }
            aside.append(Aside(index: index, reason: reason, until: now + wait))
            asideCount.store(aside.count, ordering: .relaxed)
            return isNew
        }
    }

    /// The keys that are set aside now.
    package func current(at now: Instant) -> [Aside] {
        aside.withLock { aside in
            aside.removeAll { $0.until <= now }
            asideCount.store(aside.count, ordering: .relaxed)
            return aside
        }
    }
}
