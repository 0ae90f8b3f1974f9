import SluiceCore
import SluiceStorage
import TestSupport
import Testing

@Suite struct `Redaction` {
    private func redacted(_ text: String) -> String {
        let buffer = ByteBuffer()
        Redactor.redact(text.utf8Span.span, into: buffer)
        return buffer.text
    }

    @Test(arguments: [
        ("mail ada.lovelace+x@mail.example.co.uk now", "mail [redacted:email] now"),
        ("Bearer abcdefgh12345678", "Bearer [redacted:credential]"),
        (#"{"api_key": "very-secret"}"#, #"{"api_key": "[redacted:credential]"}"#),
        (#"{\"password\": \"hunter22\"}"#, #"{\"password\": \"[redacted:credential]\"}"#),
        ("key=AKIAIOSFODNN7EXAMPLE.", "key=[redacted:credential]"),
        ("sk-proj-abcdef1234567890 and more", "[redacted:credential] and more"),
        ("call +49 170 1234567!", "call [redacted:phone]!"), ("call 13812345678!", "call [redacted:phone]!"),
        ("id 11010519491231002X.", "id [redacted:id_number]."), ("id 110105194912310021", "id [redacted:id_number]"),
        ("ssn 123-45-6789", "ssn [redacted:id_number]"), ("card 4111 1111 1111 1111", "card [redacted:card_number]"),
        ("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----", "[redacted:credential]-----END PRIVATE KEY-----"),
    ])
    func `what names or unlocks is taken out`(text: String, expected: String) {
        #expect(redacted(text) == expected)
    }

    @Test(arguments: [
        "a plain sentence, with 3 numbers: 12, 2026 and 1,000,000.", "temperature 0.25", "2026-01-31T08:00:00Z",
        "sk- is a prefix", "a@b", "@mention", "1+1=2", "汉字 and emoji 🚀", "", "version 1.2.3.4",
    ])
    func `everything else stays byte for byte`(text: String) {
        #expect(redacted(text) == text)
    }

    @Test func `whatever the bytes are, it ends and does not grow beyond reason`() {
        let pieces = ["sk-", "@", "-----BEGIN ", "-----END ", "bearer ", "password", ":", "\"", "1", " ", "+", "a", ".", "é"]
        for seed in SplitMix64.seeds(3000) {
            var random = SplitMix64(seed)
            var text = ""
            for _ in 0..<Int(random.next() % 60) {
                let piece = pieces[Int(random.next() % UInt64(pieces.count))]
                text += String(repeating: piece, count: Int(random.next() % 4) + 1)
            }
            #expect(redacted(text).utf8.count <= text.utf8.count * 8 + 32, "seed \(seed)")
        }
    }
}
