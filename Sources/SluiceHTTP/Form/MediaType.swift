internal import SluiceCore

/// `type/subtype; name=value` and the like: `Content-Type`, `Content-Disposition` (RFC 9110 §8.3.1, RFC 6266 §4.1).
enum MediaType {
    /// Whether the value before the parameters is `text`, which is in lower case.
    static func isType(_ value: Span<UInt8>, _ text: StaticString) -> Bool {
        let end = value.firstIndex(of: UInt8(ascii: ";")) ?? value.count
        let type = value.extracting(0..<end)
        return ASCII.equalsIgnoringCase(type.extracting(type.trimmingOptionalWhitespace()), text)
    }

    /// The value of a parameter, without quotes and the backslashes between them; `nil` if there is none that is well
    /// formed.
    static func parameter(_ name: StaticString, of value: Span<UInt8>) -> [UInt8]? {
        var position = value.firstIndex(of: UInt8(ascii: ";")) ?? value.count
        while position < value.count {
            position = skipSpace(value, from: position + 1)
            let nameEnd = CharacterClass.token.firstOutside(value, from: position, to: value.count)
            let isWanted = ASCII.equalsIgnoringCase(value.extracting(position..<nameEnd), name)
            position = skipSpace(value, from: nameEnd)
            guard position < value.count else { return nil }
            if value[position] == UInt8(ascii: ";") { continue }
            if value[position] != UInt8(ascii: "=") { return nil }
            position = skipSpace(value, from: position + 1)
            guard let text = text(value, at: &position) else { return nil }
            if isWanted { return text }
            position = skipSpace(value, from: position)
            if position < value.count, value[position] != UInt8(ascii: ";") { return nil }
        }
        return nil
    }

    private static func text(_ value: Span<UInt8>, at position: inout Int) -> [UInt8]? {
        if position < value.count, value[position] == UInt8(ascii: "\"") { return quoted(value, at: &position) }
        let start = position
        // Boundaries are often sent with characters that only a quoted string may have.
        while position < value.count, value[position] != UInt8(ascii: ";"), !isSpace(value[position]) { position += 1 }
        return position == start ? nil : Array(copying: value.extracting(start..<position))
    }

    private static func quoted(_ value: Span<UInt8>, at position: inout Int) -> [UInt8]? {
        var text: [UInt8] = []
        position += 1
        while position < value.count {
            var byte = value[position]
            position += 1
            if byte == UInt8(ascii: "\"") { return text }
            // Browsers used to send Windows paths as they were: a backslash quotes only what needs quoting.
            if byte == UInt8(ascii: "\\"), position < value.count, Self.needsQuoting(value[position]) {
                byte = value[position]
                position += 1
            }
            text.append(byte)
        }
        return nil
    }

    private static func needsQuoting(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") }

    private static func skipSpace(_ value: Span<UInt8>, from start: Int) -> Int {
        var index = start
        while index < value.count, isSpace(value[index]) { index += 1 }
        return index
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == ASCII.space || byte == ASCII.tab }
}
