package import SluiceCore

/// What a peer has cost us and done for us: when it costs much and does little, the connection is cut.
///
/// Useful work forgives, so that a good connection may live for ever. Each verb that charges says whether the budget
/// is spent.
package struct AbuseBudget {
    /// WINDOW_UPDATE frames that one DATA frame of ours may bring back before they count as glitches.
    private static let windowUpdatesPerData = 10
    /// The same for a stream that opens: clients enlarge windows then.
    private static let windowUpdatesPerStream = 4
    private static let windowUpdateCreditMax = 1_000
    /// A DATA frame smaller than this is no useful work: tiny windows make many of them.
    private static let usefulByteCount = 64
    private static let forgivenPerStream = 8
    private static let second: Int64 = 1_000_000_000

    private let limits: HTTP2Limits
    package private(set) var glitches = 0
    private var forgivenUntil = Instant(nanoseconds: 0)
    private var windowUpdateCredit = 100
    package private(set) var prematureResets = 0
    private var secondStart = Instant(nanoseconds: 0)
    private var resetsThisSecond = 0
    private var resetsLastSecond = 0

    package init(limits: HTTP2Limits) { self.limits = limits }

    // MARK: Charges

    /// A frame that makes work and does none.
    package mutating func glitch(at now: Instant) -> Bool {
        forgiveTime(until: now)
        glitches += 1
        return glitches > limits.glitchCount
    }

    package mutating func windowUpdate(at now: Instant) -> Bool {
        if windowUpdateCredit > 0 {
            windowUpdateCredit -= 1
            return false
        }
        return glitch(at: now)
    }

    /// A stream that ended before its answer, by the peer's doing.
    package mutating func prematureReset(at now: Instant) -> Bool {
        prematureResets += 1
        let elapsed = now.nanoseconds &- secondStart.nanoseconds
        if elapsed >= Self.second || elapsed < 0 {
            resetsLastSecond = elapsed < 2 * Self.second && elapsed >= 0 ? resetsThisSecond : 0
            resetsThisSecond = 0
            secondStart = now
        }
        resetsThisSecond += 1
        // A sliding second, taken to be even within the last whole one.
        let share = max(0, Self.second - max(0, now.nanoseconds &- secondStart.nanoseconds))
        let slidingCount = resetsThisSecond + Int(Int64(resetsLastSecond) * share / Self.second)
        return slidingCount > limits.prematureResetsPerSecond || prematureResets > limits.prematureResetCount
    }

    // MARK: Credits

    package mutating func streamOpened() { credit(windowUpdates: Self.windowUpdatesPerStream) }

    package mutating func streamCompleted() {
        glitches = max(0, glitches - Self.forgivenPerStream)
        prematureResets = max(0, prematureResets - 1)
    }

    package mutating func sent(dataByteCount: Int) {
        if dataByteCount < Self.usefulByteCount { return }
        credit(windowUpdates: Self.windowUpdatesPerData)
        glitches = max(0, glitches - 1)
    }

    package mutating func received(dataByteCount: Int) {
        if dataByteCount >= Self.usefulByteCount { glitches = max(0, glitches - 1) }
    }

    private mutating func credit(windowUpdates: Int) {
        windowUpdateCredit = min(windowUpdateCredit + windowUpdates, Self.windowUpdateCreditMax)
    }

    private mutating func forgiveTime(until now: Instant) {
        let pace = Self.second / Int64(max(1, limits.glitchesForgivenPerSecond))
        let forgiven = max(0, now.nanoseconds &- forgivenUntil.nanoseconds) / pace
        if forgiven >= glitches {
            glitches = 0
            forgivenUntil = now
        } else {
            glitches -= Int(forgiven)
            forgivenUntil.nanoseconds += forgiven * pace
        }
    }
}
