/// Takes a protocol buffers' message apart.
package enum ProtobufReader {
    package struct Malformed: Error {}

    package struct Field {
        package let number: Int
        /// Of a number, in its bits.
        package var value: UInt64 = 0
        /// Of a text or a message.
        package var bytes: [UInt8] = []
    }

    package static func fields(_ message: [UInt8]) throws -> [Field] {
        var at = 0
        func byte() throws -> UInt8 {
            guard at < message.count else { throw Malformed() }
            defer { at += 1 }
            return message[at]
        }
        func varint() throws -> UInt64 {
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 70, by: 7) {
                let next = try byte()
                value |= UInt64(next & 0x7F) << shift
                if next < 0x80 { return value }
            }
            throw Malformed()
        }
        var fields: [Field] = []
        while at < message.count {
            let tag = try varint()
            var field = Field(number: Int(tag >> 3))
            switch tag & 7 {
            case 0: field.value = try varint()
            case 1: for shift in stride(from: UInt64(0), to: 64, by: 8) { field.value |= UInt64(try byte()) << shift }
            case 2:
                let count = Int(try varint())
                guard at + count <= message.count else { throw Malformed() }
                field.bytes = Array(message[at..<at + count])
                at += count
            default: throw Malformed()
            }
            fields.append(field)
        }
        return fields
    }
}
