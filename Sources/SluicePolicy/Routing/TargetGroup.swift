package import SluiceCore
internal import Synchronization

/// How one of several targets is chosen.
package enum BalancingStrategy: String, Sendable, CaseIterable {
    case weighted
    case leastOutstanding = "least_outstanding"
    case fastest, cheapest, affinity
}

/// What a choice between targets may depend on.
package struct BalancingQuestion {
    package var now: Instant
    package var isStream = false
    /// The hash of what the request always goes to the same target by; `nil` if it has no such thing.
    package var key: UInt64?
    /// `nil`: nobody asked.
    package var needs: RequestNeeds?
    /// In place of the targets' own.
    package var weights: [Int]?
    /// How much each target is preferred, 0 to 63, 0 the most.
    package var ranks: [Int]?

    package init(now: Instant) { self.now = now }
}

/// Targets that are equals, and who of them is asked first. Shared by all workers.
package final class TargetGroup: Sendable {
    package struct Member: Sendable {
        package let state: TargetState
        package let traits: TargetTraits
        fileprivate let hash: UInt64

        package init(_ state: TargetState, _ traits: TargetTraits) {
            self.state = state
            self.traits = traits
            hash = Rendezvous.hash(state.id.provider + "\0" + state.id.model)
        }
    }

    /// A member's place in the order.
    package struct Placement: Sendable, Equatable {
        package let position: Int
        package let grade: Grade
    }

    /// How much is to be expected of a member. Worse ones come after all better ones.
    package enum Grade: UInt8, Sendable, CaseIterable {
        case good
        /// The request seems to ask for more than it can do, or it fails often.
        case doubtful
        /// Known not to answer now.
        case unavailable
    }

    package static let countMax = 64

    package let members: [Member]
    package let strategy: BalancingStrategy
    /// Begins anywhere: groups are made for many names, and their first choices are not to be the same target.
    private let turn = Atomic<UInt64>(.random(in: 0 ... .max))

    /// - Parameter members: 1 to `countMax`.
    package init(_ members: [Member], _ strategy: BalancingStrategy) {
        precondition(1...Self.countMax ~= members.count, "\(members.count) targets in a group")
        self.members = members
        self.strategy = strategy
    }

    /// Appends all members in the order in which they are to be asked.
    package func place(
        _ question: BalancingQuestion, random: inout SplitMix64, into placements: inout [Placement]
    ) {
        if members.count == 1 { return placements.append(Placement(position: 0, grade: grade(0, question))) }
        var tiers = InlineArray<64, UInt16>(repeating: 0)
        for position in members.indices { tiers[position] = tier(position, question) }
        var left: UInt64 = members.count == 64 ? .max : 1 << UInt64(members.count) - 1
        var isFirst = true
        while left != 0 {
            let (mask, tier) = best(of: left, tiers)
            let position = pick(mask, question, isFirst: isFirst, &random)
            isFirst = false
            left &= ~(1 << UInt64(position))
            placements.append(Placement(position: position, grade: Grade(rawValue: UInt8(tier >> 8)) ?? .unavailable))
        }
    }

    // MARK: Tiers

    private func grade(_ position: Int, _ question: BalancingQuestion) -> Grade {
        let member = members[position]
        if !member.state.isAvailable(at: question.now) { return .unavailable }
        if let needs = question.needs, !member.traits.fits(needs) { return .doubtful }
        return member.state.load.failsOften(at: question.now) ? .doubtful : .good
    }

    /// What comes before any strategy: the grade, then what a rule prefers, then whether it has a share at all.
    private func tier(_ position: Int, _ question: BalancingQuestion) -> UInt16 {
        var tier = UInt16(grade(position, question).rawValue) << 8
        if let ranks = question.ranks { tier |= UInt16(min(63, max(0, ranks[position]))) << 1 }
        if weight(position, question) == 0 { tier |= 1 }
        return tier
    }

    private func best(of left: UInt64, _ tiers: borrowing InlineArray<64, UInt16>) -> (mask: UInt64, tier: UInt16) {
        var mask: UInt64 = 0
        var lowest = UInt16.max
        var rest = left
        while rest != 0 {
            let position = rest.trailingZeroBitCount
            rest &= rest &- 1
            if tiers[position] < lowest {
                lowest = tiers[position]
                mask = 0
            }
            if tiers[position] == lowest { mask |= 1 << UInt64(position) }
        }
        return (mask, lowest)
    }

    private func weight(_ position: Int, _ question: BalancingQuestion) -> Int {
        question.weights?[position] ?? members[position].traits.weight
    }

    // MARK: Strategies

    /// - Parameter mask: not zero.
    private func pick(
        _ mask: UInt64, _ question: BalancingQuestion, isFirst: Bool, _ random: inout SplitMix64
    ) -> Int {
        if mask & (mask &- 1) == 0 { return mask.trailingZeroBitCount }
        switch strategy {
        case .weighted: return weighted(mask, question, isFirst: isFirst, &random)
        case .affinity:
            guard let key = question.key else { return weighted(mask, question, isFirst: isFirst, &random) }
            return least(mask, from: 0) {
                Rendezvous.distance(key: key, target: members[$0].hash, weight: weight($0, question))
            }
        case .leastOutstanding:
            return least(mask, from: random.next()) {
                Double(members[$0].state.load.outstanding + 1) / Double(max(1, weight($0, question)))
            }
        case .fastest:
            let start = random.next()
            return least(isFirst ? two(of: mask, &random) : mask, from: start) {
                members[$0].state.load.score(
                    isStream: question.isStream, weight: weight($0, question), at: question.now)
            }
        case .cheapest: return cheapest(mask, question, from: random.next())
        }
    }

    /// The first choices follow a sequence that fills every share evenly, whatever the weights (multiples of the golden ratio); who
    /// stands in for a target is drawn.
    private func weighted(
        _ mask: UInt64, _ question: BalancingQuestion, isFirst: Bool, _ random: inout SplitMix64
    ) -> Int {
        var total = 0
        forEach(in: mask) { total += max(1, weight($0, question)) }
        let point =
            isFirst
            ? turn.wrappingAdd(1, ordering: .relaxed).oldValue &* 0x9E37_79B9_7F4A_7C15 : random.next()
        var left = Int(point.multipliedFullWidth(by: UInt64(total)).high)
        var chosen = mask.trailingZeroBitCount
        var isChosen = false
        forEach(in: mask) { position in
            if isChosen { return }
            chosen = position
            left -= max(1, weight(position, question))
            isChosen = left < 0
        }
        return chosen
    }

    private func cheapest(_ mask: UInt64, _ question: BalancingQuestion, from start: UInt64) -> Int {
        let needs = question.needs ?? RequestNeeds()
        func cost(_ position: Int) -> Double { members[position].traits.price.map(needs.micros) ?? .infinity }
        var lowest = Double.infinity
        forEach(in: mask) { lowest = min(lowest, cost($0)) }
        var cheapest: UInt64 = 0
        forEach(in: mask) { if cost($0) == lowest { cheapest |= 1 << UInt64($0) } }
        return least(cheapest, from: start) { Double(members[$0].state.load.outstanding) }
    }

    /// Two members of the mask, or all that there are.
    private func two(of mask: UInt64, _ random: inout SplitMix64) -> UInt64 {
        let count = mask.nonzeroBitCount
        if count <= 2 { return mask }
        let first = Int(random.next().multipliedFullWidth(by: UInt64(count)).high)
        var second = Int(random.next().multipliedFullWidth(by: UInt64(count - 1)).high)
        if second >= first { second += 1 }
        var chosen: UInt64 = 0
        var index = 0
        forEach(in: mask) { position in
            if index == first || index == second { chosen |= 1 << UInt64(position) }
            index += 1
        }
        return chosen
    }

    /// The member with the smallest value; of equals the first from a start that is drawn, so that none of them is always the first.
    private func least(_ mask: UInt64, from start: UInt64, _ value: (Int) -> Double) -> Int {
        let offset = Int(start % UInt64(members.count))
        var chosen = mask.trailingZeroBitCount
        var lowest = Double.infinity
        for step in members.indices {
            let position = (offset + step) % members.count
            if mask & 1 << UInt64(position) == 0 { continue }
            let value = value(position)
            if value < lowest { (chosen, lowest) = (position, value) }
        }
        return chosen
    }

    private func forEach(in mask: UInt64, _ body: (Int) -> Void) {
        var rest = mask
        while rest != 0 {
            body(rest.trailingZeroBitCount)
            rest &= rest &- 1
        }
    }
}
