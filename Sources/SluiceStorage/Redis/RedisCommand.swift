package import SluiceCore

/// One command with its arguments, in the form in which it is sent (RESP2: an array of bulk strings).
package struct RedisCommand {
    let name: StaticString
    /// The arguments after the name, each as `$5\r\nhello\r\n`.
    private let encoded: ByteBuffer
    private(set) var argumentCount = 0
    /// Where in `encoded` the key is that decides which node of a cluster is asked.
    private var key: Range<Int>?
    /// The script that is named by its hash.
    private var script: RedisScript?

    /// - Parameters:
    ///   - key: the first argument; it decides which node of a cluster is asked. Without a key any of them is.
    ///   - byteCount: how long the arguments will be, about.
    package init(_ name: StaticString, key: String? = nil, reserving byteCount: Int = 96) {
        self.name = name
        encoded = ByteBuffer(capacity: byteCount)
        if let key { append(key: key) }
    }

    /// A script by its hash: its keys come next, then its arguments.
    package init(_ script: RedisScript, keyCount: Int, reserving byteCount: Int = 256) {
        name = "EVALSHA"
        encoded = ByteBuffer(capacity: byteCount)
        self.script = script
        argumentCount = 1
        encoded.append(script.argument.span)
        append(keyCount)
    }

    var isScript: Bool { script != nil }

    /// The same with the whole script, for a server that does not have it; `nil` for what is no script.
    var whole: RedisCommand? {
        guard let script else { return nil }
        var whole = RedisCommand("EVAL", reserving: encoded.count + script.source.utf8CodeUnitCount + 32)
        whole.append(script.source)
        // What follows the hash is the same.
        let rest = script.argument.count
        let shift = whole.encoded.count - rest
        whole.encoded.append(encoded.span.extracting(rest...))
        whole.argumentCount = argumentCount
        whole.key = key.map { $0.lowerBound + shift..<$0.upperBound + shift }
        return whole
    }

    /// Literals are static strings: not this.
    @_disfavoredOverload package mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { unsafe append($0.span) }
    }

    package mutating func append(_ text: StaticString) { append(text.utf8CodeUnitCount) { $0.append(text) } }

    package mutating func append(_ number: Int) {
        let byteCount = ASCII.decimalDigitCount(number.magnitude) + (number < 0 ? 1 : 0)
        append(byteCount) { $0.append(decimal: number) }
    }

    package mutating func append(_ bytes: Span<UInt8>) {
        begin(bytes.count)
        encoded.append(bytes)
        endLine()
    }

    /// Appends an argument where it is to stand, without a copy of it anywhere else.
    ///
    /// - Parameter write: appends `byteCount` bytes.
    package mutating func append(_ byteCount: Int, isKey: Bool = false, _ write: (ByteBuffer) -> Void) {
        begin(byteCount)
        let start = encoded.count
        write(encoded)
        precondition(encoded.count - start == byteCount, "an argument of \(encoded.count - start) bytes, not \(byteCount)")
        if isKey { key = start..<encoded.count }
        endLine()
    }

    /// Appends a key that is not the first argument, as of `EVALSHA`.
    package mutating func append(key text: String) {
        append(text.utf8.count, isKey: true) { $0.append(text) }
    }

    /// How many bytes are sent, about.
    var byteCount: Int { encoded.count + name.utf8CodeUnitCount + 32 }

    /// The hash slot of the key; `nil` if there is no key.
    var slot: Int? { key.map { RedisSlot.of(encoded.span.extracting($0)) } }

    /// Appends the command as it is sent.
    func write(to buffer: ByteBuffer) {
        buffer.reserve(byteCount)
        buffer.append(UInt8(ascii: "*"))
        buffer.append(decimal: argumentCount + 1)
        buffer.append("\r\n$")
        buffer.append(decimal: name.utf8CodeUnitCount)
        buffer.append("\r\n")
        buffer.append(name)
        buffer.append("\r\n")
        buffer.append(encoded.span)
    }

    private mutating func begin(_ byteCount: Int) {
        argumentCount += 1
        encoded.append(UInt8(ascii: "$"))
        encoded.append(decimal: byteCount)
        endLine()
    }

    private func endLine() {
        encoded.append(ASCII.carriageReturn)
        encoded.append(ASCII.lineFeed)
    }
}
