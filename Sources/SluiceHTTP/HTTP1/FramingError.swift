/// Why a message's body cannot be told from what follows it. Close the connection after answering.
package enum FramingError: Error, Equatable, Sendable {
    case invalidContentLength, repeatedContentLength, contentLengthTooLarge
    case bothLengthAndCoding, codingInHTTP10, malformedCoding, unknownCoding

    /// The status for a request that was refused for this; a response that was refused is 502 (`MalformedResponse`).
    package var status: Status { self == .unknownCoding ? 501 : 400 }

    /// What is wrong, for whoever wrote the sender.
    package var message: StaticString {
        switch self {
        case .invalidContentLength: "Content-Length must be one decimal number of bytes."
        case .repeatedContentLength: "Content-Length must be sent once."
        case .contentLengthTooLarge: "Content-Length is too large a number."
        case .bothLengthAndCoding: "Content-Length and Transfer-Encoding must not be sent together."
        case .codingInHTTP10: "Transfer-Encoding must not be sent in HTTP/1.0."
        case .malformedCoding: "Transfer-Encoding must be: chunked."
        case .unknownCoding: "Chunked is the only transfer coding that is implemented."
        }
    }
}
