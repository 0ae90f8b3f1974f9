import SluiceCore
import TestSupport
import Testing

@testable import SluiceTLS

@Suite struct `A vault` {
    private static func key(_ seed: UInt64) -> Secret {
        var random = SplitMix64(seed)
        var bytes: [UInt8] = []
        for _ in 0..<32 { bytes.append(UInt8(truncatingIfNeeded: random.next())) }
        return Secret(bytes.span)
    }

    private static func vault(_ seeds: UInt64...) -> SecretVault { SecretVault(MasterKeys(seeds.map(key))) }

    /// Whether these bytes open neither as text nor as bytes, and leave nothing behind.
    private static func refuses(_ sealed: [UInt8], _ vault: SecretVault) -> Bool {
        let opened = ByteBuffer()
        do {
            try vault.open(sealed.span, purpose: "p", into: opened)
            return false
        } catch {}
        do {
            _ = try vault.open(text: sealed.span, purpose: "p")
            return false
        } catch {}
        return opened.isEmpty
    }

    @Test(arguments: ["", "§", "sk-live-0123456789", "密钥🔑"])
    func `opens what it sealed, as text and as bytes`(text: String) throws {
        let vault = Self.vault(1)
        let sealed = try vault.seal(Secret(text), purpose: "p")
        #expect(try vault.open(sealed, purpose: "p").exposedText == text)
        #expect(text.isEmpty || !sealed.contains(text))
        let bytes = ByteBuffer("before")
        try vault.seal(text.utf8Span.span, purpose: "p", into: bytes)
        #expect(bytes.count == 6 + SecretVault.overhead + text.utf8.count)
        bytes.consume(6)
        let opened = ByteBuffer("after")
        try vault.open(bytes.span, purpose: "p", into: opened)
        let result = opened.text
        #expect(result == "after" + text)
    }

    @Test func `names its keys in what it sealed, and the same key has the same name everywhere`() throws {
        let sealed = try Self.vault(7).seal(Secret("x"), purpose: "p")
        let id = try #require(Self.vault(7, 8).currentKeyID)
        #expect(sealed.hasPrefix("sealed:v1:\(id):"))
        #expect(SecretVault.keyID(ofText: sealed) == id)
        #expect(Self.vault(8).currentKeyID != id)
        let name = "\(id)"
        let read = SecretKeyID(text: name.utf8Span.span)
        #expect(read == id)
    }

    @Test func `another purpose does not open it`() throws {
        let vault = Self.vault(1)
        let sealed = try vault.seal(Secret("x"), purpose: "providers.a.api_key")
        let id = try #require(vault.currentKeyID)
        #expect(throws: SecretError.doesNotOpen(id)) { try vault.open(sealed, purpose: "providers.b.api_key") }
    }

