package import SluiceCore
internal import Synchronization

/// Until when the keys of a target are closed, because the provider said so: `Retry-After` and its like.
///
/// Shared by all workers; almost always empty, and then nobody needs the lock.
package final class KeyClosures: Sendable {
    package struct Closure: Sendable, Equatable {
        /// The key's place among the provider's, `noKey` or `everyKey`.
        package let key: Int
        package let until: Instant
    }

    /// Stands for no key, at a provider that is asked without one.
    package static let noKey = -1
    /// Stands for the target as a whole, whatever it is asked with.
    package static let everyKey = -2
    /// Providers have no more keys than that; a closure beyond is forgotten.
    private static let countMax = 1024

    private let count = Atomic<Int>(0)
    private let closures = Mutex<[Closure]>([])

    package init() {}

    /// Whether no key is closed, or none was when last looked.
    package var isEmpty: Bool { count.load(ordering: .relaxed) == 0 }

    /// Closes a key; one that is closed for longer stays so.
    ///
    /// - Returns: whether it was open before.
    @discardableResult package func close(_ key: Int, until: Instant, at now: Instant) -> Bool {
        closures.withLock { closures in
            closures.removeAll { $0.until <= now }
            let known = closures.firstIndex { $0.key == key }
            if let known {
                if closures[known].until < until { closures[known] = Closure(key: key, until: until) }
            } else if closures.count < Self.countMax {
                closures.append(Closure(key: key, until: until))
            }
            count.store(closures.count, ordering: .relaxed)
            return known == nil
        }
    }

    /// When the key opens; `nil` if it is open.
    package func opening(of key: Int?, at now: Instant) -> Instant? {
        if isEmpty { return nil }
        let key = key ?? Self.noKey
        return current(at: now).filter { $0.key == key || $0.key == Self.everyKey }.map(\.until).max()
    }

    /// When the target opens that is closed as a whole; `nil` if it is not.
    package func openingOfWhole(at now: Instant) -> Instant? {
        isEmpty ? nil : current(at: now).first { $0.key == Self.everyKey }?.until
    }

    /// When the first of so many keys opens; `nil` if one is open.
    ///
    /// - Parameter keyCount: 0 for a provider that is asked without one.
    package func soonestOpening(ofKeys keyCount: Int, at now: Instant) -> Instant? {
        if isEmpty { return nil }
        let keys = keyCount == 0 ? Self.noKey..<0 : 0..<keyCount
        var whole: Instant?
        var soonest: Instant?
        var closedCount = 0
        for closure in current(at: now) {
            if closure.key == Self.everyKey { whole = closure.until }
            if !keys.contains(closure.key) { continue }
            closedCount += 1
            soonest = soonest.map { min($0, closure.until) } ?? closure.until
        }
        guard closedCount == keys.count, let soonest else { return whole }
        return whole.map { max($0, soonest) } ?? soonest
    }

    /// What is closed now.
    package func current(at now: Instant) -> [Closure] {
        closures.withLock { closures in
            closures.removeAll { $0.until <= now }
            count.store(closures.count, ordering: .relaxed)
            return closures
        }
    }

    package func openAll() {
        closures.withLock { closures in
            closures.removeAll()
            count.store(0, ordering: .relaxed)
        }
    }
}
