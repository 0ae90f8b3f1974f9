package import SluiceCore

extension JSONValue {
    /// Whether it is that string, however it is escaped.
    package func equals(_ text: StaticString) -> Bool { equals(text.bytes) }

    package func equals(_ text: Span<UInt8>) -> Bool {
        let entry = entry
        return entry.isKind(.string) && isString(entry, text)
    }

    /// A copy of the string, without escapes; `nil` if it is not a string. Half a surrogate pair becomes U+FFFD.
    package var string: String? {
        let entry = entry
        guard entry.isKind(.string) else { return nil }
        if !entry.has(JSONEntry.hasEscapes) { return String(decoding: contents(entry)) }
        let decoded = ByteBuffer(capacity: entry.range.count)
        JSONEscapes.decode(contents(entry), into: decoded)
        return decoded.text
    }

    /// The string's bytes where they lie; `nil` if it is not a string, or if it has escapes.
    package var unescapedBytes: Span<UInt8>? {
        @_lifetime(copy self) get {
            let entry = entry
            if !entry.isKind(.string) || entry.has(JSONEntry.hasEscapes) { return nil }
            return contents(entry)
        }
    }

    /// The bytes between the quotation marks, escapes as they are; `nil` if it is not a string.
    package var escapedBytes: Span<UInt8>? {
        @_lifetime(copy self) get {
            let entry = entry
            return entry.isKind(.string) ? contents(entry) : nil
        }
    }

    /// Appends the string, without escapes. Half a surrogate pair becomes U+FFFD.
    /// - Returns: false, with nothing appended, if it is not a string.
    @discardableResult package func appendString(to buffer: ByteBuffer) -> Bool {
        let entry = entry
        guard entry.isKind(.string) else { return false }
        if entry.has(JSONEntry.hasEscapes) {
            JSONEscapes.decode(contents(entry), into: buffer)
        } else {
            buffer.append(contents(entry))
        }
        return true
    }

    /// Compares a string's entry.
    @inline(__always) func isString(_ entry: JSONEntry, _ text: Span<UInt8>) -> Bool {
        if entry.has(JSONEntry.hasEscapes) { return JSONEscapes.equals(contents(entry), text) }
        return entry.range.count &- 2 == text.count && contents(entry).equals(text)
    }

    /// What is between the quotation marks.
    @_lifetime(copy self)
    @inline(__always) private func contents(_ entry: JSONEntry) -> Span<UInt8> {
        let range = entry.range
        return bytes.extracting(unsafe Range(uncheckedBounds: (range.lowerBound &+ 1, range.upperBound &- 1)))
    }
}

extension StaticString {
    /// The text in UTF-8.
    @inline(__always) var bytes: Span<UInt8> {
        @_lifetime(immortal) get {
            let span = unsafe Span(_unsafeStart: utf8Start, count: utf8CodeUnitCount)
            return unsafe _overrideLifetime(span, copying: ())
        }
    }
}

extension Span where Element == UInt8 {
    @inline(__always) func equals(_ other: Span<UInt8>) -> Bool {
        if count != other.count { return false }
        var index = 0
        while index < count {
            if unsafe self[unchecked: index] != other[unchecked: index] { return false }
            index &+= 1
        }
        return true
    }
}
