/// Writes messages in the protocol buffers' wire format (protobuf.dev/programming-guides/encoding), in order and in one pass.
///
/// A value that is its type's default is written too where a caller says so: leaving it out is the caller's business (`proto3`
/// readers take both). All writers of one message share its buffer.
package struct ProtobufWriter {
    /// How a field's value is laid out.
    package enum WireType: UInt64, Sendable {
        case varint = 0
        case fixed64 = 1
        case lengthDelimited = 2
        case fixed32 = 5
    }

    package let buffer: ByteBuffer

    package init(into buffer: ByteBuffer) { self.buffer = buffer }

    // MARK: Parts

    /// Seven bits a byte, the lowest first; one to ten bytes.
    package func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            buffer.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        buffer.append(UInt8(truncatingIfNeeded: rest))
    }

    /// What stands before every value.
    ///
    /// - Parameter field: 1 to 2^29 - 1.
    package func tag(_ field: Int, _ type: WireType) { varint(UInt64(field) << 3 | type.rawValue) }

    private func littleEndian(_ value: UInt64) {
        for shift in stride(from: UInt64(0), to: 64, by: 8) { buffer.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    // MARK: Numbers

    /// `uint32`, `uint64` and enumerations.
    package func unsigned(_ field: Int, _ value: UInt64) {
        tag(field, .varint)
        varint(value)
    }

    /// `int32` and `int64`: a negative one takes ten bytes.
    package func int(_ field: Int, _ value: Int) { unsigned(field, UInt64(bitPattern: Int64(value))) }

    package func bool(_ field: Int, _ value: Bool) { unsigned(field, value ? 1 : 0) }

    /// `sint32` and `sint64`.
    package func zigzag(_ field: Int, _ value: Int) { unsigned(field, Self.zigzag(Int64(value))) }

    /// 0, -1, 1, -2 … as 0, 1, 2, 3 …: small magnitudes are short.
    package static func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: value << 1 ^ value >> 63) }

    package func fixed64(_ field: Int, _ value: UInt64) {
        tag(field, .fixed64)
        littleEndian(value)
    }

    package func fixed32(_ field: Int, _ value: UInt32) {
        tag(field, .fixed32)
        for shift in stride(from: UInt32(0), to: 32, by: 8) { buffer.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    package func double(_ field: Int, _ value: Double) { fixed64(field, value.bitPattern) }

    // MARK: Runs of bytes

    package func bytes(_ field: Int, _ bytes: Span<UInt8>) {
        tag(field, .lengthDelimited)
        varint(UInt64(bytes.count))
        buffer.append(bytes)
    }

    package func string(_ field: Int, _ text: StaticString) {
        tag(field, .lengthDelimited)
        varint(UInt64(text.utf8CodeUnitCount))
        buffer.append(text)
    }

    /// Literals are static strings: not this.
    @_disfavoredOverload package func string(_ field: Int, _ text: String) {
        tag(field, .lengthDelimited)
        varint(UInt64(text.utf8.count))
        buffer.append(text)
    }

    /// A message within the message. What `body` writes is copied only if it is longer than 127 bytes, and then once.
    package func message(_ field: Int, _ body: (ProtobufWriter) -> Void) {
        tag(field, .lengthDelimited)
        lengthDelimited(body)
    }

    private func lengthDelimited(_ body: (ProtobufWriter) -> Void) {
        let place = buffer.count
        buffer.append(UInt8(0))
        body(self)
        let length = buffer.count - place - 1
        var space = 1
        while length >> (7 * space) > 0 { space += 1 }
        if space > 1 { buffer.insertSpace(space - 1, at: place + 1) }
        for index in 0..<space {
            let bits = UInt8(truncatingIfNeeded: length >> (7 * index)) & 0x7F
            buffer.overwrite(at: place + index, with: index < space - 1 ? bits | 0x80 : bits)
        }
    }

    // MARK: Packed

    /// `repeated` numbers as varints; none: nothing is written.
    package func packed(_ field: Int, varints values: some Collection<UInt64>) {
        if values.isEmpty { return }
        message(field) { writer in for value in values { writer.varint(value) } }
    }

    package func packed(_ field: Int, fixed64 values: some Collection<UInt64>) {
        if values.isEmpty { return }
        tag(field, .lengthDelimited)
        varint(UInt64(values.count * 8))
        for value in values { littleEndian(value) }
    }

    package func packed(_ field: Int, doubles values: some Collection<Double>) {
        packed(field, fixed64: values.lazy.map(\.bitPattern))
    }
}
