/// Hears what happens on a connection's streams. Called from inside `receive` and `flush`, on the same thread.
///
/// It may call the session back (respond, send, finish, reset, consumed, submitRequest, drain) and may let go of it;
/// it must not call `receive`, and `flush` does nothing until the call in progress has returned.
package protocol HTTP2SessionDelegate: AnyObject {
    /// Server: a request. `isEnd`: it has neither body nor trailers, and `ended` is not called.
    func received(request head: consuming RequestHead, on stream: StreamID, isEnd: Bool)
    /// Client: the final response.
    func received(response head: consuming ResponseHead, on stream: StreamID, isEnd: Bool)
    /// Client: a 1xx response; another one follows.
    func received(informational head: consuming ResponseHead, on stream: StreamID)
    /// A piece of the body, valid during the call. Give the window back with `consumed` once it has gone on.
    func received(body bytes: Span<UInt8>, on stream: StreamID)
    /// The peer's message is complete; its length was as declared.
    func ended(_ stream: StreamID, trailers: consuming HeaderFields?)
    /// Server: answer with `refusal.status`. Client: the response was not acceptable, and `closed` follows.
    func refused(_ stream: StreamID, _ refusal: HTTP2Refusal)
    /// The stream's outgoing bytes were over `outboundLowByteCount`, and are not any more.
    func canSendMore(on stream: StreamID)
    /// The last thing heard of a stream; exactly once for each stream that was heard of or submitted. `noError` when
    /// both sides ended; `refusedStream` when the peer did nothing with it, so that it may be sent again elsewhere.
    func closed(_ stream: StreamID, _ code: HTTP2ErrorCode)
    /// The peer takes no new streams. Those numbered above `lastStream` are closed next, with `refusedStream`.
    func goAway(after lastStream: Int32, _ code: HTTP2ErrorCode)
    /// The peer answered `ping`.
    func acknowledged(ping: UInt64)
}

extension HTTP2SessionDelegate {
    package func received(request head: consuming RequestHead, on stream: StreamID, isEnd: Bool) {}
    package func received(response head: consuming ResponseHead, on stream: StreamID, isEnd: Bool) {}
    package func received(informational head: consuming ResponseHead, on stream: StreamID) {}
    package func canSendMore(on stream: StreamID) {}
    package func goAway(after lastStream: Int32, _ code: HTTP2ErrorCode) {}
    package func acknowledged(ping: UInt64) {}
}
