internal import SluiceCore
internal import SluiceHTTP
internal import SluiceTLS

/// The header fields that a signature covers, `host` among them, in the order of their names.
struct SignedFields {
    private var fields = HeaderFields()
    /// Positions among `fields`.
    private var order: [Int] = []

    init(
        host: Span<UInt8>, from all: borrowing HeaderFields, where isSigned: (FieldName, Span<UInt8>) -> Bool
    ) {
        fields.append(.host, host)
        for index in 0..<all.count
        where all.field(at: index) != .host && isSigned(all.field(at: index), all.name(at: index)) {
            fields.append(fieldAt: index, of: all)
        }
        order.reserveCapacity(fields.count)
        for index in 0..<fields.count {
            let place = order.firstIndex { Self.precedes(fields.name(at: index), fields.name(at: $0)) }
            order.insert(index, at: place ?? order.count)
        }
    }

    /// `content-type;host`
    func appendNames(to buffer: ByteBuffer) {
        for (position, index) in order.enumerated() where !isRepeated(position) {
            if position > 0 { buffer.append(UInt8(ascii: ";")) }
            buffer.append(fields.name(at: index))
        }
    }

    /// `ALGORITHM Credential=ID/SCOPE, SignedHeaders=NAMES, Signature=HEX`, as AWS has it, and Tencent after it.
    ///
    /// - Parameter appendScope: writes the scope.
    func authorization(
        _ algorithm: StaticString, keyID: String, _ signature: Digest, scope appendScope: (ByteBuffer) -> Void
    ) -> ByteBuffer {
        let value = ByteBuffer(capacity: 320)
        value.append(algorithm)
        value.append(" Credential=")
        value.append(keyID)
        value.append(UInt8(ascii: "/"))
        appendScope(value)
        value.append(", SignedHeaders=")
        appendNames(to: value)
        value.append(", Signature=")
        signature.append(hexadecimalTo: value)
        return value
    }

    /// `content-type:application/json`, each line with a line feed; the values of a repeated name with commas between.
    func appendLines(to buffer: ByteBuffer, value append: (Span<UInt8>, ByteBuffer) -> Void) {
        for (position, index) in order.enumerated() {
            let value = fields.value(at: index)
            if isRepeated(position) {
                buffer.truncate(to: buffer.count - 1)
                buffer.append(UInt8(ascii: ","))
            } else {
                buffer.append(fields.name(at: index))
                buffer.append(UInt8(ascii: ":"))
            }
            append(value.extracting(value.trimmingOptionalWhitespace()), buffer)
            buffer.append(ASCII.lineFeed)
        }
    }

    private func isRepeated(_ position: Int) -> Bool {
        if position == 0 { return false }
        let name = fields.name(at: order[position])
        let before = fields.name(at: order[position - 1])
        return !Self.precedes(name, before) && !Self.precedes(before, name)
    }

    private static func precedes(_ a: Span<UInt8>, _ b: Span<UInt8>) -> Bool {
        for index in 0..<min(a.count, b.count) where a[index] != b[index] { return a[index] < b[index] }
        return a.count < b.count
    }
}
