internal import Glibc
internal import SluiceCore
internal import Synchronization

/// A number that falls to zero with time unless it is fed. Shared by all workers: one word, without a lock.
struct DecayingValue: ~Copyable, Sendable {
    /// The value in the upper half, the millisecond of its last change in the lower one.
    private let word = Atomic<UInt64>(0)
    /// In milliseconds: after so long 37 % of it are left.
    private let timeConstant: Double

    init(timeConstant: Duration) { self.timeConstant = timeConstant.milliseconds }

    func value(at now: Instant) -> Double {
        let (stored, age) = Self.unpack(word.load(ordering: .relaxed), now)
        if stored == 0 { return 0 }
        let value = stored * exp(-age / timeConstant)
        return value < 0.5 ? 0 : value
    }

    /// Jumps up to a greater sample, and comes down to a smaller one as time passes (Finagle's peak EWMA).
    func peak(_ sample: Double, at now: Instant) {
        change(at: now) { stored, age in
            if sample >= stored { return sample }
            let kept = exp(-age / timeConstant)
            return stored * kept + sample * (1 - kept)
        }
    }

    /// Moves a part of the way to a sample.
    ///
    /// - Parameter share: how much one sample counts, 0 to 1.
    func mix(_ sample: Double, share: Double, at now: Instant) {
        change(at: now) { stored, age in
            let current = stored * exp(-age / timeConstant)
            return current + share * (sample - current)
        }
    }

    private func change(at now: Instant, _ next: (_ stored: Double, _ age: Double) -> Double) {
        var seen = word.load(ordering: .relaxed)
        while true {
            let (stored, age) = Self.unpack(seen, now)
            let value = UInt32(min(max(0, next(stored, age).rounded()), Double(UInt32.max)))
            let packed = UInt64(value) << 32 | UInt64(Self.milliseconds(now))
            let result = word.weakCompareExchange(expected: seen, desired: packed, ordering: .relaxed)
            if result.exchanged { return }
            seen = result.original
        }
    }

    private static func unpack(_ word: UInt64, _ now: Instant) -> (stored: Double, age: Double) {
        let age = milliseconds(now) &- UInt32(truncatingIfNeeded: word)
        // Another worker's clock reading may be a little ahead of ours.
        return (Double(word >> 32), age > UInt32.max / 2 ? 0 : Double(age))
    }

    /// Wraps after 49 days: what is compared is seconds apart, or has decayed anyway.
    private static func milliseconds(_ now: Instant) -> UInt32 {
        UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000)
    }
}
