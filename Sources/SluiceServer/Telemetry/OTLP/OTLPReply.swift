internal import SluiceCore

/// Reads what a receiver says of a message that it has taken: `partial_success` (1), in which field 1 counts what was refused
/// (opentelemetry/proto/collector/*/v1).
enum OTLPReply {
    /// How many items were refused; zero for what cannot be read: the status has said that it was taken.
    static func refusedItems(_ reply: Span<UInt8>) -> Int {
        guard let partial = field(1, of: reply), case .bytes(let range) = partial,
            case .number(let count)? = field(1, of: reply.extracting(range))
        else { return 0 }
        return Int(clamping: count)
    }

    private enum Field {
        case number(UInt64)
        case bytes(Range<Int>)
    }

    /// The first field with this number.
    private static func field(_ number: UInt64, of message: Span<UInt8>) -> Field? {
        var at = 0
        while at < message.count {
            guard let tag = varint(message, &at) else { return nil }
            let found: Field
            switch tag & 7 {
            case 0:
                guard let value = varint(message, &at) else { return nil }
                found = .number(value)
            case 2:
                guard let length = varint(message, &at), length <= UInt64(message.count - at) else { return nil }
                found = .bytes(at..<at + Int(length))
                at += Int(length)
            case 1 where message.count - at >= 8:
                at += 8
                continue
            case 5 where message.count - at >= 4:
                at += 4
                continue
            default: return nil
            }
            if tag >> 3 == number { return found }
        }
        return nil
    }

    private static func varint(_ bytes: Span<UInt8>, _ at: inout Int) -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while at < bytes.count, shift < 64 {
            let byte = bytes[at]
            at += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }
}
