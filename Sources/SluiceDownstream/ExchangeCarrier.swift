package import SluiceCore
package import SluiceHTTP

/// What carries exchanges between the application and the pipeline: an HTTP/1.1 connection, or an HTTP/2 connection's streams.
package protocol ExchangeCarrier: AnyObject {
    /// The application should go on sending its body; the first call also answers `Expect: 100-continue`.
    func wantBody(_ exchange: DownstreamExchange)
    /// The application should stop sending for now.
    func pauseBody(_ exchange: DownstreamExchange)
    /// Whole bodies of known length may be received straight into `buffer`.
    func receiveBody(_ exchange: DownstreamExchange, into buffer: ByteBuffer)
    func sendInformational(_ exchange: DownstreamExchange, _ status: Status)
    func sendHead(_ exchange: DownstreamExchange, _ head: ResponseHead, body: BodyLength)
    func send(_ exchange: DownstreamExchange, _ bytes: Span<UInt8>)
    func send(_ exchange: DownstreamExchange, sharing buffer: ByteBuffer)
    /// Puts bytes on the connection as they are.
    func sendVerbatim(_ exchange: DownstreamExchange, _ bytes: Span<UInt8>)
    /// Answers 101 and makes the connection a pair of byte streams; `false` where that cannot be.
    func upgrade(_ exchange: DownstreamExchange, _ head: ResponseHead, to newProtocol: StaticString) -> Bool
    func finish(_ exchange: DownstreamExchange, trailers: HeaderFields?)
    /// Ends a response that cannot be completed, so that the application sees that it was cut.
    func abort(_ exchange: DownstreamExchange)
    /// The same once what was queued has been sent.
    func abortAfterSending(_ exchange: DownstreamExchange)
    /// Whether more is queued for the application than it takes.
    func isCongested(_ exchange: DownstreamExchange) -> Bool
}

extension ExchangeCarrier {
    /// HTTP/2 has no 101 (RFC 9113 §8.6).
    package func upgrade(_ exchange: DownstreamExchange, _ head: ResponseHead, to newProtocol: StaticString) -> Bool {
        false
    }
}
