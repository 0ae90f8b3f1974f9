package import SluiceCore

/// An API key that Sluice issues: `sk-sluice-`, 40 characters at random, and six that are a checksum of them.
///
///     sk-sluice-q7RmPz4YtLw0…
///
/// 40 letters and digits are 238 bits. The checksum (CRC-32, in base 62) tells what is no key at all from what might be
/// one without a look-up, and lets tools that search for leaked secrets be sure of what they found. The first six
/// characters after the prefix may be shown: they tell a person which key is meant, and leave 202 bits.
package enum APIKey {
    package static let prefix: StaticString = "sk-sluice-"
    private static let randomCount = 40
    private static let checksumCount = 6
    private static let shownCount = 6
    package static var byteCount: Int { prefix.utf8CodeUnitCount + randomCount + checksumCount }

    private static let alphabet: StaticString = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

    /// - Parameter generator: the system's, but for tests.
    package static func issue(using generator: inout some RandomNumberGenerator) -> Secret {
        let text = ByteBuffer(capacity: byteCount)
        text.append(prefix)
        for _ in 0..<randomCount { text.append(character(Int.random(in: 0..<62, using: &generator))) }
        appendChecksum(of: text.span, to: text)
        return Secret(text.span)
    }

    package static func issue() -> Secret {
        var generator = SystemRandomNumberGenerator()
        return issue(using: &generator)
    }

    /// Whether it says of itself that it is one.
    package static func isClaimed(by token: Span<UInt8>) -> Bool { token.hasPrefix(prefix) }

    /// Whether it could be one: its form and its checksum are right.
    package static func isWellFormed(_ token: Span<UInt8>) -> Bool {
        guard token.count == byteCount, isClaimed(by: token) else { return false }
        let start = token.count - checksumCount
        var rest = CRC32.checksum(token.extracting(0..<start))
        for index in start..<token.count {
            if token[index] != character(Int(rest % 62)) { return false }
            rest /= 62
        }
        return true
    }

    /// What may be shown of a key: `sk-sluice-q7RmPz…`.
    package static func shown(_ key: Secret) -> String {
        key.withExposed { bytes in
            String(decoding: bytes.extracting(0..<min(bytes.count, prefix.utf8CodeUnitCount + shownCount))) + "…"
        }
    }

    /// In base 62, the lowest digit first: six of them hold 32 bits.
    private static func appendChecksum(of bytes: Span<UInt8>, to text: ByteBuffer) {
        var rest = CRC32.checksum(bytes)
        for _ in 0..<checksumCount {
            text.append(character(Int(rest % 62)))
            rest /= 62
        }
    }

    private static func character(_ digit: Int) -> UInt8 { unsafe alphabet.utf8Start[digit] }
}
