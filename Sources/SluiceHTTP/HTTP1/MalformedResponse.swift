/// An upstream's response that cannot be read. The caller gets 502 and the connection is closed, never used again.
package enum MalformedResponse: Error, Equatable, Sendable {
    case head(HeadError)
    case framing(FramingError)
    case body(BodyError)

    package var status: Status { 502 }

    /// What was wrong with it, for the log and the caller.
    package var message: StaticString {
        switch self {
        case .head(let error): error.message
        case .framing(let error): error.message
        case .body(let error): error.message
        }
    }
}
