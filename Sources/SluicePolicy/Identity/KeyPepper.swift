package import SluiceCore
internal import SluiceTLS

/// What API keys are hashed with before they are stored: HMAC-SHA-256 under a secret. Who has the hashes alone can test
/// nothing.
package struct KeyPepper: Sendable {
    private let hash: KeyedHash
    /// Tells hashes that were made with another pepper: 8 hex digits.
    package let id: String

    /// - Parameter secret: `nil`: none. 238 random bits in a key are safe even so, as nobody can try them.
    package init(_ secret: Secret? = nil) {
        hash = KeyedHash(key: secret ?? Secret("sluice: no pepper"))
        id = String(hash.hash("sluice: the pepper's id".utf8Span.span).hexadecimal.prefix(8))
    }

    package func digest(of key: Span<UInt8>) -> KeyDigest { KeyDigest(hash.hash(key).span) ?? .none }

    /// As it stands in a configuration: `hs256:` the pepper's id `:` 64 hex digits.
    package func text(of digest: KeyDigest) -> String {
        let digits = ByteBuffer(capacity: 64)
        for byte in digest.bytes { for digit in [byte >> 4, byte & 15] { digits.append(Self.character(digit)) } }
        return "\(Self.scheme)\(id):\(digits.text)"
    }

    private static let scheme = "hs256:"

    private static func character(_ digit: UInt8) -> UInt8 {
        digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
    }

    package enum Unreadable: Error { case malformed, otherPepper }

    package func digest(text: String) throws(Unreadable) -> KeyDigest {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "hs256", parts[1].utf8.count == 8, let digest = Self.read(parts[2]) else {
            throw .malformed
        }
        if parts[1] != id { throw .otherPepper }
        return digest
    }

    private static func read(_ digits: Substring) -> KeyDigest? {
        let digits = Array(digits.utf8)
        guard digits.count == KeyDigest.byteCount * 2 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digits[index].hexDigitValue, let low = digits[index + 1].hexDigitValue else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        return KeyDigest(bytes.span)
    }
}
