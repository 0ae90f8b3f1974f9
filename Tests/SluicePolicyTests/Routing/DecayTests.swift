import SluiceCore
import Testing

@testable import SluicePolicy

@Suite struct `What is known of a target's load` {
    private let start = Instant(nanoseconds: 5_000_000_000)

    private func load() -> TargetLoad { TargetTable().state(of: TargetID(provider: "p", model: "m")).load }

    @Test func `a slow answer counts at once, fast ones after it little by little`() {
        let load = load()
        load.begin()
        load.end(latency: .milliseconds(100), .success, isStream: true, at: start)
        load.begin()
        load.end(latency: .seconds(2), .success, isStream: true, at: start + .seconds(1))
        #expect(load.latency(isStream: true, at: start + .seconds(1)) == .seconds(2))
        for second in 2...6 {
            load.begin()
            load.end(latency: .milliseconds(100), .success, isStream: true, at: start + .seconds(second))
        }
        let later = load.latency(isStream: true, at: start + .seconds(6)) ?? .zero
        #expect(later > .seconds(1) && later < .seconds(2), "\(later)")
        #expect(load.latency(isStream: false, at: start) == nil, "answers that come whole are another matter")
    }

    @Test func `what nobody has used for long is unknown again`() {
        let load = load()
        load.begin()
        load.end(latency: .seconds(5), .failure, isStream: false, at: start)
        #expect(load.failureShare(at: start) > 0.1)
        #expect(load.failureShare(at: start + .seconds(120)) < 0.001)
        #expect(load.score(isStream: false, weight: 1, at: start + .seconds(300)) == 0)
    }

    @Test func `a failure that comes fast is no fast answer`() {
        let (failing, slow) = (load(), load())
        for second in 0..<5 {
            failing.begin()
            failing.end(latency: .milliseconds(1), .failure, isStream: false, at: start + .seconds(second))
            slow.begin()
            slow.end(latency: .milliseconds(900), .success, isStream: false, at: start + .seconds(second))
        }
        let now = start + .seconds(5)
        #expect(
            failing.score(isStream: false, weight: 1, at: now) > 2 * slow.score(isStream: false, weight: 1, at: now))
        #expect(failing.failureCount == 5 && slow.failureCount == 0 && slow.answerCount == 5)
    }

    @Test func `what is under way makes a target less wanted, and weight makes it more`() {
        let load = load()
        #expect(load.score(isStream: true, weight: 1, at: start) == 0, "nothing is known: it is worth a try")
        load.begin()
        let one = load.score(isStream: true, weight: 1, at: start)
        load.begin()
        let two = load.score(isStream: true, weight: 1, at: start)
        #expect(one > 0 && two > one && load.outstanding == 2)
        #expect(load.score(isStream: true, weight: 2, at: start) == two / 2)
        load.end(latency: nil, .neutral, isStream: true, at: start)
        load.end(latency: .milliseconds(1), .neutral, isStream: true, at: start)
        #expect(load.outstanding == 0 && load.answerCount == 0 && load.latency(isStream: true, at: start) == nil)
    }

    @Test func `a clock that is behind, far ahead or at its end harms nothing`() {
        let load = load()
        for instant in [start, Instant(nanoseconds: 0), .distantFuture, start + .seconds(1 << 31), start] {
            load.begin()
            load.end(latency: .seconds(1 << 40), .failure, isStream: true, at: instant)
            load.begin()
            load.end(latency: .seconds(1 << 40), .success, isStream: true, at: instant)
            let share = load.failureShare(at: instant)
            #expect(share >= 0 && share <= 1 && load.score(isStream: true, weight: 1, at: instant).isFinite)
        }
    }

    @Test func `workers that note at the same time lose nothing`() async {
        let load = load()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for index in 0..<2000 {
                        load.begin()
                        load.end(
                            latency: .milliseconds(1 + index % 7), index % 2 == 0 ? .success : .failure, isStream: true,
                            at: Instant(nanoseconds: Int64(index) * 1_000_000))
                    }
                }
            }
        }
        #expect(load.outstanding == 0 && load.answerCount == 8000 && load.failureCount == 4000)
    }
}
