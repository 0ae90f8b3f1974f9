import SluiceCore
import SluicePolicy
import SluiceStorage
import TestSupport
import Testing

func cacheKey(_ number: Int) -> CacheKey {
    var random = SplitMix64(UInt64(number))
    let bytes = (0..<32).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    guard let key = CacheKey(bytes.span) else { preconditionFailure("32 bytes are a key") }
    return key
}

@Suite struct `Answers in memory` {
    private func entry(_ byteCount: Int, model: String = "m", tenant: String = "t") -> CacheEntry {
        CacheEntry(
            .chat, ByteBuffer(String(repeating: "x", count: byteCount)),
            Lifetime(createdAt: Instant(nanoseconds: 0), ttl: .seconds(1)),
            labels: CacheEntry.Labels(model: model, scene: "s", tenant: tenant))
    }

    @Test func `are found until they are replaced, removed or purged`() {
        let cache = MemoryCache(byteCountMax: 1_000_000)
        let first = entry(100)
        #expect(cache.store(first, for: cacheKey(1)) && cache.entry(cacheKey(1)) === first)
        let second = entry(200)
        #expect(cache.store(second, for: cacheKey(1)) && cache.entry(cacheKey(1)) === second)
        #expect(cache.usage.entryCount == 1 && cache.usage.byteCount == second.byteCount)
        cache.store(entry(1, model: "other"), for: cacheKey(2))
        #expect(cache.purge(.model("m")) == 1 && cache.entry(cacheKey(1)) == nil && cache.entry(cacheKey(2)) != nil)
        #expect(cache.remove(cacheKey(2)) && !cache.remove(cacheKey(2)))
        #expect(cache.usage.entryCount == 0 && cache.usage.byteCount == 0)
        for number in 0..<50 { cache.store(entry(10, tenant: "t\(number % 5)"), for: cacheKey(number)) }
        #expect(cache.purge(.tenant("t3")) == 10 && cache.purge(.scene("s")) == 40 && cache.purge(.all) == 0)
    }

    @Test func `take no more than their budget`() {
        let cache = MemoryCache(byteCountMax: 100_000)
        for number in 0..<2000 {
            cache.store(entry(number % 700), for: cacheKey(number))
            #expect(cache.usage.byteCount <= 100_000)
        }
        #expect(cache.usage.entryCount > 50 && cache.usage.evictionCount > 1000)
        #expect(!cache.store(entry(60_000), for: cacheKey(9999)), "more than half of it is too much")
        cache.resize(to: 10_000)
        #expect(cache.usage.byteCount <= 10_000 && cache.usage.entryCount > 0)
        cache.resize(to: 0)
        #expect(cache.usage.entryCount == 0 && !cache.store(entry(1), for: cacheKey(1)))
    }

    @Test func `spread over parts, all of which are within the budget`() {
        let cache = MemoryCache(byteCountMax: 67_108_864)
        for number in 0..<3000 { cache.store(entry(50_000), for: cacheKey(number)) }
        let usage = cache.usage
        #expect(usage.byteCount <= 67_108_864 && usage.byteCount > 60_000_000)
    }

    @Test func `stay if they are asked for, whatever comes by once`() {
        let cache = MemoryCache(byteCountMax: 100_000)
        for number in 0..<50 { cache.store(entry(500), for: cacheKey(number)) }
        for round in 0..<40 {
            for number in 0..<50 { _ = cache.entry(cacheKey(number)) }
            for number in 0..<50 { cache.store(entry(500), for: cacheKey(1000 + round * 50 + number)) }
        }
        let kept = (0..<50).filter { cache.entry(cacheKey($0)) != nil }.count
        #expect(kept >= 45, "\(kept) of 50")
    }

    /// Four of five requests repeat an earlier one, the popular ones more often (Zipf): the cache, which holds half of what is
    /// asked for, finds at least four fifths of what one without bounds would.
    @Test func `answer repeated traffic`() {
        let cache = MemoryCache(byteCountMax: 500_000)
        var seen: Set<Int> = []
        var random = SplitMix64(11)
        var hits = 0
        var possible = 0
        for _ in 0..<20_000 {
            let uniform = Double(random.next() >> 11) / Double(1 << 53)
            let number = Int(1000 * uniform * uniform * uniform * uniform)
            if !seen.insert(number).inserted { possible += 1 }
            if cache.entry(cacheKey(number)) != nil {
                hits += 1
            } else {
                cache.store(entry(600), for: cacheKey(number))
            }
        }
        #expect(Double(hits) >= 0.8 * Double(possible), "\(hits) of \(possible)")
    }

    @Test func `keep their budget while many threads use them`() async {
        let cache = MemoryCache(byteCountMax: 200_000)
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    var random = SplitMix64(UInt64(worker))
                    for _ in 0..<4000 {
                        let key = cacheKey(Int(random.next() % 800))
                        switch random.next() % 8 {
                        case 0: cache.remove(key)
                        case 1...4: _ = cache.entry(key)
                        case 5 where random.next() % 200 == 0: _ = cache.purge(.model("m"))
                        default: cache.store(entry(Int(random.next() % 900)), for: key)
                        }
                        if random.next() % 100 == 0 { #expect(cache.usage.byteCount <= 200_000) }
                    }
                }
            }
        }
        let usage = cache.usage
        #expect(usage.byteCount <= 200_000 && usage.entryCount > 0)
        #expect(cache.purge(.all) == usage.entryCount && cache.usage.byteCount == 0)
    }
}
