internal import SluiceCore
internal import SluiceTLS

/// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 §8.2.2), for the one key that the mock knows: exponent 65537, 2048 bits.
enum RSAVerifier {
    private static let limbCount = 64

    static func isValid(_ signature: [UInt8], of message: [UInt8], modulusHex: String) -> Bool {
        if signature.count != limbCount * 4 { return false }
        let modulus = limbs(bytes(hex: modulusHex))
        let value = limbs(signature)
        if !isLess(value, modulus) { return false }
        var result = value
        for _ in 0..<16 { result = product(result, result, modulus) }
        result = product(result, value, modulus)
        return encoded(result) == expected(message)
    }

    /// EMSA-PKCS1-v1_5 (RFC 8017 §9.2).
    private static func expected(_ message: [UInt8]) -> [UInt8] {
        let info = bytes(hex: "3031300d060960864801650304020105000420")
        let tail = info + Array(copying: SHA256.hash(message.span).span)
        return [0, 1] + [UInt8](repeating: 0xFF, count: limbCount * 4 - tail.count - 3) + [0] + tail
    }

    static func bytes(hex: String) -> [UInt8] {
        let digits = hex.utf8.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    // MARK: Numbers of 64 limbs, the least first

    private static func limbs(_ bytes: [UInt8]) -> [UInt32] {
        var limbs = [UInt32](repeating: 0, count: limbCount)
        for (index, byte) in bytes.reversed().enumerated() where index < limbCount * 4 {
            limbs[index / 4] |= UInt32(byte) << UInt32(index % 4 * 8)
        }
        return limbs
    }

    private static func encoded(_ limbs: [UInt32]) -> [UInt8] {
        limbs.reversed().flatMap { limb in (0..<4).map { UInt8(truncatingIfNeeded: limb >> UInt32(24 - 8 * $0)) } }
    }

    private static func isLess(_ a: [UInt32], _ b: [UInt32]) -> Bool {
        for index in stride(from: limbCount - 1, through: 0, by: -1) where a[index] != b[index] {
            return a[index] < b[index]
        }
        return false
    }

    private static func subtract(_ b: [UInt32], from a: inout [UInt32]) {
        var borrow: UInt64 = 0
        for index in 0..<limbCount {
            let difference = UInt64(a[index]) &- UInt64(b[index]) &- borrow
            a[index] = UInt32(truncatingIfNeeded: difference)
            borrow = difference >> 63
        }
    }

    /// Bit by bit: `(2 r + a·bit) mod m`.
    private static func product(_ a: [UInt32], _ b: [UInt32], _ modulus: [UInt32]) -> [UInt32] {
        var result = [UInt32](repeating: 0, count: limbCount)
        for bit in stride(from: limbCount * 32 - 1, through: 0, by: -1) {
            add(result, to: &result, modulus)
            if b[bit / 32] >> UInt32(bit % 32) & 1 == 1 { add(a, to: &result, modulus) }
        }
        return result
    }

    /// Both are less than the modulus.
    private static func add(_ b: [UInt32], to a: inout [UInt32], _ modulus: [UInt32]) {
        var carry: UInt64 = 0
        for index in 0..<limbCount {
            let sum = UInt64(a[index]) + UInt64(b[index]) + carry
            a[index] = UInt32(truncatingIfNeeded: sum)
            carry = sum >> 32
        }
        if carry == 1 || !isLess(a, modulus) { subtract(modulus, from: &a) }
    }
}
