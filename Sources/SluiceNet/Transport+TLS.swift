internal import SluiceCore
package import SluiceTLS

extension Transport {
    /// Speaks TLS from here on. What is written before the handshake is done waits for it.
    package func startTLS(_ session: TLSSession) {
        tls = session
        if !session.outbound.isEmpty { markDirty() }
    }

    package var isTLS: Bool { tls != nil }
    /// What ALPN agreed on; `none` without TLS or without ALPN.
    package var applicationProtocol: ApplicationProtocol { tls?.negotiated?.applicationProtocol ?? .none }
    /// The verified certificate of the peer.
    package var peerCertificate: CertificateSummary? { tls?.peerCertificate }

    func decrypt(_ ciphertext: Span<UInt8>, with tls: TLSSession) {
        let space = unsafe loop.plaintext
        do throws(TLSError) {
            var progress = try unsafe tls.receive(ciphertext, into: space)
            if !tls.outbound.isEmpty { markDirty() }
            while true {
                if progress.completedHandshake {
                    if !outbound.isEmpty { markDirty() }
                    delegate?.transportSecured()
                }
                if isOpen, progress.plaintextByteCount > 0 {
                    let bytes = unsafe UnsafeBufferPointer(
                        rebasing: space.assumingMemoryBound(to: UInt8.self)[..<progress.plaintextByteCount])
                    unsafe give(bytes.span)
                }
                if !isOpen { return }
                switch progress.next {
                case .needsInput: return
                case .ended:
                    delegate?.transportEnded()
                    return
                case .hasMore: progress = try unsafe tls.receive(Span(), into: space)
                }
            }
        } catch {
            flush()
            fail(.tls(error.message))
        }
    }

    /// Plaintext goes where plain bytes would have gone.
    private func give(_ bytes: Span<UInt8>) {
        guard let target else {
            delegate?.transportReceived(bytes)
            return
        }
        let part = min(targetRemaining, bytes.count)
        target.append(bytes.extracting(0..<part))
        targetRemaining -= part
        if targetRemaining > 0 { return }
        self.target = nil
        delegate?.transportFilled()
        if part < bytes.count, isOpen { delegate?.transportReceived(bytes.extracting(part...)) }
    }
}
