import SluiceCore
import TestSupport
import Testing

@testable import SluiceMock

@Suite struct `Words and tokens` {
    private static func tokens(_ text: String) -> [String] {
        let bytes = Array(text.utf8)
        var tokens: [String] = []
        var at = 0
        while at < bytes.count {
            let end = Tokens.end(in: bytes.span, from: at)
            tokens.append(String(decoding: bytes[at..<end], as: UTF8.self))
            at = end
        }
        return tokens
    }

    @Test(arguments: [
        ("Hi!", ["Hi", "!"]), ("Capital of France?", ["Capital", " of", " France", "?"]),
        ("{\"prime\":true}", ["{\"", "prime", "\":", "true", "}"]), (" 3,", [" 3", ","]),
        ("a\n\n  b", ["a", "\n\n ", " b"]), ("", []), ("   ", ["   "]),
        ("counterrevolutionaries", ["counterrevolutio", "naries"]),
    ])
    func `a token is a word with its space, or a run of punctuation`(text: String, tokens: [String]) {
        #expect(Self.tokens(text) == tokens)
    }

    @Test func `tokens make up the text, none is empty, none divides a character`() {
        let alphabet = Array("ab 1_.,\"\n é世😀".unicodeScalars)
        for seed in SplitMix64.seeds(2_000) {
            var random = SplitMix64(seed)
            var text = ""
            for _ in 0..<Int.random(in: 0...60, using: &random) {
                text.unicodeScalars.append(alphabet[Int.random(in: 0..<alphabet.count, using: &random)])
            }
            let tokens = Self.tokens(text)
            #expect(tokens.joined() == text, "seed \(seed)")
            #expect(!tokens.contains(""), "seed \(seed)")
            #expect(!tokens.contains { $0.unicodeScalars.contains("\u{FFFD}") }, "seed \(seed)")
            #expect(Tokens.count(Array(text.utf8).span) == tokens.count, "seed \(seed)")
        }
    }

    @Test(arguments: [0, 1, 2, 35, 1000])
    func `filler has exactly the tokens that were asked for`(count: Int) {
        #expect(Tokens.count(Filler.text(tokens: count).span) == count)
    }

    @Test func `a limit ends the text and says so`() {
        let text = ReplyText(echo: Array("one two three".utf8), Behaviour(), limit: 2)
        #expect(String(decoding: text.bytes, as: UTF8.self) == "one two" && text.end == .length && text.tokenCount == 2)
        #expect(ReplyText(echo: Array("one two".utf8), Behaviour(), limit: 2).end == .stop)
    }

    @Test func `the first stop sequence ends the text and is not part of it`() {
        let stops = ["three", "two"].map { Array($0.utf8) }
        let text = ReplyText(echo: Array("one two three".utf8), Behaviour(), stops: stops)
        #expect(String(decoding: text.bytes, as: UTF8.self) == "one " && text.end == .stop)
    }
}
