import SluiceCore
import SluicePolicy
import SluiceStorage
import TestSupport
import SluiceTLS
import Testing

@Suite struct `Answers as Redis holds them` {
    private let now = Instant(nanoseconds: 50_000_000_000)
    private let time = 1_700_000_000_000
    private let entry = CacheEntry(
        .verbatim, ByteBuffer("{\"secret prompt\":1}"),
        Lifetime(
            createdAt: Instant(nanoseconds: 20_000_000_000), ttl: .seconds(100), staleWhileRevalidate: .seconds(3),
            staleIfError: .seconds(9)),
        status: 404, isOnlyWhole: true, fields: [CacheEntry.Field(name: "content-type", value: "text/é")],
        labels: CacheEntry.Labels(model: "m", scene: "s", tenant: "tt", provider: "p"), content: cacheKey(77))

    private func bytes(_ codec: EntryCodec, _ entry: CacheEntry, _ key: CacheKey) -> [UInt8] {
        let buffer = codec.encode(entry, for: key, now: now, time: time)
        return (0..<buffer.count).map { buffer[$0] }
    }

    private func decode(_ codec: EntryCodec, _ bytes: [UInt8], _ key: CacheKey) -> CacheEntry? {
        codec.decode(bytes.span, for: key, now: now, time: time)?.entry
    }

    @Test(arguments: [nil, "a secret of a good length"])
    func `read back as they were`(secret: String?) {
        let codec = EntryCodec(secret: secret.map { Secret($0) })
        let bytes = bytes(codec, entry, cacheKey(1))
        let later = Instant(nanoseconds: 8_000_000_000)  // another process, with another clock
        guard let (found, created) = codec.decode(bytes.span, for: cacheKey(1), now: later, time: time + 10_000) else {
            Issue.record("it cannot be read")
            return
        }
        #expect(
            found.form == .verbatim && found.status == 404 && found.isOnlyWhole && found.body.text == entry.body.text)
        #expect(found.labels == entry.labels && found.fields == entry.fields && found.content == entry.content)
        #expect(found.lifetime.age(at: later) == .seconds(40) && created == time - 30_000)
        #expect(found.lifetime.whole == .seconds(109) && found.lifetime.ttl == .seconds(100))
        let plain = CacheEntry(.chat, ByteBuffer(capacity: 16), Lifetime(createdAt: now, ttl: .seconds(1)))
        let again = decode(codec, self.bytes(codec, plain, cacheKey(2)), cacheKey(2))
        #expect(
            again?.body.isEmpty == true && again?.content == nil && again?.status == 200 && again?.isOnlyWhole == false)
    }

    @Test func `show nothing where they are encrypted`() {
        let codec = EntryCodec(secret: Secret("s"))
        let one = bytes(codec, entry, cacheKey(1))
        #expect(
            !contains(one, "prompt") && !contains(one, "content-type")
                && contains(bytes(EntryCodec(secret: nil), entry, cacheKey(1)), "prompt"))
        #expect(one != bytes(codec, entry, cacheKey(1)), "no nonce is used twice")
    }

    private func contains(_ bytes: [UInt8], _ text: String) -> Bool {
        String(decoding: bytes, as: UTF8.self).contains(text)
    }

    @Test func `are sealed by a vault that has a key, move through a rotation, and are read from nowhere else`() throws {
        func keys(_ first: UInt8, _ more: UInt8...) -> MasterKeys {
            MasterKeys(([first] + more).map { start in
                let key = (0..<32).map { UInt8(truncatingIfNeeded: $0) &+ start }
                return Secret(key.span)
            })
        }
        let vault = SecretVault(keys(1))
        let codec = EntryCodec(secret: nil, vault: vault)
        let sealed = bytes(codec, entry, cacheKey(1))
        #expect(codec.isEncrypting && !contains(sealed, "prompt"))
        #expect(decode(codec, sealed, cacheKey(1))?.body.text == entry.body.text)
        #expect(decode(codec, sealed, cacheKey(2)) == nil, "another name")
        #expect(decode(codec, bytes(EntryCodec(secret: nil), entry, cacheKey(1)), cacheKey(1)) == nil, "a plain one")
        #expect(decode(EntryCodec(secret: nil), sealed, cacheKey(1)) == nil)
        vault.adopt(keys(50, 1))
        #expect(decode(codec, sealed, cacheKey(1)) != nil)
        vault.adopt(keys(50))
        #expect(decode(codec, sealed, cacheKey(1)) == nil)
        let without = SecretVault()
        #expect(!EntryCodec(secret: nil, vault: without).isEncrypting)
    }

    @Test func `are not read under another secret or another name`() {
        let codec = EntryCodec(secret: Secret("one"))
        let sealed = bytes(codec, entry, cacheKey(1))
        #expect(decode(codec, sealed, cacheKey(1)) != nil)
        #expect(decode(EntryCodec(secret: Secret("two")), sealed, cacheKey(1)) == nil)
        #expect(decode(EntryCodec(secret: nil), sealed, cacheKey(1)) == nil)
        #expect(decode(codec, sealed, cacheKey(2)) == nil)
        #expect(decode(codec, bytes(EntryCodec(secret: nil), entry, cacheKey(1)), cacheKey(1)) == nil)
    }

    @Test func `are not read where anything was changed, once they are sealed`() {
        let codec = EntryCodec(secret: Secret("one"))
        let sealed = bytes(codec, entry, cacheKey(1))
        for index in sealed.indices {
            var changed = sealed
            changed[index] ^= 1
            #expect(decode(codec, changed, cacheKey(1)) == nil, "byte \(index)")
        }
    }

    @Test(arguments: [
        ("x", "a\r\nset-cookie: b"), ("x", "a\u{0}"), ("x", "a\u{7F}"), ("x\r\ny", "a"), ("x y", "a"), ("x:", "a"), ("", "a"),
    ])
    func `put nothing into a head that would end it`(name: String, value: String) {
        let codec = EntryCodec(secret: nil)
        let lifetime = Lifetime(createdAt: now, ttl: .seconds(1))
        func entry(_ status: UInt16, _ fields: [CacheEntry.Field]) -> CacheEntry? {
            let entry = CacheEntry(.verbatim, ByteBuffer("x"), lifetime, status: status, fields: fields)
            return decode(codec, bytes(codec, entry, cacheKey(1)), cacheKey(1))
        }
        #expect(entry(200, [CacheEntry.Field(name: name, value: value)]) == nil)
        #expect(entry(200, [CacheEntry.Field(name: "x-a1", value: "a\tb é")]) != nil)
        for status in [0, 99, 100, 101, 199, 600, .max] as [UInt16] { #expect(entry(status, []) == nil, "\(status)") }
    }

    @Test func `never trap, whatever Redis holds`() {
        let codec = EntryCodec(secret: nil)
        let whole = bytes(codec, entry, cacheKey(1))
        for count in 0..<whole.count - entry.body.count {
            #expect(decode(codec, Array(whole[..<count]), cacheKey(1)) == nil, "\(count) bytes")
        }
        for seed in SplitMix64.seeds(2000) {
            var random = SplitMix64(seed)
            var bytes = whole
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
            if let entry = decode(codec, bytes, cacheKey(1)) {
                #expect(entry.lifetime.age(at: now) >= .zero && entry.lifetime.whole > .seconds(-1), "seed \(seed)")
            }
        }
    }
}
