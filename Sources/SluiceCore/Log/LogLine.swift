/// One line of JSON in the making. The message is a constant; what varies stands in fields, under the names of ECS.
package struct LogLine: ~Copyable {
    package let buffer: ByteBuffer

    /// - Parameter unixNanoseconds: the wall clock.
    package init(_ level: LogLevel, _ message: StaticString, unixNanoseconds: Int64, into buffer: ByteBuffer) {
        self.buffer = buffer
        buffer.append("{\"@timestamp\":\"")
        Timestamp.append(unixNanoseconds: unixNanoseconds, to: buffer)
        Self.begin(level, message, buffer)
    }

    /// The same for whoever writes many lines.
    package init(
        _ level: LogLevel, _ message: StaticString, unixNanoseconds: Int64, through cache: inout Timestamp.Cache,
        into buffer: ByteBuffer
    ) {
        self.buffer = buffer
        buffer.append("{\"@timestamp\":\"")
        Timestamp.append(unixNanoseconds: unixNanoseconds, through: &cache, to: buffer)
        Self.begin(level, message, buffer)
    }

    private static func begin(_ level: LogLevel, _ message: StaticString, _ buffer: ByteBuffer) {
        buffer.append("\",\"log.level\":\"")
        buffer.append(level.rawValue)
        buffer.append("\",\"message\":\"")
        buffer.append(message)
        buffer.append("\"")
    }

    package func field(_ name: StaticString, _ value: String) {
        var value = value
        value.withUTF8 { unsafe field(name, $0.span) }
    }

    package func field(_ name: StaticString, _ value: Span<UInt8>) {
        key(name)
        buffer.append(UInt8(ascii: "\""))
        Self.append(escaping: value, to: buffer)
        buffer.append(UInt8(ascii: "\""))
    }

    package func field(_ name: StaticString, constant value: StaticString) {
        buffer.reserve(name.utf8CodeUnitCount + value.utf8CodeUnitCount + 8)
        key(name)
        buffer.append(UInt8(ascii: "\""))
        buffer.append(value)
        buffer.append(UInt8(ascii: "\""))
    }

    package func field(_ name: StaticString, _ value: Int) {
        key(name)
        buffer.append(decimal: value)
    }

    package func field(_ name: StaticString, _ value: Bool) {
        key(name)
        buffer.append(value ? "true" : "false")
    }

    /// A time in milliseconds with three decimals.
    package func field(_ name: StaticString, milliseconds value: Duration) {
        key(name)
        let microseconds = max(0, value.nanoseconds / 1000)
        buffer.append(decimal: Int(microseconds / 1000))
        let rest = Int(microseconds % 1000)
        buffer.append(rest < 10 ? ".00" : rest < 100 ? ".0" : ".")
        buffer.append(decimal: rest)
    }

    package consuming func end() { buffer.append("}\n") }

    private func key(_ name: StaticString) {
        let count = name.utf8CodeUnitCount
        unsafe buffer.appendUnsafe(minimum: count + 4) { space in
            unsafe space.storeBytes(of: (0x222C as UInt16).littleEndian, as: UInt16.self)  // ,"
            unsafe UnsafeMutableRawBufferPointer(rebasing: space[2...]).copyMemory(
                from: UnsafeRawBufferPointer(start: name.utf8Start, count: count))
            unsafe space.storeBytes(of: (0x3A22 as UInt16).littleEndian, toByteOffset: 2 + count, as: UInt16.self)  // ":
            return count + 4
        }
    }

    /// No byte of a peer's may end a line or a string: controls and quotes are escaped, what is not ASCII is kept if it is UTF-8.
    private static func append(escaping bytes: Span<UInt8>, to buffer: ByteBuffer) {
        if isPlain(bytes) { return buffer.append(bytes) }
        for scalar in String(decoding: bytes).unicodeScalars {
            switch scalar {
            case "\"": buffer.append("\\\"")
            case "\\": buffer.append("\\\\")
            case "\n": buffer.append("\\n")
            case "\r": buffer.append("\\r")
            case "\t": buffer.append("\\t")
            case _ where scalar.value < 0x20 || (scalar.value >= 0x7F && scalar.value < 0xA0):
                buffer.append("\\u00")
                buffer.append(hexDigits[Int(scalar.value >> 4)])
                buffer.append(hexDigits[Int(scalar.value & 15)])
            default: buffer.append(String(scalar))
            }
        }
    }

    /// Whether it can stand there as it is: looked at eight bytes at a time.
    private static func isPlain(_ bytes: Span<UInt8>) -> Bool {
        let every: UInt64 = 0x0101_0101_0101_0101
        var index = 0
        while bytes.count &- index >= 8 {
            let word = unsafe bytes.bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: index, as: UInt64.self)
            let quotes = word ^ (every &* 0x22)
            let escapes = word ^ (every &* 0x5C)
            // From 0x7F on, below 0x20, a quotation mark, a backslash: borrows only ever find too much.
            let high = word | ((word & ~(every &<< 7)) &+ every)
            let found = high | (word &- (every &* 0x20)) | (quotes &- every) | (escapes &- every)
            if found & (every &<< 7) != 0 { return isPlain(bytes, from: index) }
            index &+= 8
        }
        return isPlain(bytes, from: index)
    }

    private static func isPlain(_ bytes: Span<UInt8>, from start: Int) -> Bool {
        var index = start
        while index < bytes.count {
            let byte = bytes[index]
            if byte < 0x20 || byte >= 0x7F || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return false }
            index &+= 1
        }
        return true
    }

    private static let hexDigits = Array("0123456789abcdef".utf8)
}
