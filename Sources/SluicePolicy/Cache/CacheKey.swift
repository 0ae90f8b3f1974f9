package import SluiceCore

/// Names an answer: the SHA-256 of everything that it depends on.
package struct CacheKey: Sendable {
    package static let byteCount = 32
    private let words: InlineArray<4, UInt64>

    /// - Returns: `nil` unless there are 32 bytes.
    package init?(_ bytes: Span<UInt8>) {
        if bytes.count != Self.byteCount { return nil }
        var words = InlineArray<4, UInt64>(repeating: 0)
        for index in 0..<Self.byteCount { words[index >> 3] = words[index >> 3] << 8 | UInt64(bytes[index]) }
        self.words = words
    }

    /// Spreads keys over parts of a table: as good as random.
    package var spread: UInt64 { words[0] }

    /// In 64 hexadecimal digits, lower case.
    package var text: String {
        let buffer = ByteBuffer(capacity: Self.textByteCount)
        append(hexadecimalTo: buffer)
        return buffer.text
    }

    package static let textByteCount = 2 * byteCount

    package func append(hexadecimalTo buffer: ByteBuffer) {
        for index in 0..<4 { buffer.append(hexadecimal: words[index]) }
    }

    /// The first 16 digits: enough to find an entry by, and too little to guess what was asked.
    package var prefix: String {
        let digits = prefixDigits
        return String(decoding: digits.span)
    }

    /// The same in ASCII, without an allocation.
    package var prefixDigits: InlineArray<16, UInt8> { Self.digits(of: words[0]) }

    private static func digits(of word: UInt64) -> InlineArray<16, UInt8> {
        let halves = [
            ASCII.hexDigits(of: UInt32(truncatingIfNeeded: word >> 32)), ASCII.hexDigits(of: UInt32(truncatingIfNeeded: word)),
        ] as InlineArray<2, UInt64>
        return InlineArray { UInt8(truncatingIfNeeded: halves[$0 >> 3] >> UInt64(8 * ($0 & 7))) }
    }

    package func append(to buffer: ByteBuffer) {
        for index in 0..<Self.byteCount {
            buffer.append(UInt8(truncatingIfNeeded: words[index >> 3] >> (56 - 8 * UInt64(index & 7))))
        }
    }
}

extension CacheKey: Hashable {
    package static func == (a: CacheKey, b: CacheKey) -> Bool {
        a.words[0] == b.words[0] && a.words[1] == b.words[1] && a.words[2] == b.words[2] && a.words[3] == b.words[3]
    }

    /// The first word is a hash already; who could choose it would have to break SHA-256.
    package func hash(into hasher: inout Hasher) { hasher.combine(words[0]) }
}
