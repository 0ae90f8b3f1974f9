/// The keyed hash of an API key: 32 bytes, held as four numbers so that tables of them are small.
package struct KeyDigest: Sendable, Hashable {
    private var words: (UInt64, UInt64, UInt64, UInt64)

    package static let byteCount = 32

    /// - Returns: `nil` unless there are 32 bytes.
    package init?(_ bytes: Span<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        func word(_ start: Int) -> UInt64 {
            var word: UInt64 = 0
            for index in start..<start + 8 { word = word << 8 | UInt64(bytes[index]) }
            return word
        }
        words = (word(0), word(8), word(16), word(24))
    }

    /// No key's.
    static let none = KeyDigest()

    private init() { words = (0, 0, 0, 0) }

    package var bytes: [UInt8] {
        [words.0, words.1, words.2, words.3].flatMap { word in
            stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> UInt64($0)) }
        }
    }

    /// For tables: a part of what is random to whoever does not know the key that it was made with.
    var tableHash: UInt64 { words.0 }

    /// Takes the same time wherever the first difference is.
    package static func == (a: KeyDigest, b: KeyDigest) -> Bool {
        (a.words.0 ^ b.words.0) | (a.words.1 ^ b.words.1) | (a.words.2 ^ b.words.2) | (a.words.3 ^ b.words.3) == 0
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(words.0) }
}
