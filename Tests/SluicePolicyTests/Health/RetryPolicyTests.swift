import SluiceCore
import SluicePolicy
import TestSupport
import Testing

@Suite struct `What follows a failed attempt` {
    private static func step(
        _ failure: RetryPolicy.Failure, _ change: (inout RetryPolicy.Situation) -> Void = { _ in },
        settings: RetrySettings = RetrySettings(), hasBudget: Bool = true
    ) -> RetryPolicy.Step {
        var situation = RetryPolicy.Situation()
        change(&situation)
        var random = SplitMix64(1)
        return RetryPolicy.step(after: failure, situation, settings, using: &random) { hasBudget }
    }

    private static func isSameTarget(_ step: RetryPolicy.Step) -> Bool {
        if case .sameTarget = step { true } else { false }
    }

    @Test(arguments: FailureClass.allCases)
    func `what a caller did wrong is never tried again at the same target, what may pass is`(kind: FailureClass) {
        let step = Self.step(RetryPolicy.Failure(kind, wasSent: true))
        #expect(Self.isSameTarget(step) == kind.mayPass)
        if !kind.mayPassElsewhere {
            #expect(Self.step(RetryPolicy.Failure(kind, wasSent: false)) { $0.hasNextTarget = true } == .giveUp)
        }
    }

    @Test func `another target comes before the same one again`() {
        #expect(Self.step(RetryPolicy.Failure(.serverError, wasSent: true)) { $0.hasNextTarget = true } == .nextTarget)
    }

    @Test func `another key comes first, where it is the key that failed`() {
        for kind in [FailureClass.rateLimited, .quota, .keyRefused] {
            let step = Self.step(RetryPolicy.Failure(kind, wasSent: true)) {
                $0.hasOtherKey = true
                $0.hasNextTarget = true
            }
            #expect(step == .otherKey)
        }
        #expect(!Self.isSameTarget(Self.step(RetryPolicy.Failure(.quota, wasSent: true))))
    }

    @Test func `what must not be done twice is repeated only if it was not begun, or declined`() {
        func unsafe(_ kind: FailureClass, wasSent: Bool) -> RetryPolicy.Step {
            Self.step(RetryPolicy.Failure(kind, wasSent: wasSent)) {
                $0.isSafeToRepeat = false
                $0.hasNextTarget = true
            }
        }
        #expect(unsafe(.connect, wasSent: false) == .nextTarget)
        #expect(unsafe(.closed, wasSent: false) == .nextTarget)
        #expect(unsafe(.rateLimited, wasSent: true) == .nextTarget)
        for kind in [FailureClass.closed, .timeout, .serverError, .overloaded, .truncated, .malformed, .transient] {
            #expect(unsafe(kind, wasSent: true) == .giveUp)
        }
    }

    @Test func `after_sent false makes every operation one that must not be done twice`() {
        var settings = RetrySettings()
        settings.afterSent = false
        #expect(Self.step(RetryPolicy.Failure(.serverError, wasSent: true), settings: settings) == .giveUp)
        #expect(Self.isSameTarget(Self.step(RetryPolicy.Failure(.connect, wasSent: false), settings: settings)))
    }

    @Test func `a spent budget stops repeats at the same target, and no step to another one`() {
        let failure = RetryPolicy.Failure(.serverError, wasSent: true)
        #expect(Self.step(failure, hasBudget: false) == .giveUp)
        #expect(Self.step(failure, { $0.hasNextTarget = true }, hasBudget: false) == .nextTarget)
    }

    @Test func `nothing is begun that has no time to end`() {
        let failure = RetryPolicy.Failure(.serverError, wasSent: true)
        #expect(Self.step(failure) { $0.timeLeft = .milliseconds(400) } == .giveUp)
        let closed = RetryPolicy.Failure(.rateLimited, wasSent: true, closedFor: .seconds(2))
        #expect(Self.step(closed) { $0.timeLeft = .milliseconds(2300) } == .giveUp)
    }

