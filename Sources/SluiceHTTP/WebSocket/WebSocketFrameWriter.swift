package import SluiceCore

/// Writes the frames of a client (RFC 6455 §5): whole messages, each masked.
///
/// A mask must be new for each frame and come from a generator that nobody can predict (§5.3, §10.3): it keeps what an
/// application says from being taken for another protocol's bytes by what stands in between.
package enum WebSocketFrameWriter {
    package static func text(_ payload: Span<UInt8>, mask: UInt32, into buffer: ByteBuffer) {
        write(.text, payload, mask, into: buffer)
    }

    /// The answer to a Ping, with its payload (§5.5.3).
    package static func pong(_ payload: Span<UInt8>, mask: UInt32, into buffer: ByteBuffer) {
        precondition(payload.count <= 125, "a Pong of \(payload.count) bytes")
        write(.pong, payload, mask, into: buffer)
    }

    /// - Parameter code: one that may be sent; `nil` answers a Close that had none (§5.5.1).
    package static func close(_ code: WebSocketCloseCode?, mask: UInt32, into buffer: ByteBuffer) {
        guard let code else { return write(.close, Span(), mask, into: buffer) }
        precondition(code.isSendable, "a Close with the code \(code.value)")
        let payload: InlineArray<2, UInt8> = [
            UInt8(truncatingIfNeeded: code.value >> 8), UInt8(truncatingIfNeeded: code.value),
        ]
        write(.close, payload.span, mask, into: buffer)
    }

    private static func write(
        _ opcode: WebSocketFrameHead.Opcode, _ payload: Span<UInt8>, _ mask: UInt32, into buffer: ByteBuffer
    ) {
        buffer.reserve(payload.count + 14)
        buffer.append(0x80 | opcode.rawValue)
        switch payload.count {
        case 0...125: buffer.append(0x80 | UInt8(truncatingIfNeeded: payload.count))
        case 126...0xFFFF:
            buffer.append(0x80 | 126)
            append(UInt64(payload.count), byteCount: 2, to: buffer)
        default:
            buffer.append(0x80 | 127)
            append(UInt64(payload.count), byteCount: 8, to: buffer)
        }
        append(UInt64(mask), byteCount: 4, to: buffer)
        for index in payload.indices {
            buffer.append(payload[index] ^ UInt8(truncatingIfNeeded: mask &>> UInt32(24 &- (index & 3) &* 8)))
        }
    }

    private static func append(_ number: UInt64, byteCount: Int, to buffer: ByteBuffer) {
        for position in stride(from: (byteCount - 1) * 8, through: 0, by: -8) {
            buffer.append(UInt8(truncatingIfNeeded: number >> UInt64(position)))
        }
    }
}
