internal import SluiceCore

/// The mock's tokens: a word with the space before it, a run of punctuation, a run of white space; long words in parts.
///
/// One content event of a stream carries one of them, and usage counts them, so that both can be checked against the
/// text.
enum Tokens {
    /// The longest token in bytes; a character is never divided.
    static let byteCountMax = 16

    private enum Kind { case word, punctuation, space }

    /// Where the token ends that begins at `start`.
    static func end(in text: Span<UInt8>, from start: Int) -> Int {
        if start >= text.count { return text.count }
        var index = start
        var kind = kind(of: text[index])
        if text[index] == ASCII.space, index + 1 < text.count, Self.kind(of: text[index + 1]) != .space {
            index += 1
            kind = Self.kind(of: text[index])
        }
        index += 1
        while index < text.count, Self.kind(of: text[index]) == kind {
            // The space before a word belongs to the word.
            if kind == .space, text[index] == ASCII.space, index + 1 < text.count,
                Self.kind(of: text[index + 1]) != .space
            {
                break
            }
            if index - start >= byteCountMax, text[index] & 0xC0 != 0x80 { break }
            index += 1
        }
        return index
    }

    static func count(_ text: Span<UInt8>) -> Int {
        var count = 0
        var index = 0
        while index < text.count {
            index = end(in: text, from: index)
            count += 1
        }
        return count
    }

    /// How many bytes the first `limit` tokens take, and how many tokens these are.
    static func prefix(_ limit: Int, of text: Span<UInt8>) -> (byteCount: Int, tokens: Int) {
        var count = 0
        var index = 0
        while index < text.count, count < limit {
            index = end(in: text, from: index)
            count += 1
        }
        return (index, count)
    }

    /// What a prompt of so many bytes is taken to cost: it is not read for that.
    static func estimate(byteCount: Int) -> Int { (byteCount + 3) / 4 }

    private static func kind(of byte: UInt8) -> Kind {
        if byte.isASCIILetter || byte.isDecimalDigit || byte >= 0x80 || byte == UInt8(ascii: "_") { return .word }
        return byte <= ASCII.space ? .space : .punctuation
    }
}

/// Filler: exactly as many tokens as asked for.
enum Filler {
    private static let words = [
        "lorem", "ipsum", "dolor", "sit", "amet", "consectetur", "adipiscing", "elit", "sed", "do", "eiusmod", "tempor",
        "incididunt", "ut", "labore", "et", "dolore", "magna", "aliqua", "enim", "ad", "minim", "veniam", "quis",
        "nostrud",
        "exercitation", "ullamco", "laboris", "nisi", "aliquip", "ex", "ea", "commodo", "consequat",
    ].map { Array($0.utf8) }

    static func text(tokens: Int) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(tokens * 7)
        for index in 0..<tokens {
            if index > 0 { text.append(ASCII.space) }
            text += words[index % words.count]
        }
        return text
    }
}
