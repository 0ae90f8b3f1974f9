internal import SluiceCore
package import SluiceJSON

/// Reads one provider's chat reply, whole or as a stream, into a sink. One decoder a reply.
///
/// Whatever the provider sends may be wrong: what is not understood is left out, and never traps.
package protocol ReplyDecoder: AnyObject {
    /// A whole reply's document. It may be an error.
    func decode(whole document: JSONValue, into sink: any ReplySink)
    /// The document of one event of a stream.
    ///
    /// - Parameter name: the event's name, empty if it has none.
    func decode(event document: JSONValue, named name: Span<UInt8>, into sink: any ReplySink)
    /// Whether the answer is known to be complete before the connection ends: for dialects over a WebSocket.
    var isComplete: Bool { get }
    /// `[DONE]` came.
    func done(into sink: any ReplySink)
    /// The stream has ended as HTTP: what can only be said now.
    ///
    /// - Returns: whether the answer is complete; if not, it was cut.
    func end(into sink: any ReplySink) -> Bool
}

extension ReplyDecoder {
    package var isComplete: Bool { false }
    package func done(into sink: any ReplySink) {}
}
