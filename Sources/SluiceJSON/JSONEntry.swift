/// What a value is.
package enum JSONKind: UInt8, Sendable {
    case object, array, string, number, boolean, null
}

/// One value, or one member's key, on the tape. 16 bytes.
///
/// Entries stand in the order of the document: a container, then what is in it; a key, then its value.
struct JSONEntry {
    /// The range of bytes, quotation marks and brackets included.
    var start: UInt32
    var end: UInt32
    /// The index of the entry after this value and all that is in it. While a container is being scanned: the index of
    /// the container around it.
    var next: UInt32
    /// A `JSONKind` in the low byte, and flags.
    var bits: UInt32

    /// A string with at least one escape sequence.
    static let hasEscapes: UInt32 = 0x100
    /// The boolean true.
    static let isTrue: UInt32 = 0x200

    @inline(__always) var kind: JSONKind { JSONKind(rawValue: UInt8(truncatingIfNeeded: bits)) ?? .null }
    @inline(__always) func isKind(_ kind: JSONKind) -> Bool { UInt8(truncatingIfNeeded: bits) == kind.rawValue }
    @inline(__always) func has(_ flag: UInt32) -> Bool { bits & flag != 0 }
    /// Where the bytes are.
    @inline(__always) var range: Range<Int> { unsafe Range(uncheckedBounds: (Int(start), Int(end))) }
}

extension JSONKind {
    @inline(__always) var bits: UInt32 { UInt32(rawValue) }
}
