internal import SluiceCore

/// A request target in origin form, taken apart for routing: decoded path segments and a query (RFC 3986 §3.3, §3.4).
///
/// Each segment is percent-decoded once. `%2F` is a slash in a segment, not a new segment, for model names have slashes;
/// but nothing that any reader after us could take for a step up or a control character is accepted.
package struct RequestTarget {
    package enum Invalid: Error, Equatable, Sendable {
        case notAPath, dotSegment, encodedControl, malformedEncoding, tooManySegments

        /// All of them are mistakes of the sender.
        package var status: Status { self == .tooManySegments ? 404 : 400 }
        package var message: StaticString {
            switch self {
            case .notAPath: "The request target must be a path."
            case .dotSegment: "The path must not have . or .. in it."
            case .encodedControl: "The path must not have control characters in it."
            case .malformedEncoding: "A percent sign in the path must be followed by two hex digits."
            case .tooManySegments: "The path has too many segments."
            }
        }
    }

    /// How many segments a path may have.
    package static let segmentsMax = 32

    private let raw: [UInt8]
    /// The path with every segment decoded; the same bytes as `raw` if nothing was encoded.
    private let decoded: [UInt8]
    private var starts = InlineArray<32, UInt32>(repeating: 0)
    private var ends = InlineArray<32, UInt32>(repeating: 0)
    package private(set) var segmentCount = 0
    /// Whether the path ends with a slash. The empty segment after it is not counted.
    package private(set) var hasTrailingSlash = false
    private let pathEnd: Int

    /// - Parameter target: as `RequestHead.target` has it; not `*`.
    package init(_ target: [UInt8]) throws(Invalid) {
        if target.first != UInt8(ascii: "/") { throw .notAPath }
        raw = target
        pathEnd = target.span.firstIndex(of: UInt8(ascii: "?")) ?? target.count
        let isEncoded = target.span.extracting(0..<pathEnd).firstIndex(of: UInt8(ascii: "%")) != nil
        decoded =
            isEncoded ? try Self.decode(target.span.extracting(0..<pathEnd), &starts, &ends, &segmentCount) : target
        if !isEncoded { try Self.split(target.span.extracting(0..<pathEnd), &starts, &ends, &segmentCount) }
        for index in 0..<segmentCount { try Self.check(decoded.span.extracting(bounds(index))) }
        if bounds(segmentCount - 1).isEmpty {
            hasTrailingSlash = true
            segmentCount -= 1
        }
    }

    /// A segment of the path, decoded; the first one is number 0.
    @_lifetime(borrow self)
    package func segment(_ index: Int) -> Span<UInt8> {
        precondition(index >= 0 && index < segmentCount, "no segment \(index) of \(segmentCount)")
        return decoded.span.extracting(bounds(index))
    }

    /// Whether there is such a segment and it reads `text`. Case matters.
    package func segment(_ index: Int, is text: StaticString) -> Bool {
        index < segmentCount && segment(index).equals(text)
    }

    /// What stands after the `?`, as it was sent; empty if there is nothing.
    package var query: Span<UInt8> {
        @_lifetime(borrow self) get { raw.span.extracting(min(pathEnd + 1, raw.count)...) }
    }

    /// The value of the first query parameter of that name, decoded; `nil` if there is none.
    package func parameter(_ name: StaticString) -> [UInt8]? { URLEncodedForm.firstValue(of: name, in: query) }

    /// The same as text; what is not UTF-8 becomes U+FFFD.
    package func parameterText(_ name: StaticString) -> String? {
        parameter(name).map { String(decoding: $0.span) }
    }

    /// Whether a target is a path with or without a query, made of the characters that may stand there.
    package static func isOriginForm(_ target: Span<UInt8>) -> Bool {
        if target.isEmpty || target[0] != UInt8(ascii: "/") { return false }
        let pathEnd = CharacterClass.path.firstOutside(target, from: 0, to: target.count)
        if pathEnd < target.count, target[pathEnd] != UInt8(ascii: "?") { return false }
        if CharacterClass.query.firstOutside(target, from: pathEnd, to: target.count) != target.count { return false }
        return PercentCoding.isWellFormed(target)
    }

    /// Whether a text that is put into a path as one segment, percent-encoded, stays there for every reader.
    package static func isSegment(_ text: Span<UInt8>) -> Bool { (try? check(text)) != nil }

    // MARK: Segments

    private func bounds(_ index: Int) -> Range<Int> { Int(starts[index])..<Int(ends[index]) }

    private static func split(
        _ path: Span<UInt8>, _ starts: inout InlineArray<32, UInt32>, _ ends: inout InlineArray<32, UInt32>,
        _ count: inout Int
    ) throws(Invalid) {
        var start = 1
        while start <= path.count {
            if count == segmentsMax { throw .tooManySegments }
            let end = path.firstIndex(of: UInt8(ascii: "/"), from: start) ?? path.count
            starts[count] = UInt32(clamping: start)
            ends[count] = UInt32(clamping: end)
            count += 1
            start = end + 1
        }
    }

    private static func decode(
        _ path: Span<UInt8>, _ starts: inout InlineArray<32, UInt32>, _ ends: inout InlineArray<32, UInt32>,
        _ count: inout Int
    ) throws(Invalid) -> [UInt8] {
        try split(path, &starts, &ends, &count)
        var decoded: [UInt8] = []
        decoded.reserveCapacity(path.count)
        for index in 0..<count {
            let segment = path.extracting(Int(starts[index])..<Int(ends[index]))
            starts[index] = UInt32(clamping: decoded.count)
            try decode(segment, to: &decoded)
            ends[index] = UInt32(clamping: decoded.count)
        }
        return decoded
    }

    private static func decode(_ segment: Span<UInt8>, to decoded: inout [UInt8]) throws(Invalid) {
        var index = 0
        while index < segment.count {
            if segment[index] != UInt8(ascii: "%") {
                decoded.append(segment[index])
                index += 1
                continue
            }
            guard let byte = PercentCoding.byte(segment, at: index) else { throw .malformedEncoding }
            decoded.append(byte)
            index += 3
        }
    }

    /// Refuses a segment that has a control character, or `.` or `..` between anything that is a separator to somebody:
    /// an encoded slash, a backslash, the `;` of a path parameter.
    private static func check(_ segment: Span<UInt8>) throws(Invalid) {
        if segment.firstControl(from: 0) != segment.count { throw .encodedControl }
        var start = 0
        for index in 0...segment.count {
            if index < segment.count, !isSeparator(segment[index]) { continue }
            let part = segment.extracting(start..<index)
            if part.equals(".") || part.equals("..") { throw .dotSegment }
            start = index + 1
        }
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: ";")
    }
}
