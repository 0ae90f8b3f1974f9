internal import SluiceCore

/// Header or trailer lines up to and including the blank line that ends them (RFC 9112 §5), read strictly.
enum FieldSection {
    /// Reads lines from `position` on, and leaves it after the blank line.
    ///
    /// - Returns: `nil` if the bytes end before the blank line.
    static func read(
        _ bytes: Span<UInt8>, at position: inout Int, countMax: Int
    ) throws(HeadError) -> HeaderFields? {
        let start = position
        var fields = HeaderFields(reservingBytes: 0, fields: 20)
        let names = FieldNameTable.shared
        while position < bytes.count {
            if bytes[position] == ASCII.carriageReturn {
                let end = position
                guard try endOfLine(bytes, at: &position) else { return nil }
                fields.adopt(bytes.extracting(start..<end))
                return fields
            }
            if fields.count >= countMax { throw .tooManyFields }
            guard try readLine(bytes, at: &position, sectionStart: start, names, into: &fields) else { return nil }
        }
        return nil
    }

    @inline(__always) private static func readLine(
        _ bytes: Span<UInt8>, at position: inout Int, sectionStart: Int, _ names: FieldNameTable,
        into fields: inout HeaderFields
    ) throws(HeadError) -> Bool {
        let colon = bytes.firstIndex(of: UInt8(ascii: ":"), from: position) ?? bytes.count
        let field = names.lookUp(bytes, position..<colon)
        if field == .other {
            // A known name is a token. Another is checked, and so is what there is of one that has not all arrived.
            let end = CharacterClass.firstNotToken(bytes, from: position, to: colon)
            if end < colon || colon == position { throw nameError(bytes, nameStart: position, at: end) }
        }
        if colon == bytes.count { return false }
        var start = colon &+ 1
        while start < bytes.count, isOptionalSpace(bytes[start]) { start &+= 1 }
        var end = start
        while true {
            end = bytes.firstControl(from: end)
            if end == bytes.count { return false }
            if bytes[end] == ASCII.carriageReturn { break }
            if bytes[end] == ASCII.lineFeed { throw .bareLineFeed }
            if bytes[end] != ASCII.tab { throw .invalidFieldValue }
            end &+= 1
        }
        var next = end
        guard try endOfLine(bytes, at: &next) else { return false }
        while end > start, isOptionalSpace(bytes[end &- 1]) { end &-= 1 }
        fields.note(
            field, name: position &- sectionStart..<colon &- sectionStart,
            value: start &- sectionStart..<end &- sectionStart, hasGoodName: true, hasGoodValue: true)
        position = next
        return true
    }

    /// Steps over the CR LF at `position`; `false` if the LF has not arrived.
    @inline(__always) static func endOfLine(_ bytes: Span<UInt8>, at position: inout Int) throws(HeadError) -> Bool {
        if bytes.count &- position < 2 { return false }
        if bytes[position &+ 1] != ASCII.lineFeed { throw .bareCarriageReturn }
        position &+= 2
        return true
    }

    private static func nameError(_ bytes: Span<UInt8>, nameStart: Int, at offset: Int) -> HeadError {
        let byte = bytes[offset]
        if isOptionalSpace(byte) {
            if offset == nameStart { return .foldedLine }
            let end = bytes.extracting(offset...).trimmedPrefixCount
            let colon = offset + end
            return colon < bytes.count && bytes[colon] == UInt8(ascii: ":") ? .spaceBeforeColon : .invalidFieldName
        }
        return byte == ASCII.lineFeed ? .bareLineFeed : .invalidFieldName
    }

    @inline(__always) private static func isOptionalSpace(_ byte: UInt8) -> Bool {
        byte == ASCII.space || byte == ASCII.tab
    }
}

extension Span where Element == UInt8 {
    /// How many spaces and tabs it starts with.
    fileprivate var trimmedPrefixCount: Int { trimmingOptionalWhitespace().lowerBound }
}
