/// Why a head is refused. What follows it on the connection cannot be trusted: answer with `status`, then close.
package enum HeadError: Error, Equatable, Sendable {
    case malformedRequestLine, malformedStatusLine, malformedVersion, unsupportedVersion
    case unknownMethod, connectRefused
    case invalidTarget, targetTooLong, asteriskWithoutOptions
    case headTooLarge, tooManyFields
    case bareLineFeed, bareCarriageReturn, foldedLine
    case invalidFieldName, spaceBeforeColon, invalidFieldValue
    case missingHost, repeatedHost, invalidHost, hostDisagreesWithTarget

    /// The status for a request that was refused for this; a response that was refused is 502 (`MalformedResponse`).
    package var status: Status {
        switch self {
        case .connectRefused: 405
        case .targetTooLong: 414
        case .headTooLarge, .tooManyFields: 431
        case .unknownMethod: 501
        case .unsupportedVersion: 505
        default: 400
        }
    }

    /// What is wrong, for whoever wrote the sender.
    package var message: StaticString {
        switch self {
        case .malformedRequestLine: "The request line must be: method, one space, target, one space, HTTP/1.1."
        case .malformedStatusLine: "The status line must be: HTTP/1.1, one space, three digits from 100 to 599, reason."
        case .malformedVersion: "The HTTP version must be spelled HTTP/1.1 or HTTP/1.0."
        case .unsupportedVersion: "Only HTTP/1.1 and HTTP/1.0 are spoken on this connection."
        case .unknownMethod: "This request method is not implemented."
        case .connectRefused: "CONNECT is not allowed: this is not a tunnel."
        case .invalidTarget:
            "The request target has a character that must be percent-encoded, or is no path or http URL."
        case .targetTooLong: "The request target is too long."
        case .asteriskWithoutOptions: "The request target * is for OPTIONS only."
        case .headTooLarge: "The header fields are too large."
        case .tooManyFields: "There are too many header fields."
        case .bareLineFeed: "Lines must end with CR LF; there is an LF without CR."
        case .bareCarriageReturn: "Lines must end with CR LF; there is a CR without LF."
        case .foldedLine: "A header line must not start with a space or tab."
        case .invalidFieldName:
            "A header field name is empty or has a character that is not allowed, or there is no colon."
        case .spaceBeforeColon: "There must be no space between a header field's name and its colon."
        case .invalidFieldValue: "A header field value has a control character."
        case .missingHost: "An HTTP/1.1 request must have a Host header field."
        case .repeatedHost: "A request must not have more than one Host header field."
        case .invalidHost: "The Host header field must be a host name or address, with or without a port."
        case .hostDisagreesWithTarget: "The Host header field and the request target name different hosts."
        }
    }
}
