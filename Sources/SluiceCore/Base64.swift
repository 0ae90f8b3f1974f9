/// Base64 (RFC 4648): §4, with padding, and the URL-safe alphabet of §5, without.
package enum Base64 {
    package enum Alphabet: Sendable {
        case standard, urlSafe

        fileprivate var characters: StaticString {
            switch self {
            case .standard: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
            case .urlSafe: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
            }
        }
    }

    package static func encode(_ bytes: Span<UInt8>, _ alphabet: Alphabet = .standard) -> String {
        let buffer = ByteBuffer(capacity: (bytes.count / 3 + 1) * 4)
        encode(bytes, alphabet, into: buffer)
        return buffer.text
    }

    package static func encode(_ bytes: Span<UInt8>, _ alphabet: Alphabet = .standard, into buffer: ByteBuffer) {
        buffer.reserve((bytes.count / 3 + 1) * 4)
        let characters = unsafe alphabet.characters.utf8Start
        var at = 0
        while at < bytes.count {
            let taken = min(3, bytes.count - at)
            var group = 0
            for offset in 0..<3 { group = group << 8 | (offset < taken ? Int(bytes[at + offset]) : 0) }
            for position in 0...taken { unsafe buffer.append(characters[group >> (18 - 6 * position) & 63]) }
            if alphabet == .standard { for _ in taken..<3 { buffer.append(UInt8(ascii: "=")) } }
            at += taken
        }
    }

    /// Reads Base64 in the alphabet given; padding may be there or not, anything else may not.
    ///
    /// - Returns: `nil` for another character, wrong padding, or bits left over that are not zero (RFC 4648 §3.5).
    package static func decode(_ text: Span<UInt8>, _ alphabet: Alphabet = .standard) -> [UInt8]? {
        guard let length = unpaddedLength(text), length % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(length / 4 * 3 + 2)
        var bits = 0
        var bitCount = 0
        for index in 0..<length {
            guard let value = value(of: text[index], alphabet) else { return nil }
            bits = bits << 6 | value
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> bitCount))
                bits &= (1 << bitCount) - 1
            }
        }
        return bits == 0 ? bytes : nil
    }

    private static func unpaddedLength(_ text: Span<UInt8>) -> Int? {
        var length = text.count
        while length > 0, text.count - length < 2, text[length - 1] == UInt8(ascii: "=") { length -= 1 }
        let padding = text.count - length
        return padding == 0 || text.count % 4 == 0 ? length : nil
    }

    private static func value(of character: UInt8, _ alphabet: Alphabet) -> Int? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+") where alphabet == .standard: 62
        case UInt8(ascii: "/") where alphabet == .standard: 63
        case UInt8(ascii: "-") where alphabet == .urlSafe: 62
        case UInt8(ascii: "_") where alphabet == .urlSafe: 63
        default: nil
        }
    }
}
