internal import SluiceCore

/// A hash table of the known names: length and three letters, then one comparison, eight bytes at a time.
struct FieldNameTable: Sendable {
    static let shared = FieldNameTable()
    private static let slotCount = 1024
    private static let wordsPerName = 4
    private static let nameBytesMax = wordsPerName * 8

    /// The number of the field, 0 for none; a full slot is followed by the next one.
    private let slots: [UInt8]
    private let lengths: [UInt8]
    /// Each name in words, zeros after its end.
    private let names: [UInt64]
    /// The bits of those words that may be different: that of the case, in letters.
    private let caseBits: [UInt64]

    init() {
        var slots = [UInt8](repeating: 0, count: Self.slotCount)
        var lengths = [UInt8](repeating: 0, count: FieldName.allCases.count)
        var names = [UInt64](repeating: 0, count: FieldName.allCases.count * Self.wordsPerName)
        var caseBits = names
        for field in FieldName.allCases where field != .other {
            let name = unsafe UnsafeBufferPointer(start: field.name.utf8Start, count: field.name.utf8CodeUnitCount).span
            precondition(name.count <= Self.nameBytesMax, "\(field) is too long for the table")
            lengths[Int(field.rawValue)] = UInt8(name.count)
            for index in name.indices {
                let word = Int(field.rawValue) * Self.wordsPerName + index / 8
                names[word] |= UInt64(name[index]) << UInt64(index % 8 * 8)
                if name[index].isASCIILetter { caseBits[word] |= 0x20 << UInt64(index % 8 * 8) }
            }
            var slot = Self.hash(name, 0..<name.count)
            while slots[slot] != 0 { slot = (slot + 1) % Self.slotCount }
            slots[slot] = field.rawValue
        }
        self.slots = slots
        self.lengths = lengths
        self.names = names
        self.caseBits = caseBits
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
        while slots[slot] != 0 {
            let number = Int(slots[slot])
            if Int(lengths[number]) == name.count, matches(bytes, name, number) {
                return FieldName(rawValue: slots[slot]) ?? .other
            }
            slot = (slot + 1) % Self.slotCount
        }
        return .other
    }

    @inline(__always) private func matches(_ bytes: Span<UInt8>, _ name: Range<Int>, _ number: Int) -> Bool {
        var row = number * Self.wordsPerName
        var offset = name.lowerBound
        while offset < name.upperBound {
            let word = bytes.word(at: offset, atMost: name.upperBound &- offset)
            if (word ^ names[row]) & ~caseBits[row] != 0 { return false }
            row &+= 1
            offset &+= 8
        }
        return true
    }
}
