internal import SluiceCore

/// The parts of a `multipart/form-data` body (RFC 7578, RFC 2046 §5.1) that has all arrived.
///
/// Part bodies are ranges of the body; nothing is copied but names. Time is linear in the body: a delimiter starts with a
/// CR, a boundary cannot have one, so no byte is compared twice.
package struct MultipartForm: Sendable {
    /// How many parts a form may have.
    package static let partsMax = 256
    /// How large the header fields of one part may be, in bytes.
    package static let partHeadBytesMax = 8192
    /// The longest boundary, in bytes (RFC 2046 §5.1.1).
    package static let boundaryBytesMax = 70

    package struct Part: Sendable {
        package let name: [UInt8]
        /// `nil` for a plain field.
        package let filename: [UInt8]?
        /// As it was sent; `nil` means `text/plain` (RFC 7578 §4.4).
        package let contentType: [UInt8]?
        /// Where the part's bytes stand in the body of the request.
        package let body: Range<Int>
    }

    package let parts: [Part]

    /// - Parameters:
    ///   - body: the whole body of the request.
    ///   - contentType: the value of the request's `Content-Type`.
    package init(_ body: Span<UInt8>, contentType: Span<UInt8>) throws(FormError) {
        let boundary = try Self.boundary(in: contentType)
        var parts: [Part] = []
        guard var delimiter = try Self.firstDelimiter(body, boundary.span) else { throw .truncated }
        while !delimiter.isLast {
            if parts.count == Self.partsMax { throw .tooManyParts }
            var position = delimiter.end
            let fields = try Self.head(body, at: &position)
            // A part without a body ends in the line end of its head.
            guard let next = try Self.delimiter(body, from: position - 2, boundary.span) else { throw .truncated }
            parts.append(try Self.part(fields, position..<max(next.start, position)))
            delimiter = next
        }
        self.parts = parts
    }

    /// The first part of that name.
    package func part(named name: StaticString) -> Part? { parts.first { $0.name.span.equals(name) } }

    /// The boundary that a content type names.
    package static func boundary(in contentType: Span<UInt8>) throws(FormError) -> [UInt8] {
        guard MediaType.isType(contentType, "multipart/form-data"),
            let boundary = MediaType.parameter("boundary", of: contentType)
        else { throw .missingBoundary }
        if boundary.isEmpty || boundary.count > boundaryBytesMax || boundary.last == ASCII.space
            || !CharacterClass.boundary.containsAll(boundary.span)
        {
            throw .invalidBoundary
        }
        return boundary
    }

    // MARK: Delimiters

    private struct Delimiter {
        /// Where the line end stands that belongs to the delimiter.
        let start: Int
        /// Where what follows it begins.
        let end: Int
        let isLast: Bool
    }

    /// The delimiter before the first part may stand at the very start, or after a preamble that means nothing.
    private static func firstDelimiter(_ body: Span<UInt8>, _ boundary: Span<UInt8>) throws(FormError) -> Delimiter? {
        if isDashBoundary(body, at: 0, boundary) { return try ended(body, at: boundary.count + 2, start: 0) }
        return try delimiter(body, from: 0, boundary)
    }

    private static func delimiter(
        _ body: Span<UInt8>, from start: Int, _ boundary: Span<UInt8>
    ) throws(FormError) -> Delimiter? {
        var index = start
        while let line = body.firstIndex(of: ASCII.carriageReturn, from: index) {
            index = line + 1
            if index < body.count, body[index] == ASCII.lineFeed, isDashBoundary(body, at: index + 1, boundary) {
                return try ended(body, at: index + 3 + boundary.count, start: line)
            }
        }
        return nil
    }

    private static func isDashBoundary(_ body: Span<UInt8>, at start: Int, _ boundary: Span<UInt8>) -> Bool {
        if body.count - start < boundary.count + 2 { return false }
        if body[start] != UInt8(ascii: "-") || body[start + 1] != UInt8(ascii: "-") { return false }
        for index in boundary.indices where body[start + 2 + index] != boundary[index] { return false }
        return true
    }

    /// Reads what follows a boundary: `--`, or spaces and a line end.
    private static func ended(_ body: Span<UInt8>, at position: Int, start: Int) throws(FormError) -> Delimiter {
        let rest = body.extracting(position...)
        if rest.hasPrefix("--") { return Delimiter(start: start, end: position + 2, isLast: true) }
        var padding = 0
        while padding < rest.count, rest[padding] == ASCII.space || rest[padding] == ASCII.tab { padding += 1 }
        if rest.count - padding < 2 { throw .truncated }
        if !rest.extracting(padding...).hasPrefix("\r\n") { throw .malformedDelimiter }
        return Delimiter(start: start, end: position + padding + 2, isLast: false)
    }

    // MARK: Parts

    private static func head(_ body: Span<UInt8>, at position: inout Int) throws(FormError) -> HeaderFields {
        let end = min(body.count, position + partHeadBytesMax)
        do {
            if let fields = try FieldSection.read(body.extracting(0..<end), at: &position, countMax: 32) {
                return fields
            }
        } catch {
            throw .malformedPartHead
        }
        throw end == body.count ? .truncated : .partHeadTooLarge
    }

    private static func part(_ fields: borrowing HeaderFields, _ body: Range<Int>) throws(FormError) -> Part {
        guard let index = fields.index(of: .contentDisposition) else { throw .missingName }
        let disposition = fields.value(at: index)
        guard MediaType.isType(disposition, "form-data"), let name = MediaType.parameter("name", of: disposition) else {
            throw .missingName
        }
        let contentType = fields.index(of: .contentType).map { Array(copying: fields.value(at: $0)) }
        return Part(
            name: name, filename: MediaType.parameter("filename", of: disposition), contentType: contentType, body: body
        )
    }
}
