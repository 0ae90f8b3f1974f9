/// Why a body cannot be read on. The connection cannot be used again: where the next message starts is unknown.
package enum BodyError: Error, Equatable, Sendable {
    case invalidChunkSize, chunkTooLarge, invalidChunkExtension, chunkExtensionsTooLong, chunkNotEnded
    case trailers(HeadError)
    case truncated

    /// The status for a request that was refused for this; a response that was refused is 502 (`MalformedResponse`).
    package var status: Status {
        if case .trailers(let error) = self { return error.status }
        return 400
    }

    /// What is wrong, for whoever wrote the sender.
    package var message: StaticString {
        switch self {
        case .invalidChunkSize: "A chunk must start with its size in hex digits and CR LF."
        case .chunkTooLarge: "A chunk's size is too large a number."
        case .invalidChunkExtension: "A chunk extension is malformed."
        case .chunkExtensionsTooLong: "The chunk extensions of the body are too long."
        case .chunkNotEnded: "A chunk must be followed by CR LF."
        case .trailers(let error): error.message
        case .truncated: "The body ended before its end."
        }
    }
}
