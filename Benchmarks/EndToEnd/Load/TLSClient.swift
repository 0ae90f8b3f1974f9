internal import COpenSSL

/// The load's side of TLS: no verification (the certificate is made for the run), ALPN as asked.
@safe final class TLSClient {
    private let context: OpaquePointer

    /// - Parameter protocolName: what to offer by ALPN, such as `h2`.
    init(protocolName: String) throws(Failure) {
        guard let context = unsafe SSL_CTX_new(TLS_client_method()) else { throw Failure("SSL_CTX_new failed") }
        unsafe self.context = context
        // SSL_CTX_set_mode and SSL_CTX_set_read_ahead are macros over this call. A write goes on from wherever the last
        // one stopped, and a record's header and content are read in one call.
        let mode = SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
        unsafe _ = SSL_CTX_ctrl(context, SSL_CTRL_MODE, Int(mode), nil)
        unsafe _ = SSL_CTX_ctrl(context, SSL_CTRL_SET_READ_AHEAD, 1, nil)
        let offer = [UInt8(protocolName.utf8.count)] + Array(protocolName.utf8)
        guard unsafe SSL_CTX_set_alpn_protos(context, offer, UInt32(offer.count)) == 0 else {
            throw Failure("SSL_CTX_set_alpn_protos failed")
        }
    }

    deinit { unsafe SSL_CTX_free(context) }

    func makeSession(on file: Int32) throws(Failure) -> TLSClientSession {
        guard let ssl = unsafe SSL_new(context), unsafe SSL_set_fd(ssl, file) == 1 else {
            throw Failure("SSL_new failed")
        }
        unsafe SSL_set_connect_state(ssl)
        return unsafe TLSClientSession(adopting: ssl)
    }
}

/// One TLS connection of the load. The handshake happens inside the first writes and reads.
@safe final class TLSClientSession {
    private let ssl: OpaquePointer

    @unsafe fileprivate init(adopting ssl: OpaquePointer) { unsafe self.ssl = ssl }

    deinit { unsafe SSL_free(ssl) }

    func read(into buffer: ReadBuffer) -> Socket.Outcome {
        ERR_clear_error()
        let count = unsafe SSL_read(ssl, buffer.address, Int32(buffer.capacity))
        return outcome(of: count)
    }

    func write(_ bytes: [UInt8], from offset: Int) -> Socket.Outcome {
        ERR_clear_error()
        let count = unsafe bytes.withUnsafeBytes {
            unsafe SSL_write(ssl, $0.baseAddress?.advanced(by: offset), Int32($0.count - offset))
        }
        return outcome(of: count)
    }

    private func outcome(of result: Int32) -> Socket.Outcome {
        if result > 0 { return .bytes(Int(result)) }
        return switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: .wouldBlock
        default: .closed
        }
    }
}
