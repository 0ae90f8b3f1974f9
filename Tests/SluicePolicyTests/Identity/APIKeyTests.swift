import SluiceCore
import SluicePolicy
import SluiceTLS
import TestSupport
import Testing

@Suite struct `API keys` {
    @Test func `are 56 characters that say what they are, and none is like another`() {
        var seen: Set<String> = []
        for _ in 0..<1000 {
            let text = APIKey.issue().exposedText
            #expect(text.hasPrefix("sk-sluice-") && text.utf8.count == APIKey.byteCount && APIKey.byteCount == 56)
            #expect(text.dropFirst(10).utf8.allSatisfy { $0.isASCIILetter || $0.isDecimalDigit })
            let isWellFormed = APIKey.isWellFormed(text.utf8Span.span)
            #expect(isWellFormed)
            #expect(seen.insert(text).inserted)
        }
    }

    @Test func `with any character changed are refused without a look-up`() {
        var random = SplitMix64(7)
        let key = Array(APIKey.issue(using: &random).exposedText.utf8)
        for position in key.indices {
            for character in "0Az~".utf8 where character != key[position] {
                var changed = key
                changed[position] = character
                let isWellFormed = APIKey.isWellFormed(changed.span)
                #expect(!isWellFormed, "position \(position)")
            }
        }
        for length in 0..<key.count {
            let isWellFormed = APIKey.isWellFormed(key.span.extracting(0..<length))
            #expect(!isWellFormed, "\(length) bytes")
        }
    }

    @Test func `of random bytes are none`() {
        for seed in SplitMix64.seeds(2000) {
            var random = SplitMix64(seed)
            var bytes = Array("sk-sluice-".utf8)
            for _ in 0..<Int.random(in: 0...60, using: &random) { bytes.append(UInt8.random(in: 0...255, using: &random)) }
            let isWellFormed = APIKey.isWellFormed(bytes.span)
            #expect(!isWellFormed, "seed \(seed)")
        }
    }

    @Test func `show so much of themselves that a person knows which one it is`() {
        let key = APIKey.issue()
        #expect(APIKey.shown(key) == String(key.exposedText.prefix(16)) + "…")
    }

    @Test func `are hashed with HMAC-SHA-256, whatever the length of the pepper`() throws {
        for length in [1, 32, 63, 64, 65, 200] {
            let pepper = Secret(String(repeating: "p", count: length))
            let key = APIKey.issue()
            let slow = pepper.withExposed { pepper in
                key.withExposed { MAC.sha256(key: pepper, message: $0) }
            }
            let fast = key.withExposed { KeyPepper(pepper).digest(of: $0) }
            #expect(fast == KeyDigest(slow.span), "\(length) bytes")
        }
    }

    /// RFC 4231 §4.2 and §4.3.
    @Test(arguments: [
        (String(repeating: "\u{0B}", count: 20), "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        ("Jefe", "what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    ])
    func `are hashed as the RFC's examples are`(key: String, message: String, digest: String) {
        let computed = KeyedHash(key: Secret(key)).hash(message.utf8Span.span)
        #expect(computed.hexadecimal == digest)
    }

    @Test func `have a hash whose text is read back, and is told from that of another pepper`() throws {
        let pepper = KeyPepper(Secret("one"))
        let digest = APIKey.issue().withExposed { pepper.digest(of: $0) }
        let text = pepper.text(of: digest)
        #expect(try pepper.digest(text: text) == digest)
        #expect(throws: KeyPepper.Unreadable.otherPepper) { try KeyPepper(Secret("two")).digest(text: text) }
        #expect(throws: KeyPepper.Unreadable.otherPepper) { try KeyPepper().digest(text: text) }
        for wrong in ["", "hs256", text + "0", String(text.dropLast()), text.replacing("hs256", with: "md5"), "hs256:::"] {
            #expect(throws: KeyPepper.Unreadable.malformed, "\(wrong)") { try pepper.digest(text: wrong) }
        }
    }
}
