/// One frame of `application/vnd.amazon.eventstream`: lengths, two checksums, headers of type string, a payload.
enum EventStreamFrame {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }

    /// CRC-32 of zlib (IEEE 802.3, reflected).
    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(UInt32.max) { table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] ^ $0 >> 8 }
    }

    static func event(_ name: String, _ payload: MockJSON) -> [UInt8] {
        bytes(
            [(":event-type", name), (":content-type", "application/json"), (":message-type", "event")], payload.bytes)
    }

    static func exception(_ name: String, _ message: String) -> [UInt8] {
        let payload: MockJSON = ["message": .string(message)]
        return bytes(
            [(":exception-type", name), (":content-type", "application/json"), (":message-type", "exception")],
            payload.bytes)
    }

    static func bytes(_ headers: [(name: String, value: String)], _ payload: [UInt8]) -> [UInt8] {
        var head: [UInt8] = []
        for header in headers {
            let (name, value) = (Array(header.name.utf8), Array(header.value.utf8))
            head += [UInt8(truncatingIfNeeded: name.count)] + name
            head += [7, UInt8(truncatingIfNeeded: value.count >> 8), UInt8(truncatingIfNeeded: value.count)] + value
        }
        var frame = big(UInt32(16 + head.count + payload.count)) + big(UInt32(head.count))
        frame += big(checksum(frame))
        frame += head + payload
        return frame + big(checksum(frame))
    }

    private static func big(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> UInt32(24 - 8 * $0)) }
    }
}
