internal import SluiceCore

/// Names a master key without telling anything about it: 16 hexadecimal digits that are computed from the key, so that the
/// same key has the same name everywhere, and a wrong key never has a right one's.
package struct SecretKeyID: Sendable, Hashable, CustomStringConvertible {
    package static let byteCount = 8
    /// As text.
    package static let digitCount = 16

    private let number: UInt64

    /// Of a key: the first bytes of HMAC-SHA-256 under the key of a fixed text.
    init(of key: Secret) {
        let mac = key.withExposed { MAC.sha256(key: $0, message: "sluice master key id v1".utf8Span.span) }
        self.init(bytes: mac.span.extracting(first: Self.byteCount))
    }

    /// - Parameter bytes: `byteCount` of them.
    init(bytes: Span<UInt8>) {
        var number: UInt64 = 0
        for index in 0..<Self.byteCount { number = number << 8 | UInt64(bytes[index]) }
        self.number = number
    }

    /// - Returns: `nil` unless the text is 16 lower-case hexadecimal digits.
    package init?(text: Span<UInt8>) {
        guard text.count == Self.digitCount else { return nil }
        var number: UInt64 = 0
        for index in text.indices {
            guard let digit = text[index].hexDigitValue, text[index].asciiLowercased == text[index] else { return nil }
            number = number << 4 | UInt64(digit)
        }
        self.number = number
    }

    func append(to buffer: ByteBuffer) {
        for shift in stride(from: 56, through: 0, by: -8) { buffer.append(UInt8(truncatingIfNeeded: number >> shift)) }
    }

    package var description: String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: Self.digitCount - digits.count) + digits
    }
}
