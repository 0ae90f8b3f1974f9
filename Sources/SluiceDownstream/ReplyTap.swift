package import SluiceCore
package import SluiceHTTP

/// Sees a reply as it goes to the application, on the application's loop, whoever writes it.
package protocol ReplyTap: AnyObject {
    /// The head goes out.
    func began(_ head: ResponseHead)
    /// A piece of the body goes out.
    func passed(_ bytes: Span<UInt8>)
    /// A buffer that nobody changes any more goes out: it may be kept.
    func passed(sharing buffer: ByteBuffer)
    /// The reply is whole. Not called for one that was broken off.
    func completed()
}
