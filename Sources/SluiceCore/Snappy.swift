/// Snappy's block format (github.com/google/snappy, format_description.txt), of which Prometheus remote-write is made.
///
/// Only what writes it: literals, and copies of what stands at most 64 KB before. Repetitive text, as metrics are, comes out at
/// about a tenth.
package enum Snappy {
    /// Blocks are compressed by themselves: an offset then fits two bytes.
    private static let blockByteCount = 65_536
    /// No copy begins so near to the end of a block.
    private static let marginByteCount = 15
    private static let tableBits = 14

    package static func compress(_ bytes: Span<UInt8>, into buffer: ByteBuffer) {
        ProtobufWriter(into: buffer).varint(UInt64(bytes.count))
        var table = [UInt16](repeating: 0, count: 1 << tableBits)
        var start = 0
        while start < bytes.count {
            let end = min(start + blockByteCount, bytes.count)
            if start > 0 { for index in table.indices { table[index] = 0 } }
            compress(block: bytes.extracting(start..<end), &table, buffer)
            start = end
        }
    }

    private static func compress(block: Span<UInt8>, _ table: inout [UInt16], _ buffer: ByteBuffer) {
        var literalStart = 0
        var position = 1
        let limit = block.count - marginByteCount
        // The longer nothing is found, the fewer places are looked at: what cannot be compressed costs little.
        var misses = 32
        while position < limit {
            let word = word(block, at: position)
            let slot = Int((word &* 0x1E35_A7BD) >> (32 - UInt32(tableBits)))
            let candidate = Int(table[slot])
            table[slot] = UInt16(truncatingIfNeeded: position)
            if candidate >= position || self.word(block, at: candidate) != word {
                position += misses >> 5
                misses += 1
                continue
            }
            literal(block, literalStart..<position, buffer)
            var length = 4
            while position + length < block.count, block[position + length] == block[candidate + length] { length += 1 }
            copy(offset: position - candidate, length: length, buffer)
            position += length
            literalStart = position
            misses = 32
        }
        literal(block, literalStart..<block.count, buffer)
    }

    @inline(__always)
    private static func word(_ bytes: Span<UInt8>, at index: Int) -> UInt32 {
        UInt32(bytes[index]) | UInt32(bytes[index + 1]) << 8 | UInt32(bytes[index + 2]) << 16 | UInt32(bytes[index + 3]) << 24
    }

    /// §2.1: bytes as they are.
    private static func literal(_ block: Span<UInt8>, _ range: Range<Int>, _ buffer: ByteBuffer) {
        if range.isEmpty { return }
        let length = range.count - 1
        switch length {
        case ..<60: buffer.append(UInt8(length << 2))
        case ..<256:
            buffer.append(UInt8(60 << 2))
            buffer.append(UInt8(length))
        default:
            buffer.append(UInt8(61 << 2))
            buffer.append(UInt8(truncatingIfNeeded: length))
            buffer.append(UInt8(truncatingIfNeeded: length >> 8))
        }
        buffer.append(block.extracting(range))
    }

    /// §2.2: bytes that were there before.
    private static func copy(offset: Int, length: Int, _ buffer: ByteBuffer) {
        var length = length
        // What is left after a copy of 64 must be at least 4 long, for the short form.
        while length >= 68 {
            longCopy(offset, 64, buffer)
            length -= 64
        }
        if length > 64 {
            longCopy(offset, 60, buffer)
            length -= 60
        }
        if length >= 12 || offset >= 2048 { return longCopy(offset, length, buffer) }
        buffer.append(UInt8(truncatingIfNeeded: (offset >> 8) << 5 | (length - 4) << 2 | 1))
        buffer.append(UInt8(truncatingIfNeeded: offset))
    }

    private static func longCopy(_ offset: Int, _ length: Int, _ buffer: ByteBuffer) {
        buffer.append(UInt8((length - 1) << 2 | 2))
        buffer.append(UInt8(truncatingIfNeeded: offset))
        buffer.append(UInt8(truncatingIfNeeded: offset >> 8))
    }
}
