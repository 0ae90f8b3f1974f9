import SluiceCore
import SluicePolicy
import TestSupport
import Testing

@Suite struct `What a request says about the cache` {
    @Test func `is read as RFC 9111 has it`() {
        let wishes = read(["max-age=60, private", "No-Cache"])
        #expect(wishes.refusesKept && !wishes.refusesKeeping && wishes.ageMax == .seconds(60))
        #expect(read(["no-store"]).refusesKeeping && read(["no-store"]).refusesKept)
        #expect(read(["max-age=\"5\""]).ageMax == .seconds(5))
        #expect(read(["max-age=99999999999999999999999"]).ageMax == .seconds(1 << 32))
        #expect(read(["max-age=x"]).ageMax == .zero, "what cannot be read is as strict as can be")
        #expect(read(["", ",,", "unknown=1", "max-age"]) == CacheWishes())
    }

    @Test func `has words of its own`() {
        var wishes = CacheWishes()
        wishes.read(mode: " Bypass ".utf8Span.span)
        #expect(wishes.refusesKept && wishes.refusesKeeping)
        wishes = CacheWishes()
        wishes.read(mode: "use".utf8Span.span)
        #expect(wishes.asksForCache && !wishes.refusesKept)
        wishes = CacheWishes()
        wishes.read(ttl: "30".utf8Span.span)
        #expect(wishes.ttl == .seconds(30) && wishes.asksForCache)
        wishes = CacheWishes()
        wishes.read(ttl: "0".utf8Span.span)
        #expect(wishes.refusesKeeping && wishes.ttl == nil && !wishes.asksForCache)
        wishes = CacheWishes()
        wishes.read(ttl: "-1".utf8Span.span)
        #expect(wishes == CacheWishes())
    }

    @Test func `never traps, whatever it says`() {
        for seed in SplitMix64.seeds(200) {
            var random = SplitMix64(seed)
            let alphabet = Array("no-cache,store max-age=\"0123456789\t;".utf8)
            let text = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            var wishes = CacheWishes()
            wishes.read(cacheControl: text.span)
            wishes.read(mode: text.span)
            wishes.read(ttl: text.span)
            #expect((wishes.ttl ?? .zero) >= .zero, "seed \(seed)")
        }
    }

    private func read(_ lines: [String]) -> CacheWishes {
        var wishes = CacheWishes()
        for line in lines { wishes.read(cacheControl: line.utf8Span.span) }
        return wishes
    }
}

@Suite struct `The life of an answer` {
    @Test func `goes from fresh to over`() {
        let start = Instant(nanoseconds: 1_000_000_000)
        let life = Lifetime(
            createdAt: start, ttl: .seconds(10), staleWhileRevalidate: .seconds(5), staleIfError: .seconds(20))
        let expected: [(Int, Lifetime.Freshness)] = [
            (-5, .fresh), (0, .fresh), (9, .fresh), (10, .revalidating), (14, .revalidating), (15, .lastResort),
            (29, .lastResort), (30, .over),
        ]
        for (seconds, freshness) in expected {
            #expect(life.freshness(at: start + .seconds(seconds)) == freshness, "\(seconds) s")
        }
        #expect(life.whole == .seconds(30) && life.age(at: Instant(nanoseconds: 0)) == .zero)
    }

    @Test func `has a TTL that differs by its jitter and no more`() {
        var policy = CachePolicy()
        policy.jitter = 0.2
        var random = SplitMix64(7)
        let ttls = (0..<2000).map { _ in policy.jittered(.seconds(100), random.next()).nanoseconds }
        #expect(ttls.allSatisfy { (80_000_000_000...120_000_000_000).contains($0) })
        #expect((ttls.min() ?? 0) < 82_000_000_000 && (ttls.max() ?? 0) > 118_000_000_000)
        policy.jitter = 0
        #expect(policy.jittered(.seconds(100), .max) == .seconds(100))
    }

