/// What a transport tells its owner. All calls come from the loop; any of them may close the transport.
package protocol TransportDelegate: AnyObject {
    /// The TLS handshake is done: `applicationProtocol` and `peerCertificate` are known.
    func transportSecured()
    /// Bytes arrived. They are gone after the call: copy what is to be kept.
    func transportReceived(_ bytes: Span<UInt8>)
    /// The bytes asked for by `receive(into:exactly:)` are all there.
    func transportFilled()
    /// The peer sends no more. What was received before is complete unless `transportFailed` says otherwise.
    func transportEnded()
    /// The connection broke. Called once, and last.
    func transportFailed(_ error: TransportError)
    /// What was to be sent has shrunk below the low watermark, after having been above the high one.
    func transportDrained()
    /// Everything has been sent and the transport has closed itself, as `closeAfterSending` asked. Called once, and last.
    func transportClosed()
}

extension TransportDelegate {
    package func transportSecured() {}
    package func transportFilled() {}
    package func transportClosed() {}
}
