internal import SluiceCore
internal import Synchronization

/// What this process has of a bucket that lives in Redis: a lease that was taken in advance, or of a budget what has not been told
/// yet. Decisions only; who talks to Redis does what they say. Shared by all workers.
///
/// A lease is a number of units that the bucket in Redis has given away already: what a process lets pass on it was counted before.
/// So over any time `w`, processes that reach Redis let pass at most `burst + limit × w / period + N × lease` together. What turned
/// out to cost more or less than was taken is told to Redis when it is known: the bucket there owes nothing to the one here.
package final class SharedBucket: Sendable {
    /// The name of the bucket, without the prefix that all have.
    package let name: String
    private let state: Mutex<State>
    /// Units of a lease, and how long it is good: when it would have come back by itself, others may have it.
    private let lease: Int
    private let leaseLife: Int64
    private let burst: Int
    /// One unit of the bucket comes back in `period / limit` nanoseconds.
    private let limit: Int
    private let period: Int64

    private struct State {
        // A rate.
        /// What is left of the lease; never negative.
        var credit = 0
        var creditUntil: Int64 = 0
        var isRenewing = false
        /// Who wants at least so much is refused for so long.
        var closedUntil: Int64 = 0
        var closedAmount = 0
        /// When Redis said that there will be enough for that.
        var opensAt: Int64 = 0
        /// Units to be charged in Redis, or, if it is negative, to be given back.
        var owed = 0
        /// What Redis said last, and when.
        var seen: (remaining: Int, reset: Int64, at: Int64)?
        // A budget.
        var period: Int64 = 0
        var unsent = 0
        var push: Push?
        var syncedAt: Int64 = .min / 2
    }

    init(of rule: LimitRule, values: [String]) {
        // What is counted is part of it: units of one kind are not those of another. Lengths in front: no value can pass for two.
        let kind = ":\(rule.unit.rawValue):\(rule.by.names.joined(separator: ","))"
        name = "limit:" + rule.name + kind + values.map { ":\($0.utf8.count):\($0)" }.joined()
        let percent = rule.meter.kind == .tokenBucket ? rule.fleet?.leasePercent ?? 0 : 0
        lease = Int(UInt128(rule.meter.burst) * UInt128(percent) / 100)
        let life = UInt128(lease) * UInt128(max(0, rule.period.nanoseconds)) / UInt128(rule.meter.limit)
        leaseLife = max(Self.leaseLifeMin, Int64(clamping: life))
        burst = rule.meter.burst
        limit = rule.meter.limit
        period = max(1, rule.period.nanoseconds)
        state = Mutex(State())
    }

    /// Who we are in what Redis keeps of a budget: another one after every start, so that numbers may begin anew.
    package var writer: String { Self.writer }
    private static let writer = String(UInt64.random(in: .min ... .max), radix: 36)
    /// One count for all buckets: one that was forgotten, and is made again, goes on where it was.
    private static let sequence = Atomic(0)

    private static let leaseLifeMin: Int64 = 1_000_000_000
    /// A refusal is remembered so long: a crowd that is refused does not ask Redis each time.
    private static let closedMax: Int64 = 100_000_000

    // MARK: A rate

    package enum Claim: Equatable {
        /// From the lease. `renew`: what to ask for now so that the next ones need not wait; `nil`: nothing.
        case taken(renew: LeaseQuestion?)
        case ask(LeaseQuestion)
        case refused(wait: Duration)
    }

    func claim(_ amount: Int, at now: Instant) -> Claim {
        state.withLock { state in
            if now.nanoseconds < state.closedUntil, amount >= state.closedAmount {
                return .refused(wait: .nanoseconds(state.opensAt - now.nanoseconds))
            }
            if now.nanoseconds >= state.creditUntil { state.credit = 0 }
            guard state.credit >= amount, amount > 0 || state.credit > 0 else { return .ask(question(amount, &state)) }
            state.credit -= amount
            if state.credit > lease / 2 || state.isRenewing { return .taken(renew: nil) }
            state.isRenewing = true
            return .taken(renew: LeaseQuestion(least: 1, most: lease - state.credit, brought: 0, isRenewal: true))
        }
    }

    /// What is left of the lease goes with the question: two who ask at one time must not both count on it.
    private func question(_ amount: Int, _ state: inout State) -> LeaseQuestion {
        let brought = state.credit
        state.credit = 0
        let least = max(amount - brought, 1)
        if state.isRenewing || lease == 0 {
            return LeaseQuestion(least: least, most: least, brought: brought, isRenewal: false)
        }
        state.isRenewing = true
        return LeaseQuestion(least: least, most: least + lease, brought: brought, isRenewal: true)
    }

    /// Takes note of an answer of Redis.
    ///
    /// - Parameter amount: what goes to the request that asked; `nil` for a renewal.
    /// - Returns: how long the request has to wait, if there is not enough.
    func answered(_ reply: LeaseReply, to question: LeaseQuestion, amount: Int?, at now: Instant) -> Duration? {
        state.withLock { state in
            if question.isRenewal { state.isRenewing = false }
            state.seen = (reply.remaining, reply.reset.nanoseconds, now.nanoseconds)
            if reply.granted > 0 {
                if now.nanoseconds >= state.creditUntil { state.credit = 0 }
                state.creditUntil = now.nanoseconds + leaseLife
                keep(max(0, question.brought + reply.granted - (amount ?? 0)), &state)
                return nil
            }
            state.credit += question.brought
            guard let amount else { return nil }
            // What is never there at once says nothing about what is.
            if amount <= burst {
                let isClosed = now.nanoseconds < state.closedUntil
                state.closedAmount = isClosed ? min(state.closedAmount, amount) : amount
                state.closedUntil = now.nanoseconds + min(reply.wait.nanoseconds, Self.closedMax)
                state.opensAt = now.nanoseconds + reply.wait.nanoseconds
            }
            return reply.wait
        }
    }

    /// What is more than a lease goes back.
    private func keep(_ units: Int, _ state: inout State) {
        let kept = max(0, min(units, lease - state.credit))
        state.credit += kept
        state.owed = max(state.owed - (units - kept), -LimitAmounts.amountMax)
    }

    /// Redis did not answer.
    func failed(_ question: LeaseQuestion) {
        state.withLock { state in
            if question.isRenewal { state.isRenewing = false }
            state.credit += question.brought
        }
    }

    /// Puts what was really used in the place of what was taken.
    ///
    /// What was too much goes to the lease, and beyond it back to Redis; what was too little is paid out of the lease, and beyond it
    /// charged there. Of what was taken a part has drained by itself since: Redis has given that to others already.
    func settle(_ taken: Int, used: Int, takenAt start: Instant, at now: Instant) {
        if taken == used { return }
        state.withLock { state in
            if now.nanoseconds >= state.creditUntil { state.credit = 0 }
            if used > taken {
                let paid = min(used - taken, state.credit)
                state.credit -= paid
                state.owed = min(state.owed + used - taken - paid, LimitAmounts.amountMax)
                return
            }
            let over = taken - used
            let kept = now.nanoseconds < state.creditUntil ? max(0, min(over, lease - state.credit)) : 0
            state.credit += kept
            let there = taken - min(taken, units(in: now.nanoseconds - start.nanoseconds)) - kept
            state.owed = max(state.owed - max(0, min(over - kept, there)), -LimitAmounts.amountMax)
        }
    }

    /// What is to be told to Redis now, as `State.owed` has it; it is the caller's then.
    func takeOwed() -> Int {
        state.withLock { state in
            defer { state.owed = 0 }
            return state.owed
        }
    }

    /// Redis may not have heard of it. A charge is told again, though it may count twice; what was to be given back drains instead.
    func couldNotTell(_ owed: Int) {
        if owed <= 0 { return }
        state.withLock { $0.owed = min($0.owed + owed, LimitAmounts.amountMax) }
    }

    private func units(in time: Int64) -> Int {
        Int(clamping: UInt128(max(0, time)) * UInt128(limit) / UInt128(period))
    }

    func standing(at now: Instant) -> (remaining: Int, reset: Duration)? {
        state.withLock { state in
            guard let seen = state.seen else { return nil }
            let passed = max(0, now.nanoseconds - seen.at)
            let remaining = min(burst, seen.remaining + min(burst, units(in: passed)))
            return (remaining + state.credit, .nanoseconds(max(0, seen.reset - passed)))
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
            state.unsent = min(state.unsent + amount, LimitAmounts.amountMax)
        }
    }

    /// Whether Redis has not been asked yet: what was spent before a restart, or by others, is not known.
    var isUnknown: Bool { state.withLock { $0.syncedAt < 0 } }
    package var isUntold: Bool { state.withLock { $0.unsent > 0 || $0.push.map { $0.amount > 0 } ?? false } }
    var isBusy: Bool { state.withLock { $0.unsent > 0 || $0.push != nil || $0.owed > 0 } }

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
            let sequence = Self.sequence.add(1, ordering: .relaxed).newValue
            let push = Push(period: period, amount: state.unsent, sequence: sequence)
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
