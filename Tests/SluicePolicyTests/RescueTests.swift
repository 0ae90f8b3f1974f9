import SluiceCore
import SluicePolicy
import TestSupport
import Testing

@Suite struct `Comparing an answer with what was said` {
    /// What comes through of an answer that is cut at `cuts`; `nil` if it differs.
    private static func through(_ said: String, _ answer: String, cuts: [Int] = []) -> String? {
        var comparer = SpliceComparer(Array(said.utf8))
        let bytes = Array(answer.utf8)
        var result: [UInt8] = []
        var start = 0
        for end in cuts + [bytes.count] {
            let piece = Array(bytes[start..<end])
            switch comparer.take(piece.span) {
            case .swallowed: break
            case .passes(let offset): result += piece[offset...]
            case .differs(let count):
                let common = zip(said.utf8, answer.utf8).prefix { $0 == $1 }.count
                #expect(count == common && Array(comparer.repeated) == Array(said.utf8.prefix(common)))
                return nil
            }
            start = end
        }
        #expect(comparer.isDone == (bytes.count >= said.utf8.count))
        return String(decoding: result, as: UTF8.self)
    }

    @Test(arguments: [
        ("", "", ""), ("", "abc", "abc"), ("abc", "abc", ""), ("abc", "abcdef", "def"), ("abc", "ab", ""), ("é😀", "é😀!", "!"),
    ])
    func `what goes beyond is let through, wherever the answer is cut`(said: String, answer: String, rest: String) {
        for cut in 0...answer.utf8.count {
            #expect(Self.through(said, answer, cuts: [cut]) == rest, "cut at \(cut)")
            for other in cut...answer.utf8.count { #expect(Self.through(said, answer, cuts: [cut, other]) == rest) }
        }
    }

    @Test(arguments: [("abc", "abd"), ("abc", "xbc"), ("é", "è"), ("ab ", "ab\n")])
    func `the first byte that differs is noticed, wherever the answer is cut`(said: String, answer: String) {
        for cut in 0...answer.utf8.count { #expect(Self.through(said, answer, cuts: [cut]) == nil, "cut at \(cut)") }
    }

    @Test func `what was said and what goes beyond make up the answer`() {
        for seed in SplitMix64.seeds(300) {
            var random = SplitMix64(seed)
            let answer = String(decoding: (0..<Int.random(in: 0...60, using: &random)).map { _ in
                UInt8.random(in: 97...99, using: &random)
            }, as: UTF8.self)
            let said = String(answer.prefix(Int.random(in: 0...60, using: &random)))
            let cuts = (0..<5).map { _ in Int.random(in: 0...answer.utf8.count, using: &random) }.sorted()
            #expect(Self.through(said, answer, cuts: cuts).map { said + $0 } == answer, "seed \(seed)")
        }
    }
}

@Suite struct `The steps of a rescue` {
    private static func plan(_ ways: RescuePolicy.Ways, current: Int, same: Bool, continuing: Set<Int>) -> [RescueStep] {
        RescueStep.plan(ways, current: current, count: 3, isSameFirst: same) { continuing.contains($0) }
    }

    @Test func `all who go on come before all who begin anew, and those before the current target are past`() {
        #expect(
            Self.plan([.prefill, .splice], current: 1, same: true, continuing: [0, 1, 2]) == [
                RescueStep(.prefill, at: 1), RescueStep(.prefill, at: 2), RescueStep(.splice, at: 1),
                RescueStep(.splice, at: 2),
            ])
        #expect(
            Self.plan([.prefill, .splice], current: 1, same: false, continuing: [2]) == [
                RescueStep(.prefill, at: 2), RescueStep(.splice, at: 2), RescueStep(.splice, at: 1),
            ])
    }

    @Test func `only what is allowed is tried`() {
        #expect(Self.plan([.prefill], current: 0, same: true, continuing: []).isEmpty)
        #expect(Self.plan([], current: 0, same: true, continuing: [0, 1, 2]).isEmpty)
        #expect(Self.plan([.splice], current: 2, same: true, continuing: [2]) == [RescueStep(.splice, at: 2)])
        #expect(Self.plan([.splice], current: 3, same: true, continuing: []).isEmpty)
    }
}

@Suite struct `Draining` {
    @Test func `never more at once than allowed`() {
        let gate = DrainGate()
        #expect(gate.enter(max: 2) && gate.enter(max: 2) && !gate.enter(max: 2))
        gate.leave()
        #expect(gate.enter(max: 2))
        let snapshot = gate.snapshot
        #expect(snapshot.underWay == 2 && snapshot.begun == 3 && snapshot.refused == 1)
        #expect(!gate.enter(max: 0))
    }
}

@Suite struct `Counts of streams` {
    @Test func `each end and each rescue is counted as what it was`() {
        let counts = StreamCounts()
        for end in [StreamCounts.End.complete, .complete, .truncated, .clientAbort, .idle, .budget] { counts.count(end) }
        for rescue in [StreamCounts.Rescue.rescued, .different, .failed, .failed] { counts.count(rescue) }
        var expected = StreamCounts.Snapshot()
        (expected.complete, expected.truncated, expected.clientAbort, expected.idle, expected.budget) = (2, 1, 1, 1, 1)
        (expected.rescued, expected.different, expected.failed) = (1, 1, 2)
        #expect(counts.snapshot == expected)
    }
}
