internal import Glibc
internal import SluiceCore

/// A document that was scanned once, with holes where only the text of a string may differ.
///
/// The events of a stream are alike but for a few words. One that has the same bytes around its holes, and well-formed string text in
/// them, is valid JSON with the same members and values as the one that was scanned: comparing says so at a fraction of what
/// scanning costs.
package struct JSONTemplate: Sendable {
    private var document: [UInt8] = []
    /// The contents of strings, without their quotation marks, in order.
    private var holes: [Range<Int>] = []

    package init() {}

    package var isEmpty: Bool { document.isEmpty }

    /// Takes a document that `JSONTape.scan` has accepted.
    ///
    /// - Parameter strings: the ranges of whole string values, quotation marks included, in order and apart from each other.
    package init(_ scanned: Span<UInt8>, strings: [Range<Int>]) {
        document.reserveCapacity(scanned.count)
        for index in scanned.indices { document.append(scanned[index]) }
        for range in strings { holes.append(range.lowerBound + 1..<range.upperBound - 1) }
    }

    /// How many bytes stand after the last hole.
    package var tailByteCount: Int { document.count - (holes.last?.upperBound ?? 0) }

    /// How many bytes the document has when nothing is in its holes.
    package var emptyByteCount: Int { document.count - holes.reduce(0) { $0 + $1.count } }

    /// What is in a hole of a document that matches.
    ///
    /// - Parameter hole: counts from 0.
    /// - Returns: `nil` for a document that does not match after all.
    package func text(_ hole: Int, of other: Span<UInt8>) -> Range<Int>? {
        guard holes.indices.contains(hole) else { return nil }
        let tail = tailByteCount
        return unsafe other.withUnsafeBufferPointer { bytes -> Range<Int>? in
            guard let base = bytes.baseAddress else { return nil }
            var at = 0
            var from = 0
            for index in 0...hole {
                at += holes[index].lowerBound - from
                from = holes[index].upperBound
                let isLast = index + 1 == holes.count
                guard at <= bytes.count,
                    let end = isLast
                        ? bytes.count - tail : unsafe Self.endOfText(base, from: at, end: bytes.count),
                    end >= at
                else { return nil }
                if index == hole { return at..<end }
                at = end
            }
            return nil
        }
    }

    /// Whether `other` is the document but for the text in its holes.
    package func matches(_ other: Span<UInt8>) -> Bool {
        if document.isEmpty { return false }
        return unsafe other.withUnsafeBufferPointer { bytes in
            unsafe document.withUnsafeBufferPointer { unsafe matches(bytes, $0) }
        }
    }

    private func matches(_ other: UnsafeBufferPointer<UInt8>, _ document: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let base = other.baseAddress, let template = document.baseAddress else { return false }
        var at = 0
        var from = 0
        for hole in holes {
            let length = hole.lowerBound - from
            if unsafe other.count - at < length || memcmp(base + at, template + from, length) != 0 { return false }
            at += length
            guard let end = unsafe Self.endOfText(base, from: at, end: other.count) else { return false }
            at = end
            from = hole.upperBound
        }
        let length = document.count - from
        return unsafe other.count - at == length && memcmp(base + at, template + from, length) == 0
    }

    /// Where the quotation mark stands that ends string text; `nil` if the text is not well formed or does not end.
    private static func endOfText(_ base: UnsafePointer<UInt8>, from start: Int, end: Int) -> Int? {
        var at = start
        while true {
            at = unsafe PlainText.end(base, from: at, end: end)
            if at >= end { return nil }
            let byte = unsafe base[at]
            if byte == UInt8(ascii: "\"") { return at }
            if byte >= 0x80 {
                let next = unsafe UTF8Sequence.endOfRun(base, from: at, end: end)
                if next == at { return nil }
                at = next
            } else {
                guard byte == UInt8(ascii: "\\"), let next = unsafe endOfEscape(base, at, end) else { return nil }
                at = next
            }
        }
    }

    private static func endOfEscape(_ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Int? {
        if end - start < 2 { return nil }
        switch unsafe base[start + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            return start + 2
        case UInt8(ascii: "u"):
            if end - start < 6 { return nil }
            for index in start + 2..<start + 6 where unsafe base[index].hexDigitValue == nil { return nil }
            return start + 6
        default: return nil
        }
    }
}
