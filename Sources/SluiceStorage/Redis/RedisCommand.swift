internal import SluiceCore

/// One command with its arguments, in the form in which it is sent (RESP2: an array of bulk strings).
package struct RedisCommand: Sendable {
    let name: StaticString
    /// The arguments after the name, each as `$5\r\nhello\r\n`.
    private(set) var encoded: [UInt8] = []
    private(set) var argumentCount = 0
    /// Where in `encoded` the key is that decides which node of a cluster is asked.
    private var key: Range<Int>?

    /// - Parameter key: the first argument; it decides which node of a cluster is asked. Without a key any of them is.
    package init(_ name: StaticString, key: String? = nil) {
        self.name = name
        encoded.reserveCapacity(96)
        if let key { append(key: key) }
    }

    package mutating func append(_ text: String) { append(text.utf8Span.span) }

    package mutating func append(_ text: StaticString) {
        begin(text.utf8CodeUnitCount)
        unsafe encoded.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
        endLine()
    }

    package mutating func append(_ number: Int) {
        begin(ASCII.decimalDigitCount(number.magnitude) + (number < 0 ? 1 : 0))
        appendDigits(number)
        endLine()
    }

    package mutating func append(_ bytes: Span<UInt8>) {
        begin(bytes.count)
        unsafe bytes.withUnsafeBufferPointer { unsafe encoded.append(contentsOf: $0) }
        endLine()
    }

    /// Appends a key that is not the first argument, as of `EVALSHA`.
    package mutating func append(key text: String) {
        append(text)
        let end = encoded.count - 2
        key = end - text.utf8.count..<end
    }

    /// How many bytes are sent, about.
    var byteCount: Int { encoded.count + name.utf8CodeUnitCount + 32 }

    /// The hash slot of the key; `nil` if there is no key.
    var slot: Int? { key.map { RedisSlot.of(encoded.span.extracting($0)) } }

    /// Appends the command as it is sent.
    func write(to buffer: ByteBuffer) {
        buffer.append(UInt8(ascii: "*"))
        buffer.append(decimal: argumentCount + 1)
        buffer.append("\r\n$" as StaticString)
        buffer.append(decimal: name.utf8CodeUnitCount)
        buffer.append("\r\n" as StaticString)
        buffer.append(name)
        buffer.append("\r\n" as StaticString)
        buffer.append(encoded.span)
    }

    private mutating func begin(_ byteCount: Int) {
        argumentCount += 1
        encoded.append(UInt8(ascii: "$"))
        appendDigits(byteCount)
        endLine()
    }

    private mutating func endLine() {
        encoded.append(ASCII.carriageReturn)
        encoded.append(ASCII.lineFeed)
    }

    private mutating func appendDigits(_ number: Int) {
        if number < 0 { encoded.append(UInt8(ascii: "-")) }
        var rest = number.magnitude
        let end = encoded.count + ASCII.decimalDigitCount(rest)
        for _ in encoded.count..<end { encoded.append(UInt8(ascii: "0")) }
        var at = end
        while rest > 0 {
            at -= 1
            encoded[at] = UInt8(ascii: "0") + UInt8(rest % 10)
            rest /= 10
        }
    }
}
