package import SluiceCore

/// Writes a reply as the stream of a dialect that applications speak. One writer a reply.
///
/// What the calls of `ReplySink` say is put into `output` at once, as whole server-sent events; whoever sends takes it from there.
package protocol StreamWriter: ReplySink {
    /// Events that nobody has sent yet. It is emptied by whoever sent them.
    var output: ByteBuffer { get }
    /// Whether something has been written that a reader would notice: text, reasoning, a tool call, the end. What only opens the
    /// stream (a role, `message_start`) does not count (theme 3.2).
    var hasContent: Bool { get }
    var fault: ProviderFault? { get }
    var usage: Usage? { get }
    /// The model that answers, as the provider says.
    var model: String? { get }
    /// Bytes of text, reasoning and arguments so far, for an estimate of what they cost.
    var textByteCount: Int { get }
    /// The provider's stream was complete: what the dialect says at the end, usage and terminator included.
    func finishStream()
}
