/// What stands before a frame's payload (RFC 6455 §5.2), gathered from however many reads.
struct WebSocketFrameHead: Sendable {
    enum Opcode: UInt8, Sendable {
        case continuation = 0
        case text = 1
        case binary = 2
        case close = 8
        case ping = 9
        case pong = 10
        var isControl: Bool { rawValue & 8 != 0 }
    }

    private static let controlBytesMax: UInt8 = 125

    private var first: UInt8 = 0
    private var second: UInt8 = 0
    /// What the bytes after the second say.
    private var extendedLength: UInt64 = 0
    private var count = 0

    /// Whether part of a head has been read.
    var isOpen: Bool { count > 0 }

    /// Takes bytes until the head is whole; what it says can then be read, until the next call.
    ///
    /// - Returns: what it says; `nil` until it has all arrived.
    mutating func read(
        _ input: Span<UInt8>, at offset: inout Int
    ) throws(WebSocketError) -> (opcode: Opcode, isLast: Bool, byteCount: UInt64)? {
        while true {
            if count == 2 { try checkFirstBytes() }
            if count >= 2, count == byteCount {
                let length = try payloadLength()
                let opcode = try opcode()
                count = 0
                return (opcode, first & 0x80 != 0, length)
            }
            if offset == input.count { return nil }
            take(input[offset])
            offset += 1
        }
    }

    private mutating func take(_ byte: UInt8) {
        switch count {
        case 0: first = byte
        case 1:
            second = byte
            extendedLength = 0
        default: extendedLength = extendedLength << 8 | UInt64(byte)
        }
        count += 1
    }

    /// Of the head; known from two bytes on.
    private var byteCount: Int {
        switch second & 0x7F {
        case 126: 4
        case 127: 10
        default: 2
        }
    }

    private func opcode() throws(WebSocketError) -> Opcode {
        guard let opcode = Opcode(rawValue: first & 0x0F) else { throw .unknownOpcode(first & 0x0F) }
        return opcode
    }

    private func checkFirstBytes() throws(WebSocketError) {
        if first & 0x70 != 0 { throw .reservedBit }
        let opcode = try opcode()
        if second & 0x80 != 0 { throw .maskedFrame }
        if opcode.isControl {
            if first & 0x80 == 0 { throw .controlFrameFragmented }
            if second & 0x7F > Self.controlBytesMax { throw .controlFrameTooLong }
        }
    }

    private func payloadLength() throws(WebSocketError) -> UInt64 {
        switch second & 0x7F {
        case 126: if extendedLength < 126 { throw .lengthNotMinimal }
        case 127: if extendedLength <= 0xFFFF || extendedLength > UInt64(Int64.max) { throw .lengthNotMinimal }
        default: return UInt64(second & 0x7F)
        }
        return extendedLength
    }
}
