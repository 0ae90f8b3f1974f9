internal import SluiceCore

/// A set of ASCII characters, one bit each. No byte over 0x7F is ever in it.
struct CharacterClass: Sendable {
    private let low: UInt64
    private let high: UInt64

    @inline(__always) func contains(_ byte: UInt8) -> Bool {
        let half = byte < 64 ? low : high
        return byte < 128 && half &>> UInt64(byte & 63) & 1 != 0
    }

    /// The offset of the first byte at or after `start` that is not in the set; `end` if all are.
    func firstOutside(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
        var index = start
        while index < end, contains(bytes[index]) { index &+= 1 }
        return index
    }

    func containsAll(_ bytes: Span<UInt8>) -> Bool { firstOutside(bytes, from: 0, to: bytes.count) == bytes.count }

    /// The same for names of fields, which are nearly always letters, digits and dashes.
    @inline(__always) static func firstNotToken(_ bytes: Span<UInt8>, from start: Int, to end: Int) -> Int {
        var index = start
        while true {
            index = bytes.firstNotPlain(from: index, to: end)
            if index == end || !token.contains(bytes[index]) { return index }
            index &+= 1
        }
    }

    static func isToken(_ name: Span<UInt8>) -> Bool {
        !name.isEmpty && firstNotToken(name, from: 0, to: name.count) == name.count
    }

    /// `tchar`: what method and field names are made of (RFC 9110 §5.6.2).
    static let token = CharacterClass(low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE)
    /// What a path is made of: `pchar`, `/` and the `%` of an encoded byte (RFC 3986 §3.3).
    static let path = CharacterClass(low: 0x2FFF_FFF2_0000_0000, high: 0x47FF_FFFE_87FF_FFFF)
    /// What a query is made of (RFC 3986 §3.4), and square brackets: browsers and SDKs send `include[]=` as it is.
    static let query = CharacterClass(low: 0xAFFF_FFF2_0000_0000, high: 0x47FF_FFFE_AFFF_FFFF)
    /// `reg-name`: what a host name is made of (RFC 3986 §3.2.2).
    static let hostName = CharacterClass(low: 0x2BFF_7FF2_0000_0000, high: 0x47FF_FFFE_87FF_FFFE)
    /// `bchars`: what a multipart boundary is made of (RFC 2046 §5.1.1).
    static let boundary = CharacterClass(low: 0xA7FF_FB81_0000_0000, high: 0x07FF_FFFE_87FF_FFFE)
}
