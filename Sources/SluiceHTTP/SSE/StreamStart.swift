internal import SluiceCore

/// The start of an event stream, where one UTF-8 byte order mark may stand (WHATWG HTML §9.2.5).
struct StreamStart: Sendable {
    private static let markByteCount: UInt8 = 3
    /// How many bytes of the mark have come; 255 when the question is settled.
    private var matched: UInt8 = 0

    var isOver: Bool { matched == 255 }
    var isInsideMark: Bool { matched > 0 && matched < Self.markByteCount }

    /// Steps over the mark.
    ///
    /// - Returns: bytes of earlier reads that looked like the start of a mark, but were not.
    mutating func skip(_ bytes: Span<UInt8>, at offset: inout Int) -> [UInt8] {
        let before = matched
        let first = offset
        while offset < bytes.count, matched < Self.markByteCount {
            if bytes[offset] != Self.byte(matched) {
                matched = 255
                offset = first
                return (0..<before).map(Self.byte)
            }
            matched += 1
            offset += 1
        }
        if matched == Self.markByteCount { matched = 255 }
        return []
    }

    private static func byte(_ index: UInt8) -> UInt8 {
        switch index {
        case 0: 0xEF
        case 1: 0xBB
        default: 0xBF
        }
    }
}
