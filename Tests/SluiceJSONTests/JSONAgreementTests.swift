import Foundation
import SluiceCore
import SluiceJSON
import TestSupport
import Testing

/// Foundation's `JSONSerialization` as a second opinion.
@Suite struct `Agreement with Foundation` {
    @Test func `on what random documents say`() throws {
        let tape = JSONTape()
        for seed in SplitMix64.seeds(400) {
            var random = SplitMix64(seed)
            let document = RandomJSON.document(using: &random)
            let text = Array(document.text.utf8)
            try tape.scan(text.span)
            let ours = Canonical.text(tape.root(over: text.span))
            #expect(try ours == Canonical.textByFoundation(text), "seed \(seed): \(document.text)")
        }
    }

    /// Left out because the two differ, and ours is what is wanted: Foundation guesses UTF-16 and UTF-32 from bytes
    /// that are 0, drops a byte order mark, refuses escaped surrogates without their other half, and numbers beyond a
    /// double.
    @Test func `on which mutated documents are JSON`() {
        let tape = JSONTape()
        var accepted = 0
        for seed in SplitMix64.seeds(6000) {
            var random = SplitMix64(seed)
            var text = Array(RandomJSON.document(using: &random, depth: 2).text.utf8)
            RandomJSON.mutate(&text, using: &random)
            if text.contains(0) || text.starts(with: [0xEF, 0xBB, 0xBF]) || isWhereTheyDiffer(text) { continue }
            let ours = (try? tape.scan(text.span)) != nil
            let theirs = (try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)) != nil
            if ours { accepted += 1 }
            #expect(ours == theirs, "seed \(seed): \(String(decoding: text, as: UTF8.self))")
        }
        #expect(accepted > 300)
    }

    private func isWhereTheyDiffer(_ text: [UInt8]) -> Bool {
        let string = String(decoding: text, as: UTF8.self)
        return string.range(of: #"\\u[dD][89a-fA-F]"#, options: .regularExpression) != nil
            || string.range(of: #"[eE]\+?[0-9]{3}"#, options: .regularExpression) != nil
    }
}
