package import SluiceCore

/// Limits that are shared with other processes: what to ask Redis, and what follows from its answers. Who asks is not known here.
extension LimitHold {
    /// One limit about which Redis has to be asked, or has to be told.
    package struct SharedPlace: Sendable {
        package let rule: LimitRule
        package let bucket: SharedBucket
        let account: LimitAccount
        let index: Int
    }

    /// Positions of limits that have not been decided.
    package var undecided: [Int] {
        entries.indices.filter { position in
            if case .undecided = entries[position].source { true } else { false }
        }
    }

    package func place(_ position: Int) -> SharedPlace {
        let entry = entries[position]
        return SharedPlace(
            rule: set.rules[entry.number], bucket: entry.account.shared[entry.index], account: entry.account,
            index: entry.index)
    }

    /// Tries the lease.
    package func claim(_ position: Int, at now: Instant) -> SharedBucket.Claim {
        let claim = place(position).bucket.claim(entries[position].amount, at: now)
        switch claim {
        case .taken: decide(position, .shared, at: now)
        case .refused: refuse(position, at: now)
        case .ask: break
        }
        return claim
    }

    /// Takes note of what Redis said to the question of a claim.
    ///
    /// - Returns: what refuses the request.
    package func answered(
        _ position: Int, _ reply: LeaseReply, to question: LeaseQuestion, at now: Instant
    ) -> LimitRefusal? {
        let place = place(position)
        let wait = place.bucket.answered(reply, to: question, amount: entries[position].amount, at: now)
        if wait == nil {
            decide(position, .shared, at: now)
            return nil
        }
        refuse(position, at: now)
        return LimitRefusal(
            rule: place.rule, isTooLarge: entries[position].amount > place.rule.meter.burst, wait: wait, isLocal: false)
    }

    /// Redis does not answer: a part of the limit is ours alone to give.
    package func standIn(_ position: Int, at time: LimitTime) -> LimitRefusal? {
        let entry = entries[position]
        let rule = set.rules[entry.number]
        let verdict = rule.localMeter.take(entry.amount, from: entry.account.bucket(entry.index), at: time)
        set.counters[entry.number].decideAlone()
        isLocalNow = true
        if verdict == .taken {
            decide(position, .standIn, at: time.now)
            return nil
        }
        refuse(position, at: time.now)
        return LimitRefusal(rule: rule, verdict: verdict, isLocal: true)
    }

    private func refuse(_ position: Int, at now: Instant) {
        set.counters[entries[position].number].refuse()
        decide(position, .refused, at: now)
    }

    /// Budgets of which others may want to know what the request has cost.
    package func forEachSharedBudget(_ body: (SharedPlace) -> Void) {
        for position in entries.indices {
            let rule = set.rules[entries[position].number]
            if rule.isBudget, rule.fleet != nil { body(place(position)) }
        }
    }

    /// Rates of which something was taken from Redis, which may have been too much or too little.
    package func forEachSharedRate(_ body: (SharedPlace) -> Void) {
        for position in entries.indices {
            if case .shared = entries[position].source { body(place(position)) }
        }
    }
}

extension LimitHold.SharedPlace {
    /// A renewal was answered.
    package func renewed(_ reply: LeaseReply, to question: LeaseQuestion, at now: Instant) {
        _ = bucket.answered(reply, to: question, amount: nil, at: now)
    }

    package func failed(_ question: LeaseQuestion) { bucket.failed(question) }

    package func takeOwed() -> Int { bucket.takeOwed() }
    package func couldNotTell(_ owed: Int) { bucket.couldNotTell(owed) }

    /// What to tell Redis of a budget.
    package func nextPush(at time: LimitTime) -> SharedBucket.Push? {
        bucket.nextPush(period: rule.meter.number(at: time.wallSeconds), at: time.now)
    }

    /// - Parameter marked: as `LimitHold.settle` has it.
    package func confirmed(
        _ push: SharedBucket.Push, total: Int, at time: LimitTime,
        marked: (LimitRule, _ percent: Int, _ values: [String]) -> Void
    ) {
        let all = bucket.confirmed(push, total: total, at: time.now)
        if push.period != rule.meter.number(at: time.wallSeconds) { return }
        let (before, after) = rule.meter.raise(account.bucket(index), toAtLeast: all, at: time.wallSeconds)
        // Whoever spent what crossed the mark says so, unless that was before we knew of the budget at all.
        if before > 0 {
            BudgetMark.crossed(from: before, to: after, of: rule.meter.limit) { marked(rule, $0, account.values) }
        }
    }

    package func pushFailed() { bucket.pushFailed() }

    /// Where the budget's spending of a period is kept.
    package func name(of push: SharedBucket.Push) -> String { bucket.name + ":\(push.period)" }
}

extension LimitSet {
    /// Shared budgets of a request of which it is not known what was spent before this process began.
    package func unknownBudgets(_ subject: borrowing LimitSubject, at time: LimitTime) -> [LimitHold.SharedPlace] {
        var places: [LimitHold.SharedPlace] = []
        for group in groups where group.isShared {
            for (index, rule) in group.store.rules.enumerated() where rule.isBudget && rule.matches(subject) {
                let account = group.store.account(of: subject, at: time)
                let bucket = account.shared[index]
                if bucket.isUnknown {
                    places.append(LimitHold.SharedPlace(rule: rule, bucket: bucket, account: account, index: index))
                }
            }
        }
        return places
    }
}
