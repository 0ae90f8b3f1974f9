/// Why bytes are not an AWS event stream. Where the next frame begins is unknown: the stream is over.
package enum EventStreamError: Error, Equatable, Sendable {
    /// The CRC of the first eight bytes is wrong: the lengths cannot be believed.
    case preludeChecksum
    case messageChecksum
    /// The headers do not fit in the frame, or the frame is shorter than its own framing.
    case impossibleLength
    case headersTooLong(bytesMax: Int)
    case payloadTooLong(bytesMax: Int)
    /// A header without a name, of an unknown type, or that ends outside the headers.
    case malformedHeader
}
