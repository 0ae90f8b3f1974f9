import SluiceCore
import TestSupport
import Testing

@testable import SluicePolicy

/// A group of targets, and what is asked of it.
private struct Balancing {
    let group: TargetGroup
    let states: [TargetState]
    var random = SplitMix64(7)
    var question = BalancingQuestion(now: Instant(nanoseconds: 60_000_000_000))

    init(_ strategy: BalancingStrategy, weights: [Int], names: [String]? = nil, prices: [Int]? = nil) {
        let table = TargetTable()
        states = weights.indices.map { table.state(of: TargetID(provider: names?[$0] ?? "p\($0)", model: "m")) }
        group = TargetGroup(
            weights.indices.map { index in
                var traits = TargetTraits()
                traits.weight = weights[index]
                traits.price = prices.map { TargetPrice(inputMicros: $0[index], outputMicros: $0[index]) }
                return TargetGroup.Member(table.state(of: TargetID(provider: names?[index] ?? "p\(index)", model: "m")), traits)
            }, strategy)
    }

    mutating func placements() -> [TargetGroup.Placement] {
        var placements: [TargetGroup.Placement] = []
        group.place(question, random: &random, into: &placements)
        return placements
    }

    mutating func order() -> [Int] { placements().map(\.position) }
    mutating func first() -> Int { placements()[0].position }

    /// How often each target is the first of so many choices.
    mutating func shares(_ count: Int) -> [Int] {
        var shares = Array(repeating: 0, count: group.members.count)
        for _ in 0..<count { shares[first()] += 1 }
        return shares
    }
}

@Suite struct `Choosing by weight` {
    @Test func `every share is filled evenly, whatever the weights`() {
        for seed in SplitMix64.seeds(60) {
            var random = SplitMix64(seed)
            let weights = (0..<Int.random(in: 2...9, using: &random)).map { _ in Int.random(in: 1...50, using: &random) }
            var balancing = Balancing(.weighted, weights: weights)
            let total = weights.reduce(0, +)
            var counts = Array(repeating: 0, count: weights.count)
            for choice in 1...400 {
                counts[balancing.first()] += 1
                guard choice % 50 == 0 else { continue }
                for index in weights.indices {
                    let due = Double(choice * weights[index]) / Double(total)
                    #expect(abs(Double(counts[index]) - due) < 8, "seed \(seed): \(counts) of \(choice) with \(weights)")
                }
            }
        }
    }

    @Test func `whoever stands in is drawn by weight, and nobody is asked twice`() {
        var balancing = Balancing(.weighted, weights: [1, 1, 8])
        var second = [0, 0, 0]
        for _ in 0..<3000 {
            let order = balancing.order()
            #expect(order.sorted() == [0, 1, 2])
            if order[0] == 0 { second[order[1]] += 1 }
        }
        #expect(second[2] > second[1] * 5 && second[1] > 0, "\(second)")
    }

