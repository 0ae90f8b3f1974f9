internal import SluiceCore

/// How long a receiver is left alone that has failed: a second, then twice as long each time, and never the same for all who wait.
struct TelemetryBackoff {
    static let first = Duration.seconds(1)
    /// However long a receiver says.
    static let askedMax = Duration.seconds(300)

    private let longest: Duration
    private var random: SplitMix64
    private(set) var failures = 0
    private(set) var until: Instant?

    init(longest: Duration, seed: UInt64) {
        self.longest = longest
        random = SplitMix64(seed)
    }

    mutating func succeed() {
        failures = 0
        until = nil
    }

    /// - Parameter asked: for how long the receiver wants to be left alone (`retry-after`).
    mutating func fail(at now: Instant, asked: Duration? = nil) {
        failures = min(failures + 1, 30)
        let whole = min(Self.first * (1 << (failures - 1)), longest)
        // From half of it to all of it: those that failed together do not come back together.
        let wait = whole / 2 + Duration(wholeNanoseconds: Int64.random(in: 0...max(whole.nanoseconds / 2, 0), using: &random))
        until = now + max(wait, min(asked ?? .zero, Self.askedMax))
    }
}
