internal import SluiceCore
internal import SluiceHTTP

/// The answer to what is not a request: an OpenAI error object, so that an SDK shows its message.
enum ProtocolErrorReply {
    /// - Parameter message: constant text of ours, which needs no escaping.
    static func write(_ status: Status, _ message: StaticString, date: [UInt8], to buffer: ByteBuffer) {
        let body = body(status, message)
        var fields = HeaderFields()
        fields.append(.contentType, "application/json")
        MessageWriter.response(
            ResponseHead(status, fields: fields), framing: .known(body.count), to: .http11, keepsConnection: false,
            date: date,
            into: buffer)
        buffer.append(body.span)
    }

    static func body(_ status: Status, _ message: StaticString) -> ByteBuffer {
        let body = ByteBuffer(capacity: 256)
        body.append("{\"error\":{\"message\":\"")
        body.append(message)
        body.append("\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":\"")
        body.append(code(status))
        body.append("\"}}")
        return body
    }

    private static func code(_ status: Status) -> StaticString {
        switch status.code {
        case 405: "method_not_allowed"
        case 408: "request_timeout"
        case 413: "request_too_large"
        case 414: "target_too_long"
        case 417: "expectation_failed"
        case 431: "header_fields_too_large"
        case 501: "not_implemented"
        case 503: "too_many_connections"
        case 505: "http_version_not_supported"
        default: "invalid_http"
        }
    }
}
