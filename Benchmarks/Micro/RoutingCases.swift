internal import SluiceCore
internal import SluicePolicy

/// Putting three targets in order, by each strategy, and noting what became of one.
func measureRouting(_ measure: Measure) {
    let table = TargetTable()
    let members = (0..<3).map { index in
        var traits = TargetTraits()
        traits.weight = index + 1
        traits.price = TargetPrice(inputMicros: 1000 * index, outputMicros: 4000)
        return TargetGroup.Member(table.state(of: TargetID(provider: "p\(index)", model: "m")), traits)
    }
    let now = Instant(nanoseconds: 1_000_000_000)
    for member in members {
        member.state.load.begin()
        member.state.load.end(latency: .milliseconds(20), .success, isStream: false, at: now)
    }
    var random = SplitMix64(1)
    var placements: [TargetGroup.Placement] = []
    for strategy in BalancingStrategy.allCases {
        let group = TargetGroup(members, strategy)
        var question = BalancingQuestion(now: now)
        question.key = 7
        if strategy == .cheapest { question.needs = RequestNeeds() }
        measure("route/\(strategy.rawValue), 3 targets") {
            placements.removeAll(keepingCapacity: true)
            group.place(question, random: &random, into: &placements)
            keep(placements.count)
        }
    }
    let load = members[0].state.load
    measure("route/note an attempt") {
        load.begin()
        load.end(latency: .milliseconds(20), .success, isStream: false, at: now)
    }
}
