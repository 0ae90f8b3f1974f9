internal import SluiceCore

/// A hash table of the known names: length and three letters, then one comparison, eight bytes at a time.
///
/// `@unchecked Sendable`: nothing of it changes once it is made.
@safe struct FieldNameTable: @unchecked Sendable {
    static let shared = FieldNameTable()
    private static let slotCount = 1024
    private static let wordsPerName = 4
    private static let nameBytesMax = wordsPerName * 8

    private struct Row {
        /// The name in words, zeros after its end.
        var name = InlineArray<4, UInt64>(repeating: 0)
        /// The bits of those words that may be different: that of the case, in letters.
        var caseBits = InlineArray<4, UInt64>(repeating: 0)
        var byteCount = 0
        var field = FieldName.other
    }

    /// The number of the field, 0 for none; a full slot is followed by the next one. Never freed: there is one table.
    private let slots: UnsafePointer<UInt8>
    private let rows: UnsafePointer<Row>

    init() {
        let slots = UnsafeMutablePointer<UInt8>.allocate(capacity: Self.slotCount)
        unsafe slots.initialize(repeating: 0, count: Self.slotCount)
        let rows = UnsafeMutablePointer<Row>.allocate(capacity: FieldName.allCases.count)
        unsafe rows.initialize(repeating: Row(), count: FieldName.allCases.count)
        for field in FieldName.allCases where field != .other {
            let name = unsafe UnsafeBufferPointer(start: field.name.utf8Start, count: field.name.utf8CodeUnitCount).span
            precondition(name.count <= Self.nameBytesMax, "\(field) is too long for the table")
            var row = Row()
            row.byteCount = name.count
            row.field = field
            for index in name.indices {
                row.name[index / 8] |= UInt64(name[index]) << UInt64(index % 8 * 8)
                if name[index].isASCIILetter { row.caseBits[index / 8] |= 0x20 << UInt64(index % 8 * 8) }
            }
            unsafe rows[Int(field.rawValue)] = row
            var slot = Self.hash(name, 0..<name.count)
            while unsafe slots[slot] != 0 { slot = (slot + 1) % Self.slotCount }
            unsafe slots[slot] = field.rawValue
        }
        unsafe self.slots = UnsafePointer(slots)
        unsafe self.rows = UnsafePointer(rows)
    }

    @inline(__always) private static func hash(_ bytes: Span<UInt8>, _ name: Range<Int>) -> Int {
        let first = Int(bytes[name.lowerBound] | 0x20)
        let last = Int(bytes[name.upperBound &- 1] | 0x20)
        let middle = Int(bytes[name.lowerBound &+ name.count / 2] | 0x20)
        return (name.count &* 131 &+ first &* 37 &+ last &* 71 &+ middle &* 11) & (slotCount - 1)
    }

    /// Which field the name is that stands in a part of `bytes`.
    func lookUp(_ bytes: Span<UInt8>, _ name: Range<Int>) -> FieldName {
        if name.isEmpty || name.count > Self.nameBytesMax { return .other }
        var slot = Self.hash(bytes, name)
        while true {
            let number = unsafe slots[slot]
            if number == 0 { return .other }
            if unsafe rows[Int(number)].byteCount == name.count, matches(bytes, name, Int(number)) {
                return unsafe rows[Int(number)].field
            }
            slot = (slot &+ 1) & (Self.slotCount - 1)
        }
    }

    @inline(__always) private func matches(_ bytes: Span<UInt8>, _ name: Range<Int>, _ number: Int) -> Bool {
        let row = unsafe rows + number
        var word = 0
        var offset = name.lowerBound
        while offset < name.upperBound {
            let found = bytes.word(at: offset, atMost: name.upperBound &- offset)
            if unsafe (found ^ row.pointee.name[word]) & ~row.pointee.caseBits[word] != 0 { return false }
            word &+= 1
            offset &+= 8
        }
        return true
    }
}
