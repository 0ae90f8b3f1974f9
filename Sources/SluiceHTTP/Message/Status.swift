/// A response status (RFC 9110 §15).
package struct Status: Equatable, Hashable, Sendable, ExpressibleByIntegerLiteral {
    package let code: UInt16
    package init(_ code: UInt16) { self.code = code }
    package init(integerLiteral code: UInt16) { self.code = code }

    /// 1xx: another response follows.
    package var isInformational: Bool { code >= 100 && code < 200 }
    package var isSuccess: Bool { code >= 200 && code < 300 }
    /// A response with this status has no body, whatever its fields say (RFC 9112 §6.3).
    package var hasNoBody: Bool { isInformational || code == 204 || code == 304 }

    /// The reason phrase; HTTP/2 has none.
    package var reason: StaticString {
        switch code {
        case 100: "Continue"
        case 101: "Switching Protocols"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 206: "Partial Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 402: "Payment Required"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 422: "Unprocessable Content"
        case 424: "Failed Dependency"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 499: "Client Closed Request"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 529: "Overloaded"
        default: "Status"
        }
    }
}
