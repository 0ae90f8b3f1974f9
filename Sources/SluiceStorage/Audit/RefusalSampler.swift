internal import SluiceCore

/// Lets so many refusals of a second through, and counts the others.
struct RefusalSampler {
    private let perSecond: Int
    private var second = Int64.min
    private var taken = 0
    private var surplusCount = 0
    private static let nanoseconds: Int64 = 1_000_000_000

    init(perSecond: Int) { self.perSecond = perSecond }

    var hasSurplus: Bool { surplusCount > 0 }

    mutating func takes(at now: Instant) -> Bool {
        let current = now.nanoseconds / Self.nanoseconds
        if current != second {
            second = current
            taken = 0
        }
        if taken < perSecond {
            taken += 1
            return true
        }
        surplusCount += 1
        return false
    }

    /// How many were only counted in seconds that are over; `nil` if there were none.
    mutating func surplus(at now: Instant) -> Int? {
        if surplusCount == 0 || now.nanoseconds / Self.nanoseconds == second { return nil }
        defer { surplusCount = 0 }
        return surplusCount
    }
}
