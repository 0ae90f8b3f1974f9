internal import SluiceCore

/// The first twelve bytes of a frame: how long it and its headers are, and a CRC of that.
struct EventStreamPrelude {
    static let byteCount = 12
    /// The CRC at a frame's end.
    static let checksumByteCount = 4

    /// Of the whole frame.
    let frameByteCount: Int
    let headersByteCount: Int
    /// The CRC of these twelve bytes, from which the frame's goes on.
    let checksum: UInt32

    var headers: Range<Int> { Self.byteCount..<Self.byteCount + headersByteCount }
    var payload: Range<Int> { Self.byteCount + headersByteCount..<frameByteCount - Self.checksumByteCount }

    /// - Parameter bytes: at least `byteCount`.
    init(_ bytes: Span<UInt8>, limits: EventStreamLimits) throws(EventStreamError) {
        frameByteCount = Int(bytes.bigEndian32(at: 0))
        headersByteCount = Int(bytes.bigEndian32(at: 4))
        let lengths = CRC32.checksum(bytes.extracting(0..<8))
        if lengths != bytes.bigEndian32(at: 8) { throw .preludeChecksum }
        checksum = CRC32.checksum(bytes.extracting(8..<12), after: lengths)
        let payloadByteCount = frameByteCount - headersByteCount - Self.byteCount - Self.checksumByteCount
        if payloadByteCount < 0 { throw .impossibleLength }
        if headersByteCount > limits.headersBytesMax { throw .headersTooLong(bytesMax: limits.headersBytesMax) }
        if payloadByteCount > limits.payloadBytesMax { throw .payloadTooLong(bytesMax: limits.payloadBytesMax) }
    }
}

/// The largest frame accepted, in bytes.
package struct EventStreamLimits: Sendable {
    /// What AWS's own libraries accept.
    package var headersBytesMax = 131_072
    /// AWS's libraries accept 24 MiB.
    package var payloadBytesMax = 25_165_824
    package init() {}
    package init(payloadBytesMax: Int) { self.payloadBytesMax = payloadBytesMax }
}

extension Span where Element == UInt8 {
    func bigEndian16(at offset: Int) -> UInt16 { UInt16(self[offset]) << 8 | UInt16(self[offset + 1]) }

    func bigEndian32(at offset: Int) -> UInt32 {
        UInt32(bigEndian16(at: offset)) << 16 | UInt32(bigEndian16(at: offset + 2))
    }

    func bigEndian64(at offset: Int) -> UInt64 {
        UInt64(bigEndian32(at: offset)) << 32 | UInt64(bigEndian32(at: offset + 4))
    }
}