    @Test func `follows the scene's rule, then the model's, then the general one`() {
        var policy = CachePolicy()
        policy.general.isEnabled = false
        policy.models["m"] = CacheRule()
        var scene = CacheRule()
        scene.ttl = .seconds(1)
        policy.scenes["s"] = scene
        #expect(policy.rule(model: "other", scene: nil) == nil)
        #expect(policy.rule(model: "m", scene: nil)?.ttl == .seconds(3600))
        #expect(policy.rule(model: "m", scene: "s")?.ttl == .seconds(1))
        #expect(policy.rule(model: "other", scene: "s")?.ttl == .seconds(1))
        #expect(policy.rule(model: "m", scene: "unknown")?.ttl == .seconds(3600))
    }
}

@Suite struct `Purges` {
    private let key = testKey(1)

    @Test func `cover what is older, by any of its names`() {
        let targets: [PurgeTarget] = [.all, .key(testKey(1).prefix), .model("m"), .scene("s"), .tenant("t")]
        for target in targets {
            let marks = PurgeMarks()
            #expect(!covers(marks, 50))
            #expect(marks.add(target, at: 100, now: 200))
            #expect(covers(marks, 100) && !covers(marks, 101), "\(target)")
            #expect(
                !marks.add(target, at: 100, now: 200) && !marks.add(target, at: 99, now: 200), "that is no news")
            #expect(PurgeTarget(text: target.text) == target)
            #expect(target.matches(key, model: "m", scene: "s", tenant: "t"))
        }
        for target in [PurgeTarget.key(testKey(2).prefix), .model("x"), .scene("x"), .tenant("x")] {
            #expect(!target.matches(key, model: "m", scene: "s", tenant: "t"))
        }
        #expect(PurgeTarget(text: "x:1") == nil && PurgeTarget(text: "") == nil)
    }

    @Test func `are remembered within a bound, and never too few`() {
        let marks = PurgeMarks()
        for index in 0..<5000 { _ = marks.add(.tenant("\(index)"), at: index, now: 9000) }
        #expect(marks.count <= 1000)
        #expect(marks.covers(key, created: 3, model: "m", scene: "", tenant: "4"))
    }

    @Test func `by a clock that is ahead hide nothing that is still to come, and are news once`() {
        for target in [PurgeTarget.all, .model("m")] {
            let marks = PurgeMarks()
            #expect(marks.add(target, at: .max, now: 100))
            #expect(covers(marks, 100) && !covers(marks, 101))
            #expect(!marks.add(target, at: .max, now: 150))
            #expect(covers(marks, 100) && !covers(marks, 101))
            #expect(marks.add(.model("m"), at: 140, now: 150), "what is purged later is purged all the same")
            #expect(covers(marks, 140) && !covers(marks, 141))
        }
    }

    @Test func `that were forgotten for want of room are no news when they are told again`() {
        let marks = PurgeMarks()
        let told = (1...PurgeMarks.countMax + 1).map { PurgeTarget.tenant("\($0)") }
        for (time, target) in told.enumerated() { _ = marks.add(target, at: time, now: 9000) }
        for (time, target) in told.enumerated() { #expect(!marks.add(target, at: time, now: 9000)) }
    }

    private func covers(_ marks: PurgeMarks, _ created: Int) -> Bool {
        marks.covers(key, created: created, model: "m", scene: "s", tenant: "t")
    }
}

/// A key that is as good as random.
func testKey(_ number: UInt64) -> CacheKey {
    var random = SplitMix64(number)
    let bytes = (0..<32).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    guard let key = CacheKey(bytes.span) else { preconditionFailure("32 bytes are a key") }
    return key
}

@Suite struct `Names of answers` {
    @Test func `have 32 bytes, and are written in hexadecimal`() {
        let bytes = (0..<32).map { UInt8($0 * 7) }
        let key = CacheKey(bytes.span)
        #expect(key?.text == bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
        #expect(key?.prefix == key.map { String($0.text.prefix(16)) })
        let buffer = ByteBuffer()
        key?.append(to: buffer)
        #expect((0..<buffer.count).map { buffer[$0] } == bytes)
        let short = [UInt8](repeating: 1, count: 31)
        #expect(CacheKey(short.span) == nil)
        #expect(testKey(1) == testKey(1) && testKey(1) != testKey(2))
    }
}
