import SluiceCore
import SluicePolicy
import TestSupport
import Testing

@Suite struct `Closed keys` {
    private static let now = Instant(nanoseconds: 1_000_000_000)

    @Test func `a key is closed until its time, and the others are open meanwhile`() {
        let closures = KeyClosures()
        #expect(closures.close(1, until: Self.now + .seconds(5), at: Self.now))
        #expect(closures.opening(of: 1, at: Self.now) == Self.now + .seconds(5))
        #expect(closures.opening(of: 0, at: Self.now) == nil)
        #expect(closures.soonestOpening(ofKeys: 2, at: Self.now) == nil)
        #expect(closures.opening(of: 1, at: Self.now + .seconds(5)) == nil)
        #expect(closures.isEmpty)
    }

    @Test func `when all are closed the first that opens counts`() {
        let closures = KeyClosures()
        closures.close(0, until: Self.now + .seconds(9), at: Self.now)
        closures.close(1, until: Self.now + .seconds(3), at: Self.now)
        #expect(closures.soonestOpening(ofKeys: 2, at: Self.now) == Self.now + .seconds(3))
        #expect(closures.soonestOpening(ofKeys: 3, at: Self.now) == nil)
    }

    @Test func `a shorter closure does not open a key earlier`() {
        let closures = KeyClosures()
        closures.close(0, until: Self.now + .seconds(9), at: Self.now)
        #expect(!closures.close(0, until: Self.now + .seconds(1), at: Self.now))
        #expect(closures.opening(of: 0, at: Self.now) == Self.now + .seconds(9))
    }

    @Test func `a target that is closed as a whole is closed for every key, and for none`() {
        let closures = KeyClosures()
        closures.close(KeyClosures.everyKey, until: Self.now + .seconds(2), at: Self.now)
        #expect(closures.opening(of: 4, at: Self.now) == Self.now + .seconds(2))
        #expect(closures.soonestOpening(ofKeys: 0, at: Self.now) == Self.now + .seconds(2))
        #expect(closures.openingOfWhole(at: Self.now) == Self.now + .seconds(2))
        closures.openAll()
        #expect(closures.soonestOpening(ofKeys: 0, at: Self.now) == nil)
    }

    @Test func `keys that are closed one by one and as a whole open when both are over`() {
        let closures = KeyClosures()
        closures.close(KeyClosures.everyKey, until: Self.now + .seconds(4), at: Self.now)
        closures.close(0, until: Self.now + .seconds(9), at: Self.now)
        #expect(closures.soonestOpening(ofKeys: 2, at: Self.now) == Self.now + .seconds(4))
        closures.close(1, until: Self.now + .seconds(2), at: Self.now)
        #expect(closures.soonestOpening(ofKeys: 2, at: Self.now) == Self.now + .seconds(4))
        closures.close(1, until: Self.now + .seconds(6), at: Self.now)
        #expect(closures.soonestOpening(ofKeys: 2, at: Self.now) == Self.now + .seconds(6))
        closures.close(KeyClosures.noKey, until: Self.now + .seconds(8), at: Self.now)
        #expect(closures.soonestOpening(ofKeys: 0, at: Self.now) == Self.now + .seconds(8))
    }

    @Test func `what is kept is bounded`() {
        let closures = KeyClosures()
        for key in 0..<5000 { closures.close(key, until: Self.now + .seconds(2), at: Self.now) }
        #expect(closures.current(at: Self.now).count == 1024)
    }
}

@Suite struct `A hint of another process` {
    @Test func `comes over as it was sent`() {
        let target = TargetID(provider: "openai", model: "org/model|odd")
        for kind in [HealthHint.Kind.breakerOpen, .keyClosed(1, of: 3), .keyClosed(KeyClosures.everyKey, of: 0)] {
            let hint = HealthHint(kind, target, wait: .milliseconds(1500), sender: .max)
            #expect(HealthHint(Array(hint.text.utf8)) == hint)
        }
    }

    @Test(arguments: [
        "", "1", "2|a|open|5|p|m", "1|a|shut|5|p|m", "1|a|open|0|p|m", "1|a|open|-5|p|m", "1|a|open|99999999999|p|m",
        "1|x|open|5|p|m", "1|a|closed:3/3|5|p|m", "1|a|closed:0/9999|5|p|m", "1|a|closed:1|5|p|m", "1|a|open|5|p",
    ])
    func `is none if it is anything else`(text: String) { #expect(HealthHint(Array(text.utf8)) == nil) }

    @Test func `may be any bytes`() {
        for seed in SplitMix64.seeds(500) {
            var random = SplitMix64(seed)
            let hint = HealthHint(
                .keyClosed(0, of: 2), TargetID(provider: "p", model: "m"), wait: .seconds(1), sender: 1)
            var bytes = Array(hint.text.utf8)
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            if let found = HealthHint(bytes) { #expect(found.wait > .zero, "seed \(seed)") }
        }
        #expect(HealthHint([UInt8](repeating: 49, count: 5000)) == nil)
    }
}