    @Test func `a request waits for a target that closed itself, if that is not too long`() {
        let short = Self.step(RetryPolicy.Failure(.rateLimited, wasSent: true, closedFor: .seconds(2)))
        guard case .sameTarget(let wait) = short else { return #expect(Bool(false), "\(short)") }
        #expect(wait >= .seconds(2) && wait < .milliseconds(2100))
        #expect(Self.step(RetryPolicy.Failure(.rateLimited, wasSent: true, closedFor: .seconds(4))) == .giveUp)
    }

    @Test func `a provider that says not to ask again is not asked again, but others are`() {
        let failure = RetryPolicy.Failure(.serverError, wasSent: true, isFinal: true)
        #expect(Self.step(failure) == .giveUp)
        #expect(Self.step(failure) { $0.hasNextTarget = true } == .nextTarget)
    }

    @Test func `whatever happens, a request makes no more attempts than it may`() {
        for seed in SplitMix64.seeds(300) {
            var random = SplitMix64(seed)
            var settings = RetrySettings()
            settings.attemptsMax = Int.random(in: 1...5, using: &random)
            settings.sameTargetMax = Int.random(in: 0...5, using: &random)
            var situation = RetryPolicy.Situation()
            while true {
                situation.hasOtherKey = Bool.random(using: &random)
                situation.hasNextTarget = Bool.random(using: &random)
                let kind = FailureClass.allCases.randomElement(using: &random) ?? .closed
                let failure = RetryPolicy.Failure(kind, wasSent: Bool.random(using: &random))
                let step = RetryPolicy.step(after: failure, situation, settings, using: &random) { true }
                if step == .giveUp { break }
                if case .sameTarget = step { situation.repeatsAtTarget += 1 }
                if step == .nextTarget { situation.repeatsAtTarget = 0 }
                situation.attempts += 1
                #expect(situation.repeatsAtTarget <= settings.sameTargetMax, "seed \(seed)")
            }
            #expect(situation.attempts <= settings.attemptsMax, "seed \(seed)")
        }
    }
}

@Suite struct `Hedging` {
    private static let well: HedgePolicy.Situation = {
        var situation = HedgePolicy.Situation()
        situation.isHarmless = true
        situation.attemptsLeft = 2
        situation.budgetLeft = 10
        situation.timeLeft = .seconds(100)
        return situation
    }()

    @Test func `waits as long as most calls take, within its bounds`() {
        var situation = Self.well
        let settings = HedgeSettings()
        #expect(HedgePolicy.delay(situation, settings) == .seconds(10))
        situation.latency = .seconds(2)
        #expect(HedgePolicy.delay(situation, settings) == .seconds(2))
        situation.latency = .milliseconds(3)
        #expect(HedgePolicy.delay(situation, settings) == .milliseconds(500))
    }

    @Test func `is off while there is trouble, a limit near, no budget, no time, or harm`() {
        let changes: [(inout HedgePolicy.Situation) -> Void] = [
            { $0.isHarmless = false }, { $0.attemptsLeft = 0 }, { $0.hasTrouble = true }, { $0.isLimited = true },
            { $0.budgetLeft = 0.5 }, { $0.timeLeft = .seconds(5) },
        ]
        for change in changes {
            var situation = Self.well
            change(&situation)
            #expect(HedgePolicy.delay(situation, HedgeSettings()) == nil)
        }
    }
}

@Suite struct `A latency digest` {
    @Test func `knows a quantile to a fifth`() {
        for seed in SplitMix64.seeds(40) {
            var random = SplitMix64(seed)
            let digest = LatencyDigest()
            var samples: [Duration] = []
            for _ in 0..<99 {
                let sample = Duration.microseconds(Int.random(in: 1500...30_000_000, using: &random))
                samples.append(sample)
                digest.note(sample)
            }
            samples.sort()
            let exact = samples[94]
            guard let found = digest.quantile(0.95) else { return #expect(Bool(false), "nothing was found") }
            #expect(found >= exact && found <= exact * 5 / 4, "seed \(seed): \(found) for \(exact)")
        }
    }

    @Test func `says nothing of a few calls, and forgets those of long ago`() {
        let digest = LatencyDigest()
        for _ in 0..<19 { digest.note(.seconds(1)) }
        #expect(digest.quantile(0.95) == nil)
        for _ in 0..<300 { digest.note(.milliseconds(10)) }
        #expect(digest.quantile(0.999) ?? .seconds(1) < .milliseconds(20))
        digest.note(.seconds(1 << 40))
        digest.note(.seconds(-5))
    }
}
