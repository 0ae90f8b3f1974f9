internal import SluiceCore

/// The fields of an `application/x-www-form-urlencoded` body (WHATWG URL §5.1), in order, decoded.
///
/// Bytes, not text: what was encoded need not be UTF-8. Time is linear in the body.
package struct URLEncodedForm: Sendable {
    /// How many fields a form may have.
    package static let fieldsMax = 1000

    private struct Entry {
        let start: Int
        let nameEnd: Int
        let end: Int
    }
    private var decoded: [UInt8] = []
    private var entries: [Entry] = []

    package init(_ body: Span<UInt8>) throws(FormError) {
        decoded.reserveCapacity(body.count)
        var position = 0
        while let pair = Self.nextPair(body, from: &position) {
            if entries.count == Self.fieldsMax { throw .tooManyFields }
            let start = decoded.count
            PercentCoding.append(body.extracting(pair.lowerBound..<pair.nameEnd), isForm: true, to: &decoded)
            let nameEnd = decoded.count
            PercentCoding.append(body.extracting(pair.valueStart..<pair.upperBound), isForm: true, to: &decoded)
            entries.append(Entry(start: start, nameEnd: nameEnd, end: decoded.count))
        }
    }

    package var count: Int { entries.count }

    @_lifetime(borrow self)
    package func name(at index: Int) -> Span<UInt8> {
        decoded.span.extracting(entries[index].start..<entries[index].nameEnd)
    }

    @_lifetime(borrow self)
    package func value(at index: Int) -> Span<UInt8> {
        decoded.span.extracting(entries[index].nameEnd..<entries[index].end)
    }

    /// The position of the first field of that name.
    package func index(named name: StaticString) -> Int? {
        for index in entries.indices where self.name(at: index).equals(name) { return index }
        return nil
    }

    /// The first such field's value as text; what is not UTF-8 becomes U+FFFD.
    package func text(_ name: StaticString) -> String? {
        index(named: name).map { String(decoding: value(at: $0)) }
    }

    /// The same for a single field, without reading the others: for queries.
    static func firstValue(of name: StaticString, in body: Span<UInt8>) -> [UInt8]? {
        var position = 0
        var decoded: [UInt8] = []
        while let pair = nextPair(body, from: &position) {
            decoded.removeAll(keepingCapacity: true)
            PercentCoding.append(body.extracting(pair.lowerBound..<pair.nameEnd), isForm: true, to: &decoded)
            if !decoded.span.equals(name) { continue }
            decoded.removeAll(keepingCapacity: true)
            PercentCoding.append(body.extracting(pair.valueStart..<pair.upperBound), isForm: true, to: &decoded)
            return decoded
        }
        return nil
    }

    private struct Pair {
        let lowerBound: Int
        let nameEnd: Int
        let valueStart: Int
        let upperBound: Int
    }

    /// The next `name=value` between ampersands; empty ones are passed over.
    private static func nextPair(_ body: Span<UInt8>, from position: inout Int) -> Pair? {
        while position < body.count {
            let start = position
            let end = body.firstIndex(of: UInt8(ascii: "&"), from: start) ?? body.count
            position = end + 1
            if end == start { continue }
            let equals = body.extracting(start..<end).firstIndex(of: UInt8(ascii: "=")).map { $0 + start }
            return Pair(
                lowerBound: start, nameEnd: equals ?? end, valueStart: equals.map { $0 + 1 } ?? end, upperBound: end)
        }
        return nil
    }
}
