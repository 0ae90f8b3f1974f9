package import SluiceCore
internal import Synchronization

/// How many credentials an address has shown that were refused, for as many addresses as a fixed table holds.
///
/// Only failures are counted and looked at: who shows a right one is never told to wait, whatever others behind his
/// address do.
package final class FailedAttempts: Sendable {
    private struct Place {
        var address: UInt64 = 0
        var count = 0
        var windowEnd = Instant(nanoseconds: 0)
    }

    private static let sets = 1024
    private static let ways = 4
    package static let window = Duration.seconds(60)

    private let places = Mutex(ContiguousArray(repeating: Place(), count: sets * ways))

    package init() {}

    /// Counts a failure.
    ///
    /// - Returns: how long the address has to wait, if this was one too many.
    package func note(_ address: String, at now: Instant, limit: Int) -> Duration? {
        let key = Self.key(address)
        return places.withLock { places in
            let place = Self.place(of: key, in: places, at: now)
            if places[place].address != key || places[place].windowEnd <= now {
                places[place] = Place(address: key, count: 0, windowEnd: now + Self.window)
            }
            places[place].count += 1
            return places[place].count > limit ? places[place].windowEnd - now : nil
        }
    }

    /// How long the address has to wait, if it has had its share already.
    package func wait(_ address: String, at now: Instant, limit: Int) -> Duration? {
        let key = Self.key(address)
        return places.withLock { places in
            let found = places[Self.place(of: key, in: places, at: now)]
            return found.address == key && found.count >= limit && now < found.windowEnd ? found.windowEnd - now : nil
        }
    }

    /// The address's own place, or the one that is missed least: one that is over, or has failed least.
    private static func place(of key: UInt64, in places: ContiguousArray<Place>, at now: Instant) -> Int {
        let first = Int(truncatingIfNeeded: key) & (sets - 1)
        let candidates = first * ways..<(first + 1) * ways
        if let own = candidates.first(where: { places[$0].address == key }) { return own }
        return candidates.min { weight(places[$0], now) < weight(places[$1], now) } ?? candidates.lowerBound
    }

    private static func weight(_ place: Place, _ now: Instant) -> Int { place.windowEnd <= now ? 0 : place.count }

    /// Differs from process to process: nobody can choose addresses that share places.
    private static func key(_ address: String) -> UInt64 {
        UInt64(truncatingIfNeeded: IPAddress.network(of: address).hashValue) | 1
    }
}
