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

    package func field(_ name: StaticString, _ value: String) { field(name, value.utf8Span.span) }

    package func field(_ name: StaticString, _ value: Span<UInt8>) {
        key(name)
        buffer.append(UInt8(ascii: "\""))
        Self.append(escaping: value, to: buffer)
        buffer.append(UInt8(ascii: "\""))
    }

    package func field(_ name: StaticString, constant value: StaticString) {
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
        buffer.append(",\"")
        buffer.append(name)
        buffer.append("\":")
    }

    /// No byte of a peer's may end a line or a string: controls and quotes are escaped, what is not ASCII is kept if it is UTF-8.
    private static func append(escaping bytes: Span<UInt8>, to buffer: ByteBuffer) {
        var isPlain = true
        for index in bytes.indices {
            let byte = bytes[index]
            if byte < 0x20 || byte >= 0x7F || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                isPlain = false
                break
            }
        }
        if isPlain { return buffer.append(bytes) }
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

    private static let hexDigits = Array("0123456789abcdef".utf8)
}
