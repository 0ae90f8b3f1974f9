internal import SluiceCore

/// Where an HTTP/1 message's body ends (RFC 9112 §6.3).
package enum BodyFraming: Equatable, Sendable {
    case none
    /// After exactly so many bytes.
    case known(Int)
    /// Where the last chunk says so.
    case chunked
    /// Where the connection does: responses only, and the connection cannot be used again.
    case untilClose

    /// How the body of a request is framed. Any doubt is an error: two readings of a message are request smuggling.
    package static func request(_ head: borrowing RequestHead) throws(FramingError) -> BodyFraming {
        try declared(head.fields, version: head.version) ?? .none
    }

    /// How the body of a response is framed.
    ///
    /// - Parameters:
    ///   - version: what the status line said.
    ///   - method: of the request that is answered.
    /// - Throws: `MalformedResponse.framing`: 502.
    package static func response(
        _ head: borrowing ResponseHead, version: HTTPVersion, to method: Method
    ) throws(MalformedResponse) -> BodyFraming {
        let declared: BodyFraming?
        do {
            declared = try Self.declared(head.fields, version: version)
        } catch {
            throw .framing(error)
        }
        if method == .head || head.status.hasNoBody { return .none }
        return declared ?? .untilClose
    }

    /// How to frame a body that is sent to a peer of this version. HTTP/1.0 does not know chunks (RFC 9112 §7.1).
    package static func sending(_ length: BodyLength, to version: HTTPVersion) -> BodyFraming {
        switch length {
        case .none: .none
        case .known(let byteCount): .known(byteCount)
        case .unknown: version == .http10 ? .untilClose : .chunked
        }
    }

    /// The same without what only HTTP/1 has.
    package var length: BodyLength {
        switch self {
        case .none: .none
        case .known(let byteCount): .known(byteCount)
        case .chunked, .untilClose: .unknown
        }
    }

    private static func declared(
        _ fields: borrowing HeaderFields, version: HTTPVersion
    ) throws(FramingError) -> BodyFraming? {
        let coding = fields.index(of: .transferEncoding)
        let length = fields.index(of: .contentLength)
        if let coding {
            if length != nil { throw .bothLengthAndCoding }
            if version == .http10 { throw .codingInHTTP10 }
            if fields.index(of: .transferEncoding, from: coding + 1) != nil { throw .malformedCoding }
            try TransferCoding.requireChunked(fields.value(at: coding))
            return .chunked
        }
        guard let length else { return nil }
        if fields.index(of: .contentLength, from: length + 1) != nil { throw .repeatedContentLength }
        return .known(try contentLength(fields.value(at: length)))
    }

    private static func contentLength(_ value: Span<UInt8>) throws(FramingError) -> Int {
        if value.isEmpty { throw .invalidContentLength }
        for index in value.indices where !value[index].isDecimalDigit {
            throw value[index] == UInt8(ascii: ",") ? .repeatedContentLength : .invalidContentLength
        }
        guard let byteCount = ASCII.decimal(value) else { throw .contentLengthTooLarge }
        return byteCount
    }
}
