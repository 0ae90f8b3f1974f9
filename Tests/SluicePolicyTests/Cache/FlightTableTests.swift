import SluiceCore
import SluicePolicy
import Synchronization
import TestSupport
import Testing

/// Notes what it is told.
final class TestMember: FlightMember {
    typealias Answer = Int
    private let told = Mutex<[String]>([])

    var verdicts: [String] { told.withLock { $0 } }

    func tell(_ verdict: FlightVerdict<Int>) {
        let word =
            switch verdict {
            case .answer(let number): "answer \(number)"
            case .lead: "lead"
            case .goAlone: "alone"
            }
        told.withLock { $0.append(word) }
    }
}

@Suite struct `One flight for many` {
    private let table = FlightTable<TestMember>()
    private let key = testKey(1)

    private func members(_ count: Int) -> [TestMember] { (0..<count).map { _ in TestMember() } }

    @Test func `has one leader, and its answer is everybody's`() {
        let all = members(4)
        #expect(all.map { table.join(key, content: key, $0) } == [.leader, .follower, .follower, .follower])
        #expect(table.count == 1 && !table.lead(key, content: key))
        #expect(table.land(key, 7) == 3)
        #expect(all.map(\.verdicts) == [[], ["answer 7"], ["answer 7"], ["answer 7"]])
        #expect(table.count == 0 && table.join(key, content: key, all[0]) == .leader)
    }

    @Test func `goes on with the next, one at a time, when its leader fails`() {
        let all = members(3)
        for member in all { _ = table.join(key, content: key, member) }
        table.fail(key)
        #expect(all.map(\.verdicts) == [[], ["lead"], []])
        let late = TestMember()
        #expect(table.join(key, content: key, late) == .follower)
        table.fail(key)
        table.fail(key)
        #expect(all[2].verdicts == ["lead"] && late.verdicts == ["lead"])
        table.fail(key)
        #expect(table.count == 0)
    }

    @Test func `lets everybody go when the answer is not to be shared`() {
        let all = members(3)
        for member in all { _ = table.join(key, content: key, member) }
        #expect(table.release(key) == 2)
        #expect(all.map(\.verdicts) == [[], ["alone"], ["alone"]] && table.count == 0)
    }

    @Test func `is left by those who wait no longer, unless they have been told`() {
        let all = members(3)
        for member in all { _ = table.join(key, content: key, member) }
        #expect(table.leave(key, all[1]) && !table.leave(key, all[1]))
        table.fail(key)
        #expect(all[1].verdicts == [] && all[2].verdicts == ["lead"])
        #expect(!table.leave(key, all[2]), "it has to lead")
        #expect(!table.leave(testKey(2), all[0]))
    }

    @Test func `is about one thing`() {
        #expect(table.join(key, content: testKey(5), TestMember()) == .leader)
        #expect(table.join(key, content: testKey(6), TestMember()) == .conflict)
        #expect(table.join(key, content: testKey(5), TestMember()) == .follower)
    }

    /// However calls are mixed on many threads: nobody waits for ever, and nobody is told twice.
    @Test func `forgets nobody`() async {
        let table = FlightTable<TestMember>()
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    var random = SplitMix64(UInt64(worker))
                    var waiting: [(CacheKey, TestMember)] = []
                    for _ in 0..<2000 {
                        let key = testKey(random.next() % 5)
                        let member = TestMember()
                        if table.join(key, content: key, member) == .leader {
                            switch random.next() % 3 {
                            case 0: table.land(key, 1)
                            case 1: table.release(key)
                            default: table.fail(key)
                            }
                        } else {
                            waiting.append((key, member))
                        }
                        // Whoever was told to lead does so, and fails. Read once: another thread may tell between two looks.
                        waiting.removeAll { key, member in
                            let told = member.verdicts
                            if told == ["lead"] { table.fail(key) }
                            return !told.isEmpty
                        }
                    }
                    while !waiting.isEmpty {
                        waiting.removeAll { key, member in
                            let told = member.verdicts
                            if told == ["lead"] { table.fail(key) }
                            return !told.isEmpty || table.leave(key, member)
                        }
                    }
                }
            }
        }
        #expect(table.count == 0)
    }
}