    @Test func `a weight of zero comes last, unless a rule gives it one or prefers it`() {
        var balancing = Balancing(.weighted, weights: [0, 3, 0])
        for _ in 0..<50 { #expect(balancing.first() == 1) }
        balancing.question.weights = [5, 0, 0]
        for _ in 0..<50 { #expect(balancing.first() == 0) }
        balancing.question.weights = nil
        balancing.question.ranks = [1, 1, 0]
        for _ in 0..<50 { #expect(balancing.order().prefix(2) == [2, 1]) }
    }

    @Test func `what is closed comes last, and its share goes to the others`() {
        var balancing = Balancing(.weighted, weights: [1, 1, 1])
        balancing.states[1].close(until: balancing.question.now + .seconds(1))
        let shares = balancing.shares(300)
        #expect(shares[1] == 0 && abs(shares[0] - shares[2]) < 10, "\(shares)")
        #expect(balancing.placements().last == .init(position: 1, grade: .unavailable))
        balancing.question.now = balancing.question.now + .seconds(1)
        #expect(balancing.shares(300)[1] > 80)
    }

    @Test func `sixty-four targets are as good as two`() {
        var balancing = Balancing(.weighted, weights: Array(repeating: 1000, count: 64))
        #expect(balancing.order().sorted() == Array(0..<64))
        let shares = balancing.shares(640)
        #expect(shares.allSatisfy { 5...15 ~= $0 }, "\(shares)")
    }
}

@Suite struct `Choosing by load` {
    @Test func `the one with the fewest requests under way, for its weight, is first`() {
        var balancing = Balancing(.leastOutstanding, weights: [1, 1, 2])
        for (index, count) in [2, 1, 4].enumerated() { for _ in 0..<count { balancing.states[index].load.begin() } }
        #expect(balancing.order() == [1, 2, 0])
        balancing.states[1].load.begin()
        balancing.states[1].load.begin()
        #expect(balancing.first() == 2)
    }

    @Test func `equals take turns`() {
        var balancing = Balancing(.leastOutstanding, weights: [1, 1, 1, 1])
        let shares = balancing.shares(800)
        #expect(shares.allSatisfy { $0 > 120 }, "\(shares)")
    }

    /// A target takes its time for every request; there are always so many under way.
    private func simulate(_ strategy: BalancingStrategy, latencies: [Int], failing: Set<Int> = []) -> [Int] {
        var balancing = Balancing(strategy, weights: latencies.map { _ in 1 })
        var running: [(end: Int, target: Int)] = []
        var counts = latencies.map { _ in 0 }
        let start = balancing.question.now
        for millisecond in 0..<20_000 {
            let now = start + .milliseconds(millisecond)
            balancing.question.now = now
            running.removeAll { request in
                if request.end > millisecond { return false }
                balancing.states[request.target].load.end(
                    latency: .milliseconds(latencies[request.target]),
                    failing.contains(request.target) ? .failure : .success, isStream: false, at: now)
                return true
            }
            while running.count < 8 {
                let target = balancing.first()
                balancing.states[target].load.begin()
                counts[target] += 1
                running.append((millisecond + latencies[target], target))
            }
        }
        return counts
    }

    @Test func `a slow target of three is asked seldom`() {
        let counts = simulate(.fastest, latencies: [50, 50, 1000])
        #expect(counts[2] * 50 < counts[0] + counts[1] && counts[2] > 0, "\(counts)")
        #expect(abs(counts[0] - counts[1]) < (counts[0] + counts[1]) / 3, "\(counts)")
    }

    @Test func `a target that fails at once is not taken for a fast one`() {
        let counts = simulate(.fastest, latencies: [100, 100, 1], failing: [2])
        #expect(counts[2] * 20 < counts[0] + counts[1], "\(counts)")
    }

    @Test func `a target that is new is tried`() {
        let counts = simulate(.fastest, latencies: [20, 20])
        #expect(counts[0] > 1000 && counts[1] > 1000, "\(counts)")
    }
}

@Suite struct `Targets that fail often` {
    /// So many requests in a second, to a target that answers so many and fails so many, in turn; another one stands in.
    private func attempts(_ strategy: BalancingStrategy, flap: Int, perSecond: Int, count: Int) -> Double {
        var balancing = Balancing(strategy, weights: [1, 1], prices: [1, 100])
        let start = balancing.question.now
        var asked = 0
        var attempts = 0
        for request in 0..<count {
            let now = start + .nanoseconds(1_000_000_000 * Int64(request) / Int64(perSecond))
            balancing.question.now = now
            for target in balancing.order() {
                attempts += 1
                let fails = target == 0 && asked / flap % 2 == 0
                if target == 0 { asked += 1 }
                balancing.states[target].load.begin()
                balancing.states[target].load.end(
                    latency: .milliseconds(1), fails ? .failure : .success, isStream: false, at: now)
                if !fails { break }
            }
        }
        return Double(attempts) / Double(count)
    }

    @Test(arguments: BalancingStrategy.allCases, [1, 3, 5])
    func `cost a tenth of an attempt at most, however often they are asked`(strategy: BalancingStrategy, flap: Int) {
        for rate in [1, 10, 200] {
            let attempts = attempts(strategy, flap: flap, perSecond: rate, count: max(120, 20 * rate))
            #expect(attempts <= 1.1, "\(attempts) at \(rate) a second")
        }
    }

    @Test func `are asked first again once they have been well for a while`() {
        var balancing = Balancing(.weighted, weights: [1, 0])
        func end(_ outcome: TargetLoad.Outcome, _ count: Int) {
            for _ in 0..<count {
                balancing.states[0].load.begin()
                balancing.states[0].load.end(latency: nil, outcome, isStream: false, at: balancing.question.now)
            }
        }
        end(.failure, 2)
        end(.neutral, 9)
        #expect(balancing.placements()[0] == .init(position: 0, grade: .good), "two may be chance")
        end(.failure, 1)
        #expect(balancing.placements()[1] == .init(position: 0, grade: .doubtful))
        end(.success, 7)
        #expect(balancing.placements()[0] == .init(position: 0, grade: .good))
        end(.failure, 5)
        balancing.question.now = balancing.question.now + TargetLoad.recentWindow
        #expect(balancing.placements()[0] == .init(position: 0, grade: .good))
    }
}

@Suite struct `Choosing by price` {
    @Test func `the cheapest that fits is first, then the next in price; what does not fit comes after`() {
        var needs = RequestNeeds()
        needs.inputTokens = 10_000
        let table = TargetTable()
        func member(_ name: String, _ input: Int, _ output: Int, context: Int?, _ abilities: Abilities) -> TargetGroup.Member {
            var traits = TargetTraits()
            traits.price = TargetPrice(inputMicros: input, outputMicros: output)
            traits.contextTokensMax = context
            traits.abilities = abilities
            return TargetGroup.Member(table.state(of: TargetID(provider: name, model: "m")), traits)
        }
        let group = TargetGroup(
            [
                member("small", 10, 10, context: 8000, .all), member("blind", 20, 20, context: nil, [.tools]),
                member("large", 400, 400, context: 200_000, .all), member("chatty", 100, 4000, context: 32_000, .all),
            ], .cheapest)
        var random = SplitMix64(1)
        func order(_ needs: RequestNeeds) -> String {
            var question = BalancingQuestion(now: Instant(nanoseconds: 0))
            question.needs = needs
            var placements: [TargetGroup.Placement] = []
            group.place(question, random: &random, into: &placements)
            return placements.map { group.members[$0.position].state.id.provider }.joined(separator: " ")
        }
        #expect(order(needs) == "blind chatty large small")
        needs.abilities = [.images]
        #expect(order(needs) == "chatty large small blind")
        needs.outputTokens = 16_000
        #expect(order(needs) == "large chatty small blind")
        needs.outputTokens = 30_000
        #expect(order(needs) == "large small blind chatty", "answers count against the window too")
        #expect(order(RequestNeeds()) == "small blind large chatty")
    }

    @Test func `what fails most of the time is not asked for being cheap`() {
        var balancing = Balancing(.cheapest, weights: [1, 1], prices: [1, 100])
        #expect(balancing.order() == [0, 1])
        for _ in 0..<10 {
            balancing.states[0].load.begin()
            balancing.states[0].load.end(latency: nil, .failure, isStream: false, at: balancing.question.now)
        }
        #expect(balancing.order() == [1, 0])
        balancing.question.now = balancing.question.now + TargetLoad.recentWindow
        #expect(balancing.order() == [0, 1])
    }

    @Test func `equal prices are asked by what is under way, and an unknown price comes last`() {
        var balancing = Balancing(.cheapest, weights: [1, 1, 1], prices: [5, 5, 5])
        balancing.states[0].load.begin()
        balancing.states[2].load.begin()
        balancing.states[2].load.begin()
        #expect(balancing.order() == [1, 0, 2])
    }

    @Test(arguments: [
        (1_000_000, 0, 0, 2_500_000), (0, 1_000_000, 0, 10_000_000), (1, 0, 0, 3), (1_000_000, 0, 400_000, 2_000_000),
        (0, 0, 0, 0), (-5, -5, -5, 0), (10, 0, 999, 13), (Int.max, Int.max, 0, Int.max),
    ])
    func `tokens cost what the list says, rounded up`(input: Int, output: Int, cached: Int, micros: Int) {
        let price = TargetPrice(inputMicros: 2_500_000, outputMicros: 10_000_000, cachedInputMicros: 1_250_000)
        #expect(price.micros(inputTokens: input, outputTokens: output, cachedInputTokens: cached) == micros)
    }
}

@Suite struct `Choosing by affinity` {
    private func owners(_ names: [String], weights: [Int]? = nil, keys: Int) -> [String] {
        var balancing = Balancing(.affinity, weights: weights ?? names.map { _ in 1 }, names: names)
        return (0..<keys).map { key in
            balancing.question.key = Rendezvous.hash("user-\(key)")
            return names[balancing.first()]
        }
    }

    @Test func `a key stays where it is, and one that leaves moves only its own`() {
        let names = ["a", "b", "c", "d", "e"]
        let before = owners(names, keys: 2000)
        #expect(before == owners(names.reversed(), keys: 2000), "however they are listed, in any process")
        for gone in names {
            let after = owners(names.filter { $0 != gone }, keys: 2000)
            for (old, new) in zip(before, after) where old != gone { #expect(old == new) }
            let inherited = zip(before, after).filter { $0.0 == gone }.map(\.1)
            for name in names where name != gone {
                let share = inherited.count { $0 == name }
                #expect(share * 4 > inherited.count / 2, "\(gone) → \(name): \(share) of \(inherited.count)")
            }
        }
    }

    @Test func `the keys are shared out by weight`() {
        let owners = owners(["a", "b", "c"], weights: [1, 2, 5], keys: 8000)
        for (name, due) in [("a", 1000), ("b", 2000), ("c", 5000)] {
            let count = owners.count { $0 == name }
            #expect(abs(count - due) < due / 8, "\(name): \(count)")
        }
    }

    @Test func `a target that is closed gives its keys to the ones that would have them without it`() {
        let names = ["a", "b", "c"]
        var balancing = Balancing(.affinity, weights: [1, 1, 1], names: names)
        let without = owners(["a", "c"], keys: 300)
        balancing.states[1].close(until: .distantFuture)
        for key in 0..<300 {
            balancing.question.key = Rendezvous.hash("user-\(key)")
            #expect(names[balancing.first()] == without[key])
        }
    }

    @Test func `without a key the weights decide`() {
        var balancing = Balancing(.affinity, weights: [1, 3])
        let shares = balancing.shares(400)
        #expect(abs(shares[1] - 300) < 5, "\(shares)")
    }
}
