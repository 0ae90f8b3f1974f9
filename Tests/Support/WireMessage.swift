/// Reads the protocol buffers' wire format as it stands there, without a schema: for what we have written ourselves.
package struct WireMessage {
    package enum Value: Equatable {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        case bytes([UInt8])
    }

    package struct Malformed: Error { package let at: Int }

    /// In the order in which they stand.
    package private(set) var fields: [(number: Int, value: Value)] = []

    package init(_ message: [UInt8]) throws {
        var at = 0
        while at < message.count {
            let tag = try Self.varint(message, &at)
            fields.append((Int(tag >> 3), try Self.value(UInt8(tag & 7), message, &at)))
        }
    }

    private static func value(_ type: UInt8, _ message: [UInt8], _ at: inout Int) throws -> Value {
        switch type {
        case 0: return .varint(try varint(message, &at))
        case 1: return .fixed64(try littleEndian(8, message, &at))
        case 5: return .fixed32(UInt32(try littleEndian(4, message, &at)))
        case 2:
            let length = Int(try varint(message, &at))
            guard length <= message.count - at else { throw Malformed(at: at) }
            defer { at += length }
            return .bytes(Array(message[at..<at + length]))
        default: throw Malformed(at: at)
        }
    }

    private static func varint(_ message: [UInt8], _ at: inout Int) throws -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard at < message.count else { throw Malformed(at: at) }
            let byte = message[at]
            at += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw Malformed(at: at)
    }

    private static func littleEndian(_ count: Int, _ message: [UInt8], _ at: inout Int) throws -> UInt64 {
        guard message.count - at >= count else { throw Malformed(at: at) }
        defer { at += count }
        return message[at..<at + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    // MARK: By number

    package func all(_ number: Int) -> [Value] { fields.filter { $0.number == number }.map(\.value) }
    package func count(_ number: Int) -> Int { fields.count { $0.number == number } }

    package func bytes(_ number: Int) -> [UInt8]? { all(number).lazy.compactMap(Self.bytes).first }
    package func text(_ number: Int) -> String? { bytes(number).map { String(decoding: $0, as: UTF8.self) } }
    package func messages(_ number: Int) throws -> [WireMessage] {
        try all(number).compactMap(Self.bytes).map { try WireMessage($0) }
    }

    /// A number of any width.
    package func number(_ number: Int) -> UInt64? {
        switch all(number).first {
        case .varint(let value), .fixed64(let value): value
        case .fixed32(let value): UInt64(value)
        case .bytes, nil: nil
        }
    }

    package func double(_ number: Int) -> Double? { self.number(number).map { Double(bitPattern: $0) } }

    private static func bytes(_ value: Value) -> [UInt8]? { if case .bytes(let bytes) = value { bytes } else { nil } }

    /// OpenTelemetry's `KeyValue`s, each value as text.
    package func attributes(_ field: Int) throws -> [String: String] {
        var found: [String: String] = [:]
        for pair in try messages(field) {
            guard let any = try pair.messages(2).first else { continue }
            found[pair.text(1) ?? ""] = try Self.show(any)
        }
        return found
    }

    private static func show(_ any: WireMessage) throws -> String {
        guard let first = any.fields.first else { return "" }
        switch first.number {
        case 1: return any.text(1) ?? ""
        case 2: return any.number(2) == 1 ? "true" : "false"
        case 3: return "\(Int64(bitPattern: any.number(3) ?? 0))"
        case 4: return "\(any.double(4) ?? 0)"
        case 5: return try "[" + (any.messages(5).first?.messages(1).map(show).joined(separator: ",") ?? "") + "]"
        default: return "?"
        }
    }
}
