import SluiceCore
import SluiceJSON
import TestSupport
import Testing

@Suite struct `JSON templates` {
    /// A document in pieces: every other one is the text of a string that may differ, without its quotation marks.
    private struct Pieces {
        var fixed: [[UInt8]] = []
        var texts: [[UInt8]] = []

        /// An object whose members are strings with or without a hole, and other values.
        init(using random: inout SplitMix64) {
            var open = Array("{".utf8)
            for index in 0..<Int.random(in: 1...6, using: &random) {
                if index > 0 { open += Array(",".utf8) }
                open += Array("\"\(index)\":".utf8)
                if Bool.random(using: &random) {
                    fixed.append(open + [UInt8(ascii: "\"")])
                    texts.append(Self.text(using: &random))
                    open = [UInt8(ascii: "\"")]
                } else {
                    open += Array(RandomJSON.document(using: &random, depth: 1).text.utf8)
                }
            }
            fixed.append(open + Array("}".utf8))
        }

        static func text(using random: inout SplitMix64) -> [UInt8] {
            Array(Array(RandomJSON.string(using: &random).utf8).dropFirst().dropLast())
        }

        var document: [UInt8] {
            zip(fixed, texts + [[]]).flatMap { $0 + $1 }
        }

        /// Where the strings stand, quotation marks included.
        var strings: [Range<Int>] {
            var at = 0
            return zip(fixed, texts).map { piece, text in
                at += piece.count
                defer { at += text.count }
                return at - 1..<at + text.count + 1
            }
        }

        /// What the template promises, found the slow way: some cut of `other` has the fixed pieces around texts that JSON accepts.
        func describes(_ other: [UInt8]) -> Bool {
            var rest = other[...]
            for index in texts.indices {
                guard rest.starts(with: fixed[index]) else { return false }
                rest = rest.dropFirst(fixed[index].count)
                // A string ends at the first quotation mark that no backslash escapes.
                var end = rest.startIndex
                while end < rest.endIndex, rest[end] != UInt8(ascii: "\"") {
                    end += rest[end] == UInt8(ascii: "\\") ? 2 : 1
                }
                guard end < rest.endIndex else { return false }
                let string = [UInt8(ascii: "\"")] + rest[..<end] + [UInt8(ascii: "\"")]
                guard (try? JSONTape().scan(string.span)) != nil else { return false }
                rest = rest[end...]
            }
            return rest.elementsEqual(fixed[texts.count])
        }
    }

    private static func template(_ pieces: Pieces) throws -> JSONTemplate {
        let document = pieces.document
        try JSONTape().scan(document.span)
        return JSONTemplate(document.span, strings: pieces.strings)
    }

    @Test func `a document matches when its strings alone have other text`() throws {
        for seed in SplitMix64.seeds(150) {
            var random = SplitMix64(seed)
            var pieces = Pieces(using: &random)
            let template = try Self.template(pieces)
            #expect(template.matches(pieces.document), "seed \(seed)")
            for index in pieces.texts.indices { pieces.texts[index] = Pieces.text(using: &random) }
            #expect(template.matches(pieces.document), "seed \(seed)")
            #expect(
                template.tailByteCount
                    == (pieces.texts.isEmpty ? pieces.document.count : pieces.fixed[pieces.texts.count].count))
        }
    }

    @Test func `it matches exactly what differs in well-formed string text alone, whatever was changed`() throws {
        var matched = 0
        var refused = 0
        for seed in SplitMix64.seeds(1500) {
            var random = SplitMix64(seed)
            let pieces = Pieces(using: &random)
            let template = try Self.template(pieces)
            var other = pieces
            for index in other.texts.indices where Bool.random(using: &random) {
                other.texts[index] = Pieces.text(using: &random)
            }
            var bytes = other.document
            RandomJSON.mutate(&bytes, using: &random)
            let isMatch = template.matches(bytes)
            #expect(isMatch == pieces.describes(bytes), "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
            if isMatch {
                matched += 1
                #expect((try? JSONTape().scan(bytes.span)) != nil, "seed \(seed): what matches is JSON")
            } else {
                refused += 1
            }
        }
        #expect(matched > 100 && refused > 100, "\(matched) matched, \(refused) did not: the test says little")
    }

    @Test(arguments: [
        #"\"#, #"\x"#, #"\u12"#, #"\u12g4"#, "\u{1F}", "\n", #"a"b"#, #"\\""#, "\"", #"","b":1,"c":""#,
    ])
    func `text that is not that of one string is refused`(text: String) throws {
        let document = Array(#"{"a":"x"}"#.utf8)
        try JSONTape().scan(document.span)
        let template = JSONTemplate(document.span, strings: [5..<8])
        #expect(!template.matches(Array((#"{"a":""# + text + #""}"#).utf8)))
    }

    @Test(
        arguments: [[0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE4, 0xB8], [0x80], [0xFF]]
            as [[UInt8]])
    func `text that is not UTF-8 is refused`(text: [UInt8]) throws {
        let document = Array(#"{"a":"x"}"#.utf8)
        try JSONTape().scan(document.span)
        let template = JSONTemplate(document.span, strings: [5..<8])
        #expect(!template.matches((Array(#"{"a":""#.utf8) + text + Array(#""}"#.utf8))))
    }

    @Test func `half a surrogate pair is what the scanner takes, and so does it`() throws {
        let document = Array(#"{"a":"x"}"#.utf8)
        try JSONTape().scan(document.span)
        let other = Array(#"{"a":"\ud800"}"#.utf8)
        try JSONTape().scan(other.span)
        #expect(JSONTemplate(document.span, strings: [5..<8]).matches(other))
    }

    @Test func `nothing matches an empty one, and one without holes matches itself`() throws {
        #expect(JSONTemplate().isEmpty)
        #expect(!JSONTemplate().matches([]))
        let document = Array(#"{"a":"x"}"#.utf8)
        try JSONTape().scan(document.span)
        let template = JSONTemplate(document.span, strings: [])
        #expect(template.matches(document))
        #expect(!template.matches(Array(#"{"a":"y"}"#.utf8)))
        #expect(!template.matches(Array(document[..<8])))
    }
}

extension JSONTemplate {
    /// `#expect` takes no spans.
    fileprivate func matches(_ bytes: [UInt8]) -> Bool { matches(bytes.span) }
}
