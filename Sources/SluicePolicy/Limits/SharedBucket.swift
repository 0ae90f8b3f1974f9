internal import SluiceCore
internal import Synchronization

/// What this process has of a bucket that lives in Redis: a lease that was taken in advance, or of a budget what has not been told
/// yet. Decisions only; who talks to Redis does what they say. Shared by all workers.
///
/// A lease is a number of units that the bucket in Redis has given away already: what a process lets pass on it was counted before.
/// So over any time `w`, processes that reach Redis let pass at most `burst + limit × w / period + N × lease` together.
package final class SharedBucket: Sendable {
    /// The name of the bucket, without the prefix that all have.
    package let name: String
    private let state: Mutex<State>
    /// Units of a lease, and how long it is good: when it would have come back by itself, others may have it.
    private let lease: Int
    private let leaseLife: Int64

    private struct State {
        // A rate.
        var credit = 0
        var creditUntil: Int64 = 0
        var isRenewing = false
        var closedUntil: Int64 = 0
        /// What Redis said last, and when.
        var seen: (remaining: Int, reset: Int64, at: Int64)?
        // A budget.
        var period: Int64 = 0
        var unsent = 0
        var push: Push?
        var sequence = 0
        var syncedAt: Int64 = .min / 2
    }

    init(of rule: LimitRule, values: [String]) {
        // Lengths in front: no value can pass for two.
        name = "limit:" + rule.name + values.map { ":\($0.utf8.count):\($0)" }.joined()
        let percent = rule.meter.kind == .tokenBucket ? rule.fleet?.leasePercent ?? 0 : 0
        lease = Int(UInt128(rule.meter.burst) * UInt128(percent) / 100)
        let life = UInt128(lease) * UInt128(max(0, rule.period.nanoseconds)) / UInt128(rule.meter.limit)
        leaseLife = max(Self.leaseLifeMin, Int64(clamping: life))
        state = Mutex(State())
    }

    /// Who we are in what Redis keeps of a budget: another one after every start, so that numbers may begin anew.
    package var writer: String { Self.writer }
    private static let writer = String(UInt64.random(in: .min ... .max), radix: 36)

    private static let leaseLifeMin: Int64 = 1_000_000_000
    /// A refusal is remembered so long: a crowd that is refused does not ask Redis each time.
    private static let closedMax: Int64 = 100_000_000

    // MARK: A rate

    package enum Claim: Equatable {
        /// From the lease. `renew`: how much to ask for now so that the next ones need not wait; 0 for nothing.
        case taken(renew: Int)
        /// Ask Redis for at least and at most so much; one at a time asks for a lease besides.
        case ask(least: Int, most: Int)
        case refused(wait: Duration)
    }

    func claim(_ amount: Int, at now: Instant) -> Claim {
        state.withLock { state in
            if now.nanoseconds < state.closedUntil {
                return .refused(wait: .nanoseconds(state.closedUntil - now.nanoseconds))
            }
            if now.nanoseconds >= state.creditUntil { state.credit = min(state.credit, 0) }
            guard state.credit >= amount, amount > 0 || state.credit > 0 else {
                let least = max(amount - state.credit, 1)
                if state.isRenewing || lease == 0 { return .ask(least: least, most: least) }
                state.isRenewing = true
                return .ask(least: least, most: least + lease)
            }
            state.credit -= amount
            if state.credit > lease / 2 || state.isRenewing { return .taken(renew: 0) }
            state.isRenewing = true
            return .taken(renew: lease - state.credit)
        }
    }

    /// Takes note of an answer of Redis.
    ///
    /// - Parameters:
    ///   - amount: what goes to the request that asked; `nil` for a renewal.
    ///   - isRenewal: a lease was asked for.
    /// - Returns: how long the request has to wait, if there is not enough.
    func answered(_ reply: LeaseReply, amount: Int?, isRenewal: Bool, at now: Instant) -> Duration? {
        state.withLock { state in
            if isRenewal { state.isRenewing = false }
            state.seen = (reply.remaining, reply.reset.nanoseconds, now.nanoseconds)
            if reply.granted > 0 {
                state.creditUntil = now.nanoseconds + leaseLife
                state.credit += reply.granted
            }
            guard let amount else { return nil }
            if reply.granted > 0 {
                state.credit -= amount
                return nil
            }
            state.closedUntil = now.nanoseconds + min(reply.wait.nanoseconds, Self.closedMax)
            return reply.wait
        }
    }

    /// Redis did not answer where a lease was asked for.
    func renewalFailed() { state.withLock { $0.isRenewing = false } }

    func settle(_ taken: Int, used: Int) {
        if taken == used { return }
        state.withLock { state in
            // What is over a lease is left to drain: nobody can have it twice.
            let settled = state.credit + taken - used
            state.credit = taken > used ? max(state.credit, min(settled, lease)) : settled
        }
    }

    func standing(_ rule: LimitRule, at now: Instant) -> (remaining: Int, reset: Duration)? {
        state.withLock { state in
            guard let seen = state.seen else { return nil }
            let passed = max(0, now.nanoseconds - seen.at)
            let returned = Int(
                clamping: UInt128(passed) * UInt128(rule.meter.limit) / UInt128(max(1, rule.period.nanoseconds)))
            let (sum, overflowed) = seen.remaining.addingReportingOverflow(returned)
            let remaining = overflowed ? rule.meter.burst : min(rule.meter.burst, sum)
            return (max(0, remaining + max(0, state.credit)), .nanoseconds(max(0, seen.reset - passed)))
        }
    }

    // MARK: A budget

    /// One message to Redis: what was spent since the one before. Sent again as it is until it is confirmed, and counted once.
    package struct Push: Sendable, Equatable {
        package let period: Int64
        package let amount: Int
        package let sequence: Int
    }

    /// What is known of others' spending is good for so long.
    private static let staleAfter: Int64 = 1_000_000_000

    func noteSpent(_ amount: Int, period: Int64) {
        state.withLock { state in
            if state.period != period {
                // What nobody was told of a period that is over is not asked for any more.
                state.period = period
                state.unsent = 0
                state.push = nil
            }
            state.unsent += amount
        }
    }

    /// Whether Redis has not been asked yet: what was spent before a restart, or by others, is not known.
    var isUnknown: Bool { state.withLock { $0.syncedAt < 0 } }
    package var isUntold: Bool { state.withLock { $0.unsent > 0 || $0.push.map { $0.amount > 0 } ?? false } }
    var isBusy: Bool { state.withLock { $0.unsent > 0 || $0.push != nil || $0.credit < 0 } }

    /// What to tell Redis now; `nil` while somebody else does, or if there is nothing to tell and nothing to learn.
    func nextPush(period: Int64, at now: Instant) -> Push? {
        state.withLock { state in
            if state.isRenewing { return nil }
            if state.unsent == 0, state.push == nil, now.nanoseconds - state.syncedAt < Self.staleAfter { return nil }
            state.isRenewing = true
            if state.period != period {
                state.period = period
                state.unsent = 0
                state.push = nil
            }
            if let push = state.push { return push }
            state.sequence += 1
            let push = Push(period: period, amount: state.unsent, sequence: state.sequence)
            state.unsent = 0
            state.push = push
            return push
        }
    }

    /// - Returns: what has been spent by all, and by us since.
    func confirmed(_ push: Push, total: Int, at now: Instant) -> Int {
        state.withLock { state in
            state.isRenewing = false
            state.syncedAt = max(1, now.nanoseconds)
            if state.push == push { state.push = nil }
            let (sum, overflowed) = total.addingReportingOverflow(state.unsent)
            return overflowed ? .max : sum
        }
    }

    func pushFailed() { state.withLock { $0.isRenewing = false } }
}
