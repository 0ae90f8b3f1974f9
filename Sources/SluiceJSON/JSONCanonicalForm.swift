package import SluiceCore

/// One spelling for all documents that say the same: members sorted by name, no white space, numbers and strings written in one way
/// (as RFC 8785 has it, but for numbers, which keep all their digits).
///
/// What readers may understand differently stays apart: members that occur twice keep their order, and half a surrogate pair stays
/// as it is written.
package struct JSONCanonicalForm {
    /// Indexes of keys, of all objects that are open.
    private var keys: [Int] = []
    private let text = ByteBuffer(capacity: 256)
    /// An exponent of more digits is kept as it is written: no number that is meant has one.
    private static let exponentDigitsMax = 12
    private static let nothing = [] as JSONNames

    package init() {}

    package mutating func append(_ value: JSONValue, to buffer: ByteBuffer) {
        switch value.kind {
        case .object: append(membersOf: value, except: Self.nothing, to: buffer)
        case .array:
            buffer.append(UInt8(ascii: "["))
            var elements = value.elements
            var isFirst = true
            while let element = elements.next() {
                if !isFirst { buffer.append(UInt8(ascii: ",")) }
                isFirst = false
                append(element, to: buffer)
            }
            buffer.append(UInt8(ascii: "]"))
        case .string: append(string: value, to: buffer)
        case .number: Self.append(number: value.rawBytes, to: buffer)
        case .boolean, .null: buffer.append(value.rawBytes)
        }
    }

    /// Appends an object without some of its members.
    package mutating func append(membersOf object: JSONValue, except names: JSONNames, to buffer: ByteBuffer) {
        let base = keys.count
        var members = object.members
        var hasEscapes = false
        while let member = members.next() {
            if names.contains(member) { continue }
            keys.append(member.index)
            if member.key.unescapedBytes == nil { hasEscapes = true }
        }
        if hasEscapes { sortDecoded(from: base, object) } else { sort(from: base, object) }
        buffer.append(UInt8(ascii: "{"))
        let count = keys.count - base
        for position in 0..<count {
            if position > 0 { buffer.append(UInt8(ascii: ",")) }
            let index = keys[base + position]
            append(string: object.sibling(index), to: buffer)
            buffer.append(UInt8(ascii: ":"))
            append(object.sibling(index &+ 1), to: buffer)
        }
        buffer.append(UInt8(ascii: "}"))
        keys.removeLast(count)
    }

    // MARK: Order

    /// Above so many members a sort that takes less time for many of them.
    private static let insertedAtMost = 24

    private mutating func sort(from base: Int, _ object: JSONValue) {
        let count = keys.count - base
        if count > Self.insertedAtMost { return heapSort(from: base, count, object) }
        for position in stride(from: 1, to: count, by: 1) {
            let key = keys[base + position]
            var at = position
            while at > 0, Self.isBefore(key, keys[base + at - 1], object) {
                keys[base + at] = keys[base + at - 1]
                at -= 1
            }
            keys[base + at] = key
        }
    }

    /// By what the names say: they are written out first, since that is looked at many times.
    private mutating func sortDecoded(from base: Int, _ object: JSONValue) {
        var names: [(text: [UInt8], index: Int)] = []
        for index in keys[base...] {
            text.removeAll()
            object.sibling(index).appendString(to: text)
            names.append(((0..<text.count).map { text[$0] }, index))
        }
        names.sort { a, b in a.text == b.text ? a.index < b.index : a.text.lexicographicallyPrecedes(b.text) }
        for (place, name) in names.enumerated() { keys[base + place] = name.index }
    }

    private mutating func heapSort(from base: Int, _ count: Int, _ object: JSONValue) {
        for start in stride(from: count / 2 - 1, through: 0, by: -1) { sift(base, start, count, object) }
        for end in stride(from: count - 1, to: 0, by: -1) {
            keys.swapAt(base, base + end)
            sift(base, 0, end, object)
        }
    }

    private mutating func sift(_ base: Int, _ start: Int, _ end: Int, _ object: JSONValue) {
        var root = start
        while true {
            var child = 2 * root + 1
            if child >= end { return }
            if child + 1 < end, Self.isBefore(keys[base + child], keys[base + child + 1], object) { child += 1 }
            if !Self.isBefore(keys[base + root], keys[base + child], object) { return }
            keys.swapAt(base + root, base + child)
            root = child
        }
    }

    /// By the bytes of the names, none of which has escapes; the same name twice, by place.
    private static func isBefore(_ a: Int, _ b: Int, _ object: JSONValue) -> Bool {
        let one = object.sibling(a).rawBytes
        let other = object.sibling(b).rawBytes
        var at = 1
        // Without the last quotation mark: a shorter name comes before a longer one that begins with it.
        let end = min(one.count, other.count) - 1
        while at < end {
            if one[at] != other[at] { return one[at] < other[at] }
            at &+= 1
        }
        return one.count != other.count ? one.count < other.count : a < b
    }

    // MARK: Scalars

    private func append(string value: JSONValue, to buffer: ByteBuffer) {
        guard value.unescapedBytes == nil else {
            // No escapes, and so already in its one spelling.
            buffer.append(value.rawBytes)
            return
        }
        text.removeAll()
        value.appendString(to: text)
        if Self.hasReplacement(text.span) {
            buffer.append(value.rawBytes)
        } else {
            JSONText.writeQuoted(text.span, to: buffer)
        }
    }

    /// Whether there is a U+FFFD: it may stand for half a surrogate pair, and those are not all the same.
    private static func hasReplacement(_ text: Span<UInt8>) -> Bool {
        var at = 2
        while at < text.count {
            if text[at] == 0xBD, text[at - 1] == 0xBF, text[at - 2] == 0xEF { return true }
            at &+= 1
        }
        return false
    }

    /// Its digits without the zeros that say nothing, and an exponent: 1, 1.0 and 10e-1 are all `1e0`.
    private static func append(number text: Span<UInt8>, to buffer: ByteBuffer) {
        var first = -1  // the places of the first and the last digit that is not 0
        var last = -1
        var end = text.count
        var fraction = -1
        for index in text.indices {
            let byte = text[index]
            if byte == UInt8(ascii: ".") {
                fraction = index
            } else if byte | 0x20 == UInt8(ascii: "e") {
                end = index
                break
            } else if byte != UInt8(ascii: "0"), byte.decimalDigitValue != nil {
                if first < 0 { first = index }
                last = index
            }
        }
        if first < 0 { return buffer.append(UInt8(ascii: "0")) }
        guard var exponent = exponent(text, from: end) else { return buffer.append(text) }
        let point = fraction < 0 ? end : fraction
        exponent += last < point ? point - last - 1 : point - last
        if text[0] == UInt8(ascii: "-") { buffer.append(UInt8(ascii: "-")) }
        for index in first...last where index != fraction { buffer.append(text[index]) }
        buffer.append(UInt8(ascii: "e"))
        buffer.append(decimal: exponent)
    }

    /// - Parameter start: where the `e` stands, or the end of the number.
    private static func exponent(_ text: Span<UInt8>, from start: Int) -> Int? {
        if text.count - start > exponentDigitsMax { return nil }
        var exponent = 0
        var isNegative = false
        for index in start..<text.count {
            if let digit = text[index].decimalDigitValue { exponent = exponent * 10 + Int(digit) }
            if text[index] == UInt8(ascii: "-") { isNegative = true }
        }
        return isNegative ? -exponent : exponent
    }
}