    @Test func `another key does not open it, and the error names both`() throws {
        let sealed = try Self.vault(1).seal(Secret("x"), purpose: "p")
        let other = Self.vault(2)
        let (sealer, here) = (try #require(Self.vault(1).currentKeyID), try #require(other.currentKeyID))
        #expect(throws: SecretError.unknownKey(sealer, known: [here])) { try other.open(sealed, purpose: "p") }
        let message = SecretError.unknownKey(sealer, known: [here]).description
        #expect(message.contains("\(sealer)") && message.contains("\(here)"))
    }

    @Test func `without a key nothing is sealed or opened`() throws {
        let sealed = try Self.vault(1).seal(Secret("x"), purpose: "p")
        let empty = SecretVault()
        #expect(throws: SecretError.noKey) { try empty.seal(Secret("x"), purpose: "p") }
        #expect(throws: SecretError.noKey) { try empty.open(sealed, purpose: "p") }
        #expect(!empty.hasKey)
    }

    @Test func `no two sealings of the same text look alike`() throws {
        let vault = Self.vault(1)
        let all = try (0..<1000).map { _ in try vault.seal(Secret("the same"), purpose: "p") }
        #expect(Set(all).count == 1000)
    }

    @Test func `a data key is used so often and no more, and what it sealed still opens`() throws {
        let master = try #require(MasterKeys([Self.key(1)]).keys.first)
        let key = DataKey(under: master)
        for use in 0..<DataKey.usesMax { #expect(key.claim() == use) }
        #expect(key.claim() == nil)
        #expect(key.claim() == nil)
    }

    @Test func `after a rotation the old key opens, the new one seals, and a value is moved once`() throws {
        let vault = Self.vault(1)
        let sealed = try vault.seal(Secret("x"), purpose: "p")
        vault.adopt(MasterKeys([Self.key(2), Self.key(1)]))
        #expect(try vault.open(sealed, purpose: "p").exposedText == "x")
        let moved = try #require(try vault.resealed(sealed, purpose: "p"))
        #expect(SecretVault.keyID(ofText: moved) == vault.currentKeyID)
        #expect(try vault.resealed(moved, purpose: "p") == nil)
        vault.adopt(MasterKeys([Self.key(2)]))
        #expect(try vault.open(moved, purpose: "p").exposedText == "x")
        #expect(throws: SecretError.self) { try vault.open(sealed, purpose: "p") }
    }

    @Test func `bytes are moved to the current key too`() throws {
        let vault = Self.vault(1)
        let sealed = ByteBuffer()
        try vault.seal("body".utf8Span.span, purpose: "p", into: sealed)
        let moved = ByteBuffer()
        let isMovedEarly = try vault.reseal(sealed.span, purpose: "p", into: moved)
        #expect(!isMovedEarly && moved.isEmpty)
        vault.adopt(MasterKeys([Self.key(2), Self.key(1)]))
        let isMoved = try vault.reseal(sealed.span, purpose: "p", into: moved)
        let mover = SecretVault.keyID(ofBytes: moved.span)
        #expect(isMoved && mover == vault.currentKeyID)
        let opened = ByteBuffer()
        try vault.open(moved.span, purpose: "p", into: opened)
        #expect(opened.text == "body")
    }

    @Test func `any changed bit of a sealed text closes it`() throws {
        let vault = Self.vault(1)
        let sealed = ByteBuffer()
        try vault.seal("a body".utf8Span.span, purpose: "p", into: sealed)
        for index in 0..<sealed.count {
            for bit in 0..<8 {
                var changed = (0..<sealed.count).map { sealed[$0] }
                changed[index] ^= 1 << UInt8(bit)
                #expect(Self.refuses(changed, vault))
            }
        }
    }

    @Test func `hostile text never opens and never traps`() throws {
        let vault = Self.vault(1)
        let valid = Array(try vault.seal(Secret("a secret"), purpose: "p").utf8)
        for seed in SplitMix64.seeds(3_000) {
            var random = SplitMix64(seed)
            var text = valid
            for _ in 0...random.next() % 3 {
                let at = Int(random.next() % UInt64(max(1, text.count)))
                switch random.next() % 4 {
                case 0 where !text.isEmpty: text[at] = UInt8(truncatingIfNeeded: random.next())
                case 1 where !text.isEmpty: text.remove(at: at)
                case 2: text.insert(UInt8(truncatingIfNeeded: random.next()), at: at)
                default: text.removeLast(min(text.count, at))
                }
            }
            if text == valid { continue }
            #expect(Self.refuses(text, vault), "seed \(seed)")
        }
    }

    @Test func `many threads seal at once while keys change, and everything opens`() async throws {
        let vault = Self.vault(1)
        await withTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    var failures = 0
                    for number in 0..<500 {
                        guard let sealed = try? vault.seal(Secret("\(number)"), purpose: "p"),
                            (try? vault.open(sealed, purpose: "p"))?.exposedText == "\(number)"
                        else {
                            failures += 1
                            continue
                        }
                    }
                    return failures
                }
            }
            for seed in UInt64(2)..<50 { vault.adopt(MasterKeys((1...seed).reversed().prefix(31).map(Self.key)).adding(MasterKeys([Self.key(1)]))) }
            for await failures in group { #expect(failures == 0) }
        }
    }
}

extension MasterKeys {
    fileprivate static func read(_ text: String) throws(Unreadable) -> MasterKeys {
        let text = text
        return try MasterKeys(text: text.utf8Span.span)
    }
}

@Suite struct `Master keys` {
    @Test func `a key is read in Base64 of both alphabets and in hexadecimal, and is the same`() throws {
        let bytes = (0..<32).map { UInt8(truncatingIfNeeded: $0 &* 37 | 3) }
        let digits = bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        let texts = [
            Base64.encode(bytes.span), Base64.encode(bytes.span, .urlSafe), digits,
            "# made on Monday\n\n  \(digits.uppercased())\t\r\n",
        ]
        for text in texts {
            let (read, made) = (try MasterKeys.read(text).ids, MasterKeys([Secret(bytes.span)]).ids)
            #expect(read == made, "\(text)")
        }
    }

    @Test func `the first is the current one, and one that comes twice counts once`() throws {
        let one = MasterKeys.generate().exposedText
        let two = MasterKeys.generate().exposedText
        let keys = try MasterKeys.read("\(one)\n\(two)\n\(one)")
        #expect(keys.ids.count == 2)
        #expect(keys.currentID == (try MasterKeys.read(one)).currentID)
    }

    @Test(arguments: [
        ("", MasterKeys.Unreadable.empty), ("# nothing\n", .empty), ("secret", .notAKey(line: 1)),
        ("\n\(String(repeating: "ab", count: 32))", .notRandom(line: 2)),
        ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", .notRandom(line: 1)),
        ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", .notAKey(line: 1)),
    ])
    func `what is no random key of 32 bytes is refused`(text: String, error: MasterKeys.Unreadable) {
        #expect(throws: error) { try MasterKeys.read(text) }
    }

    @Test func `there is a bound on how many`() {
        let text = (0...MasterKeys.countMax).map { _ in MasterKeys.generate().exposedText }.joined(separator: "\n")
        #expect(throws: MasterKeys.Unreadable.tooMany) { try MasterKeys.read(text) }
    }

    @Test func `nothing shows a key`() throws {
        let text = MasterKeys.generate().exposedText
        let keys = try MasterKeys.read(text)
        var shown = ""
        dump(keys, to: &shown)
        dump(SecretVault(keys), to: &shown)
        #expect(!(shown + "\(keys)" + String(reflecting: keys)).contains(text))
        #expect(shown.contains("<secret>") || !shown.contains("wrapping"))
    }
}
