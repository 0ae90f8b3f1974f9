internal import SluiceCore

/// The characters of a request target (RFC 3986 §3.3, §3.4). HTTP/2 carries any byte; what we pass on may be HTTP/1.1.
enum TargetSyntax {
    /// Bits of the characters 0 to 63: `! $ % & ' ( ) * + , - . / 0-9 : ; = ?`.
    private static let low: UInt64 = bits("!$%&'()*+,-./0123456789:;=?", from: 0)
    /// Bits of the characters 64 to 127: `@ A-Z _ a-z ~`.
    private static let high: UInt64 = bits("@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~", from: 64)

    private static func bits(_ characters: StaticString, from first: UInt8) -> UInt64 {
        characters.withUTF8Buffer { bytes in
            var bits: UInt64 = 0
            for unsafe byte in unsafe bytes { bits |= 1 << UInt64(byte - first) }
            return bits
        }
    }

    /// Whether these are an absolute path and perhaps a query: no fragment, no white space, no control character.
    static func isOriginForm(_ target: Span<UInt8>) -> Bool {
        guard target.count > 0, target[0] == UInt8(ascii: "/") else { return false }
        let (low, high) = (low, high)
        for index in target.indices {
            let byte = target[index]
            let set = byte < 64 ? low : byte < 128 ? high : 0
            if set >> UInt64(byte & 63) & 1 == 0 { return false }
        }
        return true
    }
}
