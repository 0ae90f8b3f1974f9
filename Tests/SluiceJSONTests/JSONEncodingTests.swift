import SluiceCore
import SluiceJSON
import TestSupport
import Testing

@Suite struct `UTF-8 in strings` {
    /// The edges of RFC 3629 §4's table, from both sides.
    @Test(
        arguments: [
            ([0x7F], true), ([0x80], false), ([0xBF], false),
            ([0xC0, 0x80], false), ([0xC1, 0xBF], false), ([0xC2, 0x80], true), ([0xDF, 0xBF], true),
            ([0xC2, 0x7F], false),
            ([0xC2, 0xC0], false), ([0xE0, 0x9F, 0xBF], false), ([0xE0, 0xA0, 0x80], true), ([0xEC, 0xBF, 0xBF], true),
            ([0xED, 0x9F, 0xBF], true), ([0xED, 0xA0, 0x80], false), ([0xED, 0xBF, 0xBF], false),
            ([0xEE, 0x80, 0x80], true),
            ([0xEF, 0xBF, 0xBF], true), ([0xE1, 0x80, 0x7F], false), ([0xE1, 0x80, 0xC0], false),
            ([0xF0, 0x8F, 0xBF, 0xBF], false), ([0xF0, 0x90, 0x80, 0x80], true), ([0xF3, 0xBF, 0xBF, 0xBF], true),
            ([0xF4, 0x8F, 0xBF, 0xBF], true), ([0xF4, 0x90, 0x80, 0x80], false), ([0xF5, 0x80, 0x80, 0x80], false),
            ([0xF1, 0x80, 0x80, 0x7F], false), ([0xF8, 0x88, 0x80, 0x80, 0x80], false), ([0xFE], false),
            ([0xFF], false),
        ] as [([UInt8], Bool)])
    func `the edges of what is well formed`(sequence: [UInt8], isWellFormed: Bool) {
        for padding in [0, 1, 5, 14, 16] {
            for repetitions in 1...3 {
                let text =
                    [UInt8](repeating: 0x61, count: padding) + Array(repeating: sequence, count: repetitions).joined()
                let document = [0x22] + text + [0x22]
                #expect((Corpus.verdict(document) == "accepted") == isWellFormed)
            }
        }
    }

    @Test func `a sequence cut short is refused`() {
        for sequence in ["é", "中", "😀"] {
            for count in 1..<sequence.utf8.count {
                for rest in ["", "\"", "x\"", "中\""] {
                    let document = [0x22] + sequence.utf8.prefix(count) + rest.utf8
                    #expect(Corpus.verdict(document) == "a string is not valid UTF-8 at byte 1")
                }
            }
        }
    }

    @Test func `what is accepted is what the standard library holds to be UTF-8`() {
        for seed in SplitMix64.seeds(4000) {
            var random = SplitMix64(seed)
            let characters = Array("aé中文字😀\u{7FF}\u{FFFD}\u{10FFFF}한")
            var text = Array(String(characters.shuffled(using: &random)).utf8)
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                text[Int.random(in: 0..<text.count, using: &random)] = UInt8.random(in: 0x80...0xFF, using: &random)
            }
            let isValid = String(validating: text, as: UTF8.self) != nil
            #expect((Corpus.verdict([0x22] + text + [0x22]) == "accepted") == isValid, "seed \(seed)")
        }
    }
}
