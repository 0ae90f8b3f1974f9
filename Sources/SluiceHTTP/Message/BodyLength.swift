/// How long a body is said to be before it is sent.
package enum BodyLength: Equatable, Sendable {
    case none
    /// Exactly so many bytes.
    case known(Int)
    /// Until it ends: chunked in HTTP/1.1, END_STREAM in HTTP/2.
    case unknown
}
