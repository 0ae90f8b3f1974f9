package import SluiceCore

/// Writes HTTP/1.1 messages (RFC 9112).
///
/// The writer alone says how the body is framed and what becomes of the connection: fields about those are left out, and
/// so is every field whose name is not a token or whose value has a control character (CR, LF and NUL above all). Nothing
/// that came from a peer can therefore end a line here.
package enum MessageWriter {
    /// A request target or host that cannot be written. It came from configuration or code: parsers refuse such things.
    package enum Refused: Error, Equatable { case target, host }

    /// A request's head, with `host` first.
    ///
    /// - Parameters:
    ///   - framing: `none` writes `content-length: 0` where the method expects a body (RFC 9110 §8.6); `untilClose`
    ///     cannot be asked of a request and counts as `none`.
    ///   - keepsConnection: `false` adds `connection: close`.
    /// - Returns: how many fields were left out because they cannot be written.
    @discardableResult
    package static func request(
        _ method: Method, target: Span<UInt8>, host: Span<UInt8>, fields: borrowing HeaderFields, framing: BodyFraming,
        keepsConnection: Bool = true, into buffer: ByteBuffer
    ) throws(Refused) -> Int {
        if method == .other || !isVisible(target) { throw .target }
        if !isVisible(host) { throw .host }
        buffer.reserve(fields.listByteCount + target.count + host.count + 128)
        buffer.append(method.name)
        buffer.append(ASCII.space)
        buffer.append(target)
        buffer.append(" HTTP/1.1\r\nhost: ")
        buffer.append(host)
        buffer.append("\r\n")
        let refused = write(fields, without: notInRequest, into: buffer)
        switch framing {
        case .none, .untilClose: if expectsBody(method) { buffer.append("content-length: 0\r\n") }
        case .known, .chunked: write(framing, into: buffer)
        }
        buffer.append(keepsConnection ? "\r\n" : "connection: close\r\n\r\n")
        return refused
    }

    /// A response's head.
    ///
    /// - Parameters:
    ///   - framing: `none` writes `content-length: 0`; `nil` writes nothing, for a body's length that is not known and
    ///     not needed (HEAD, 304). A status that has no body by itself gets nothing either, but a `known` length in 304
    ///     (RFC 9110 §8.6).
    ///   - version: of the request. HTTP/1.0 is told when the connection stays, HTTP/1.1 when it does not.
    ///   - date: the value of `date`, and then a `date` among the fields is left out; empty for none.
    /// - Returns: how many fields were left out because they cannot be written.
    @discardableResult
    package static func response(
        _ head: borrowing ResponseHead, framing: BodyFraming?, to version: HTTPVersion, keepsConnection: Bool,
        date: [UInt8] = [], into buffer: ByteBuffer
    ) -> Int {
        buffer.reserve(head.fields.listByteCount + 192)
        writeStatusLine(head.status, into: buffer)
        if !date.isEmpty {
            buffer.append("date: ")
            buffer.append(date.span)
            buffer.append("\r\n")
        }
        let refused = write(head.fields, without: date.isEmpty ? notInResponse : notInDatedResponse, into: buffer)
        if let framing, saysLength(head.status, framing) { write(framing, into: buffer) }
        if !head.status.isInformational {  // the final response says what becomes of the connection
            let closes = !keepsConnection || framing == .untilClose
            if closes { buffer.append("connection: close\r\n") }
            if !closes, version == .http10 { buffer.append("connection: keep-alive\r\n") }
        }
        buffer.append("\r\n")
        return refused
    }

    private static func saysLength(_ status: Status, _ framing: BodyFraming) -> Bool {
        if status == 304, case .known = framing { return true }
        return !status.hasNoBody
    }

    /// Tells a client that waits to send its body (RFC 9110 §10.1.1).
    package static func `continue`(into buffer: ByteBuffer) { buffer.append("HTTP/1.1 100 Continue\r\n\r\n") }

    // MARK: Chunks

    /// What stands before a chunk's data. A chunk of no bytes would end the body, so nothing may be written for it.
    package static func chunkHead(_ byteCount: Int, into buffer: ByteBuffer) {
        precondition(byteCount > 0, "a chunk of \(byteCount) bytes")
        let digitCount = (Int.bitWidth - byteCount.leadingZeroBitCount + 3) / 4
        buffer.reserve(digitCount + 2)
        for position in stride(from: (digitCount - 1) * 4, through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: byteCount >> position & 15)
            buffer.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
        buffer.append("\r\n")
    }

    /// What stands after a chunk's data.
    package static func chunkTail(into buffer: ByteBuffer) { buffer.append("\r\n") }

    /// The end of a chunked body.
    package static func lastChunk(into buffer: ByteBuffer) { buffer.append("0\r\n\r\n") }

    /// The end of a chunked body, with trailers. Fields that must not be trailers (RFC 9110 §6.5.1) are left out.
    @discardableResult
    package static func lastChunk(trailers: borrowing HeaderFields, into buffer: ByteBuffer) -> Int {
        buffer.append("0\r\n")
        let refused = write(trailers.allowedInTrailers(), without: [], into: buffer)
        buffer.append("\r\n")
        return refused
    }

    // MARK: Parts of a head

    private static let notInResponse: FieldSet = [
        .connection, .contentLength, .keepAlive, .proxyConnection, .te, .transferEncoding, .upgrade,
    ]
    private static let notInDatedResponse: FieldSet = [
        .connection, .contentLength, .date, .keepAlive, .proxyConnection, .te, .transferEncoding, .upgrade,
    ]
    private static let notInRequest: FieldSet = [
        .connection, .contentLength, .host, .http2Settings, .keepAlive, .proxyConnection, .te, .transferEncoding,
        .upgrade,
    ]

    private static func writeStatusLine(_ status: Status, into buffer: ByteBuffer) {
        buffer.append("HTTP/1.1 ")
        buffer.append(decimal: Int(status.code))
        buffer.append(ASCII.space)
        buffer.append(status.reason)
        buffer.append("\r\n")
    }

    private static func write(
        _ fields: borrowing HeaderFields, without left: FieldSet, into buffer: ByteBuffer
    ) -> Int {
        var refused = 0
        // The list counts 32 bytes more a field than its name and value: room for colon, space and line end.
        unsafe buffer.appendUnsafe(minimum: fields.listByteCount) { space in
            var lines = unsafe LineWriter(space)
            refused = fields.write(without: left, into: &lines)
            return lines.byteCount
        }
        return refused
    }

    private static func write(_ framing: BodyFraming, into buffer: ByteBuffer) {
        switch framing {
        case .none:
            buffer.append("content-length: 0\r\n")
        case .known(let byteCount):
            buffer.append("content-length: ")
            buffer.append(decimal: byteCount)
            buffer.append("\r\n")
        case .chunked:
            buffer.append("transfer-encoding: chunked\r\n")
        case .untilClose:
            break
        }
    }

    private static func expectsBody(_ method: Method) -> Bool { method == .post || method == .put || method == .patch }

    /// Whether it is not empty and has no space, no control and nothing beyond ASCII.
    private static func isVisible(_ text: Span<UInt8>) -> Bool {
        for index in text.indices where text[index] <= 0x20 || text[index] >= 0x7F { return false }
        return !text.isEmpty
    }
}
