import SluiceCore
import SluiceTLS
import TestSupport
import Testing

@Suite struct `Hashes, codes and Base64` {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func `SHA-256 gives the values of FIPS 180-4`(text: String, digest: String) {
        #expect(hexadecimal(text) == digest)
        var pieces = SHA256()
        for byte in text.utf8 {
            let piece = [byte]
            pieces.update(piece.span)
        }
        let whole = pieces.finish().hexadecimal
        #expect(whole == digest)
    }

    @Test func `HMAC gives the values of RFC 4231 and RFC 2202`() {
        let key = "Jefe"
        let message = "what do ya want for nothing?"
        let long = MAC.sha256(key: key.utf8Span.span, message: message.utf8Span.span)
        #expect(long.hexadecimal == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        let short = MAC.sha1(key: key.utf8Span.span, message: message.utf8Span.span)
        #expect(short.hexadecimal == "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79")
        #expect(short.count == 20 && short != long && short == short)
        let wide = [UInt8](repeating: 0xAA, count: 131)
        let text = "Test Using Larger Than Block-Size Key - Hash Key First"
        let fromWideKey = MAC.sha256(key: wide.span, message: text.utf8Span.span).hexadecimal
        #expect(
            fromWideKey == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
        let nothing: [UInt8] = []
        let fromNothing = MAC.sha256(key: nothing.span, message: nothing.span).hexadecimal
        #expect(
            fromNothing == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
    }

    @Test func `equality looks at every byte`() {
        let secret = Array("0123456789abcdef".utf8)
        #expect(areEqual(secret, secret))
        for index in secret.indices {
            var other = secret
            other[index] ^= 0x80
            #expect(!areEqual(secret, other))
        }
        #expect(!areEqual(secret, secret.dropLast()))
        #expect(areEqual([], []))
    }

    @Test func `random bytes do not repeat`() {
        #expect(SecureRandom.bytes(0).isEmpty)
        #expect(Set((0..<1000).map { _ in SecureRandom.bytes(16) }).count == 1000)
        var generator = SecureRandom()
        #expect(generator.next() != generator.next())
    }

    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `Base64 gives the values of RFC 4648`(text: String, encoded: String) {
        #expect(encode(text) == encoded)
        #expect(decode(encoded) == Array(text.utf8))
        let bare = encoded.filter { $0 != "=" }
        #expect(encode(text, .urlSafe) == bare)
        #expect(decode(bare) == Array(text.utf8))
    }

    @Test(arguments: ["Z", "Zg=", "Zg===", "=", "====", "Z===", "Zg==Zg==", "Zh==", "Zm9=", "Zm 9v", "Zm9v\n", "Zm-v"])
    func `what is not Base64 is refused`(text: String) {
        #expect(decode(text) == nil)
    }

    @Test func `any bytes come back, in both alphabets`() {
        for seed in SplitMix64.seeds(200) {
            var random = SplitMix64(seed)
            let count = Int.random(in: 0...100, using: &random)
            let bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            for alphabet in [Base64.Alphabet.standard, .urlSafe] {
                #expect(decode(Base64.encode(bytes.span, alphabet), alphabet) == bytes, "seed \(seed)")
            }
        }
        #expect(decode("-_8", .urlSafe) == [0xFB, 0xFF])
        #expect(decode("-_8") == nil)
    }

    // An expectation cannot hold a span: these take what owns the bytes.

    private func hexadecimal(_ text: String) -> String { SHA256.hash(text.utf8Span.span).hexadecimal }
    private func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool { ConstantTime.areEqual(a.span, b.span) }

    private func encode(_ text: String, _ alphabet: Base64.Alphabet = .standard) -> String {
        Base64.encode(text.utf8Span.span, alphabet)
    }

    private func decode(_ text: String, _ alphabet: Base64.Alphabet = .standard) -> [UInt8]? {
        Base64.decode(text.utf8Span.span, alphabet)
    }
}
