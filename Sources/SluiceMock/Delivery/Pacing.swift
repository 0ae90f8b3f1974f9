internal import SluiceCore

/// When the pieces of a body are sent.
struct Pacing {
    var pace: Pace
    /// Before the first piece of content.
    var firstToken: Duration
    var jitter: Double
    var isSpread: Bool

    init(_ behaviour: Behaviour) {
        pace = behaviour.pace
        firstToken = behaviour.firstToken
        jitter = behaviour.jitter
        isSpread = behaviour.isSpread
    }

    /// One response's progress in time.
    struct Clock {
        private var random: SplitMix64
        private var nextDue: Instant?
        private let phase: Double

        init(seed: UInt64) {
            random = SplitMix64(seed)
            // By the golden ratio: phases of following seeds are spread evenly.
            let turns = Double(seed % 1_000_000) * 0.618_033_988_749_895
            phase = turns - turns.rounded(.down)
        }

        /// - Returns: when the next piece of content is due; `nil` if that is now.
        mutating func due(_ pacing: Pacing, at now: Instant) -> Instant? {
            let due: Instant
            if let nextDue {
                due = nextDue
            } else {
                due = now + pacing.firstToken + pacing.firstGap(phase)
                nextDue = due
            }
            return due > now ? due : nil
        }

        /// A piece of content went out. A piece that was late does not make the following ones late.
        mutating func sent(_ pacing: Pacing) {
            guard case .every(let gap) = pacing.pace, let last = nextDue else { return }
            if pacing.jitter == 0 {
                nextDue = last + gap
                return
            }
            let share = Double(random.next() >> 11) / Double(1 << 53) * 2 - 1
            nextDue = last + gap * (1 + pacing.jitter * share)
        }
    }

    private func firstGap(_ phase: Double) -> Duration {
        guard isSpread, case .every(let gap) = pace else { return .zero }
        return gap * phase
    }
}
