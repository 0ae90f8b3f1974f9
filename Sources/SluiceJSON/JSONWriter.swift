package import SluiceCore

/// Writes one JSON document to the end of a buffer. Commas and colons are its affair.
///
/// Allocates nothing but the buffer's growth. A call that would not make JSON (a value without a key in an object, an
/// end without a beginning) traps in debug builds.
package struct JSONWriter {
    let buffer: ByteBuffer
    private var needsComma = false
    /// For the checks of debug builds: whether a key waits for its value, and what is open, innermost in the lowest
    /// bit.
    private var hasKey = false
    private var objects: UInt64 = 0
    private var depth = 0

    package init(into buffer: ByteBuffer) { self.buffer = buffer }

    // MARK: Containers

    package mutating func beginObject() { begin(UInt8(ascii: "{"), isObject: true) }
    package mutating func endObject() { end(UInt8(ascii: "}"), isObject: true) }
    package mutating func beginArray() { begin(UInt8(ascii: "["), isObject: false) }
    package mutating func endArray() { end(UInt8(ascii: "]"), isObject: false) }

    /// Writes an object with the members that `members` writes.
    package mutating func object(_ members: (inout JSONWriter) -> Void) {
        beginObject()
        members(&self)
        endObject()
    }

    /// Writes an array with the elements that `elements` writes.
    package mutating func array(_ elements: (inout JSONWriter) -> Void) {
        beginArray()
        elements(&self)
        endArray()
    }

    /// A member's key, which is written as it stands: it must not need an escape.
    package mutating func key(_ key: StaticString) {
        assert(PlainText.isPlain(key.bytes), "the key \(key) needs escapes")
        beginKey()
        buffer.append(UInt8(ascii: "\""))
        buffer.append(key)
        buffer.append("\":" as StaticString)
    }

    /// A member's key that is known at run time only, in UTF-8 and without escapes.
    package mutating func key(_ key: Span<UInt8>) {
        beginKey()
        JSONText.writeQuoted(key, to: buffer)
        buffer.append(UInt8(ascii: ":"))
    }

    // MARK: Values

    package mutating func int(_ number: Int) {
        beginValue()
        buffer.append(decimal: number)
    }

    /// The shortest number that reads back as the same double; null for an infinity and for what is not a number.
    package mutating func double(_ number: Double) {
        guard number.isFinite else { return null() }
        beginValue()
        buffer.append(number.description)
    }

    package mutating func bool(_ value: Bool) {
        beginValue()
        buffer.append(value ? "true" as StaticString : "false" as StaticString)
    }

    package mutating func null() {
        beginValue()
        buffer.append("null" as StaticString)
    }

    /// A string with the escapes it needs; what is not UTF-8 becomes U+FFFD.
    package mutating func string(_ text: Span<UInt8>) {
        beginValue()
        JSONText.writeQuoted(text, to: buffer)
    }

    package mutating func string(_ text: String) { string(text.utf8Span.span) }

    /// A string that is a literal in the source.
    package mutating func string(_ text: StaticString) { string(text.bytes) }

    /// A string whose inside is known, escapes as they are.
    package mutating func string(escaped contents: Span<UInt8>) {
        beginValue()
        buffer.append(UInt8(ascii: "\""))
        buffer.append(contents)
        buffer.append(UInt8(ascii: "\""))
    }

    /// A value that is a JSON text already, written as it stands.
    package mutating func raw(_ json: Span<UInt8>) {
        beginValue()
        buffer.append(json)
    }

    /// A value of another document, with the bytes it has there.
    package mutating func value(_ value: JSONValue) { raw(value.rawBytes) }

    // MARK: A string in parts

    /// Starts a string that comes in parts: only `appendToString` and `endString` may follow.
    package mutating func beginString() {
        beginValue()
        buffer.append(UInt8(ascii: "\""))
    }

    /// A part of a string: whole characters, not cut within one.
    package func appendToString(_ text: Span<UInt8>) { JSONText.write(text, to: buffer) }

    /// What a string of another document says, with the escapes it has there; nothing if the value is not a string.
    package func appendToString(contentsOf value: JSONValue) {
        if let escaped = value.escapedBytes { buffer.append(escaped) }
    }

    package func endString() { buffer.append(UInt8(ascii: "\"")) }

    // MARK: The state

    /// Whether exactly one value was written, to its end. Known in debug builds and release builds alike.
    package var isComplete: Bool { depth == 0 && needsComma }

    @inline(__always) private mutating func beginValue() {
        assert(depth == 0 ? !needsComma : !isInObject || hasKey, "a value was written where none can stand")
        if needsComma { buffer.append(UInt8(ascii: ",")) }
        needsComma = true
        hasKey = false
    }

    @inline(__always) private mutating func beginKey() {
        assert(depth > 0 && isInObject && !hasKey, "a key was written where none can stand")
        if needsComma { buffer.append(UInt8(ascii: ",")) }
        needsComma = false
        hasKey = true
    }

    private mutating func begin(_ bracket: UInt8, isObject: Bool) {
        beginValue()
        buffer.append(bracket)
        assert(depth < 64, "more containers are open than the writer keeps track of")
        needsComma = false
        objects = objects << 1 | (isObject ? 1 : 0)
        depth += 1
    }

    private mutating func end(_ bracket: UInt8, isObject: Bool) {
        assert(depth > 0 && isInObject == isObject && !hasKey, "a container was ended that is not open")
        buffer.append(bracket)
        needsComma = true
        objects >>= 1
        depth -= 1
    }

    private var isInObject: Bool { objects & 1 == 1 }
}
