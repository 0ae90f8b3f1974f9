internal import SluiceCore

/// The header or trailer fields of a message, in order; names in lower case.
///
/// All names and values stand in one run of bytes, so a message's fields cost two allocations however many there are.
package struct HeaderFields {
    private struct Entry {
        let field: FieldName
        /// It is known that its name is a token.
        let hasGoodName: Bool
        /// It is known that its value has no control character in it.
        let hasGoodValue: Bool
        var nameStart: UInt32
        let nameLength: UInt32
        var valueStart: UInt32
        let valueLength: UInt32
    }

    /// Filled with zeros behind those that are used: what is written goes where it is to stand, without an append of the array's own.
    private var bytes: [UInt8] = []
    private var usedByteCount = 0
    private var entries: [Entry] = []
    /// Which known fields there are, for a quick no.
    private var present: FieldSet = []

    package init() {}

    package init(reservingBytes byteCount: Int, fields: Int) {
        if byteCount > 0 { bytes = Array(repeating: 0, count: byteCount) }
        entries.reserveCapacity(fields)
    }

    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }

    /// What the fields count against a header list limit: names, values and 32 bytes each (RFC 9113 §6.5.2).
    package var listByteCount: Int {
        var byteCount = 32 * entries.count
        for entry in entries { byteCount += Int(entry.nameLength) + Int(entry.valueLength) }
        return byteCount
    }

    // MARK: Reading

    /// Which known field stands at a position, or `.other`.
    package func field(at index: Int) -> FieldName { entries[index].field }

    @_lifetime(borrow self)
    package func name(at index: Int) -> Span<UInt8> {
        let entry = entries[index]
        let start = Int(entry.nameStart)
        return bytes.span.extracting(start..<start + Int(entry.nameLength))
    }

    @_lifetime(borrow self)
    package func value(at index: Int) -> Span<UInt8> {
        let entry = entries[index]
        let start = Int(entry.valueStart)
        return bytes.span.extracting(start..<start + Int(entry.valueLength))
    }

    package func contains(_ field: FieldName) -> Bool { present.contains(field) }

    /// The position of the first such field.
    package func index(of field: FieldName, from start: Int = 0) -> Int? {
        if !contains(field) { return nil }
        var index = start
        while index < entries.count {
            if entries[index].field == field { return index }
            index += 1
        }
        return nil
    }

    /// The position of the first field of a name that need not be a known one. `lowercaseName` must be in lower case.
    package func index(named lowercaseName: StaticString) -> Int? {
        let byteCount = UInt32(truncatingIfNeeded: lowercaseName.utf8CodeUnitCount)
        for index in entries.indices where entries[index].nameLength == byteCount {
            if name(at: index).equals(lowercaseName) { return index }
        }
        return nil
    }

    /// The first such field's value as text; what is not UTF-8 becomes U+FFFD.
    package func text(_ field: FieldName) -> String? {
        index(of: field).map { String(decoding: value(at: $0)) }
    }

    /// How often the field occurs. `Host` and `Content-Length` more than once are refused by the parsers.
    package func occurrences(of field: FieldName) -> Int {
        if !contains(field) { return 0 }
        var occurrences = 0
        for entry in entries where entry.field == field { occurrences += 1 }
        return occurrences
    }

    /// Whether one of the comma-separated elements of the field's lines is `element`, without regard to case.
    package func list(_ field: FieldName, contains element: StaticString) -> Bool {
        var position = index(of: field)
        while let index = position {
            let line = value(at: index)
            var start = 0
            while start <= line.count {
                let comma = line.firstIndex(of: UInt8(ascii: ","), from: start) ?? line.count
                let part = line.extracting(start..<comma)
                if ASCII.equalsIgnoringCase(part.extracting(part.trimmingOptionalWhitespace()), element) { return true }
                start = comma + 1
            }
            position = self.index(of: field, from: index + 1)
        }
        return false
    }

    /// Writes the fields but those of a set as header lines. Room: `listByteCount` bytes.
    ///
    /// - Returns: how many fields were left out because they cannot be written: a name that is no token, a control character.
    func write(without left: FieldSet, into lines: inout LineWriter) -> Int {
        var refused = 0
        let bytes = bytes.span
        for entry in entries {
            if left.contains(entry.field) { continue }
            let name = bytes.extracting(Int(entry.nameStart)..<Int(entry.nameStart) &+ Int(entry.nameLength))
            let value = bytes.extracting(Int(entry.valueStart)..<Int(entry.valueStart) &+ Int(entry.valueLength))
            if !entry.hasGoodName && !CharacterClass.isToken(name) || !entry.hasGoodValue && !value.isFieldValue {
                refused += 1
            } else {
                lines.write(name, value)
            }
        }
        return refused
    }

    // MARK: Writing

    /// Adds a field as a parser found it: the name is put in lower case, the value is taken as it is.
    package mutating func append(name: Span<UInt8>, value: Span<UInt8>) {
        let field = FieldName.known(name)
        if field != .other { return append(field, value) }
        let start = usedByteCount
        write(name)
        for index in start..<usedByteCount { bytes[index] = bytes[index].asciiLowercased }
        append(value: value, to: field, from: start)
    }

    package mutating func append(_ field: FieldName, _ value: Span<UInt8>) {
        let start = usedByteCount
        let name = field.name
        write(unsafe UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount).span)
        append(value: value, to: field, from: start)
    }

    /// Literals are static strings: not this.
    @_disfavoredOverload package mutating func append(_ field: FieldName, _ value: String) {
        var value = value
        value.withUTF8 { unsafe append(field, $0.span) }
    }

    package mutating func append(_ field: FieldName, _ value: StaticString) {
        append(field, unsafe UnsafeBufferPointer(start: value.utf8Start, count: value.utf8CodeUnitCount).span)
    }

    /// Adds a field of another message as it stands there.
    package mutating func append(fieldAt index: Int, of other: borrowing HeaderFields) {
        // The value stands behind the name, with little or nothing between them: one run of bytes.
        var entry = other.entries[index]
        let start = UInt32(truncatingIfNeeded: usedByteCount)
        let run = Int(entry.nameStart)..<Int(entry.valueStart + entry.valueLength)
        write(other.bytes.span.extracting(run))
        precondition(usedByteCount <= UInt32.max, "fields of \(usedByteCount) bytes")
        entry.valueStart = start + (entry.valueStart - entry.nameStart)
        entry.nameStart = start
        present.insert(entry.field)
        entries.append(entry)
    }

    /// Adds a field by a name that is already in lower case.
    package mutating func append(lowercaseName: StaticString, _ value: String) {
        var value = value
        value.withUTF8 { unsafe append(lowercaseName: lowercaseName, $0.span) }
    }

    /// Adds a field by a name that is already in lower case.
    package mutating func append(lowercaseName: StaticString, _ value: Span<UInt8>) {
        let name = unsafe UnsafeBufferPointer(
            start: lowercaseName.utf8Start, count: lowercaseName.utf8CodeUnitCount)
        let start = usedByteCount
        write(unsafe name.span)
        // A literal: the author's word is good enough.
        assert(unsafe CharacterClass.isToken(name.span), "\(lowercaseName) is no field's name")
        append(value: value, to: unsafe FieldName.known(name.span), from: start, hasGoodName: true)
    }

    /// Adds a number by a name that is already in lower case.
    ///
    /// - Parameter places: so many of its digits stand behind a point; at most 18.
    package mutating func append(lowercaseName: StaticString, decimal number: Int, places: Int = 0) {
        var digits = InlineArray<22, UInt8>(repeating: 0)
        var place = 22
        func put(_ character: UInt8) {
            place -= 1
            digits[place] = character
        }
        var rest = number.magnitude
        var count = 0
        repeat {
            if count == places, places > 0 { put(UInt8(ascii: ".")) }
            put(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
            count += 1
        } while rest > 0 || count <= places
        if number < 0 { put(UInt8(ascii: "-")) }
        append(lowercaseName: lowercaseName, digits.span.extracting(place..<22))
    }

    /// Removes every line of the field.
    package mutating func remove(_ field: FieldName) {
        if !contains(field) { return }
        entries.removeAll { $0.field == field }
        present.remove(field)
    }

    /// Removes every line of a name that need not be a known one. `lowercaseName` must be in lower case.
    package mutating func remove(named lowercaseName: StaticString) {
        while let index = index(named: lowercaseName) {
            let field = entries[index].field
            if field != .other { return remove(field) }
            entries.remove(at: index)
        }
    }

    private mutating func append(value: Span<UInt8>, to field: FieldName, from start: Int, hasGoodName: Bool = false) {
        let name = start..<usedByteCount
        write(value)
        note(
            field, name: name, value: name.upperBound..<usedByteCount, hasGoodName: hasGoodName || field != .other,
            hasGoodValue: false)
    }

    private mutating func write(_ source: Span<UInt8>) {
        let place = usedByteCount
        let end = place + source.count
        if end > bytes.count { makeRoom(end) }
        var space = bytes.mutableSpan
        unsafe source.withUnsafeBytes { from in
            guard let start = from.baseAddress else { return }
            unsafe space.withUnsafeMutableBytes { space in
                unsafe UnsafeMutableRawBufferPointer(rebasing: space[place...]).copyMemory(
                    from: UnsafeRawBufferPointer(start: start, count: from.count))
            }
        }
        usedByteCount = end
    }

    @inline(never) private mutating func makeRoom(_ byteCount: Int) {
        bytes.append(contentsOf: repeatElement(0, count: max(byteCount, bytes.count * 2, Self.byteCountMin) - bytes.count))
    }
    private static let byteCountMin = 128

    // MARK: Filling from a block

    /// Adds a field of a block of bytes that `adopt` brings later.
    ///
    /// - Parameters:
    ///   - hasGoodName: its name is known to be a token.
    ///   - hasGoodValue: its value is known to have no control character.
    @inline(__always) mutating func note(
        _ field: FieldName, name: Range<Int>, value: Range<Int>, hasGoodName: Bool, hasGoodValue: Bool
    ) {
        precondition(value.upperBound <= UInt32.max, "fields of \(value.upperBound) bytes")
        present.insert(field)
        entries.append(
            Entry(
                field: field, hasGoodName: hasGoodName, hasGoodValue: hasGoodValue,
                nameStart: UInt32(truncatingIfNeeded: name.lowerBound),
                nameLength: UInt32(truncatingIfNeeded: name.count),
                valueStart: UInt32(truncatingIfNeeded: value.lowerBound),
                valueLength: UInt32(truncatingIfNeeded: value.count)))
    }

    /// Copies the block in which the noted fields stand, and puts their names in lower case. It had no fields before.
    mutating func adopt(_ block: Span<UInt8>) {
        var copied = Array(copying: block)
        var bytes = copied.mutableSpan
        for index in entries.indices {
            let start = Int(entries[index].nameStart)
            bytes.lowercase(start..<start &+ Int(entries[index].nameLength), of: block)
        }
        self.bytes = copied
        usedByteCount = copied.count
    }
}
