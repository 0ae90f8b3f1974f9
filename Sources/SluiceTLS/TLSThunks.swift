internal import COpenSSL
internal import SluiceCore

/// What OpenSSL calls. Each finds the connection, calls one method of it and returns a code.
///
/// A connection outlives every call: OpenSSL calls back only from within a call that the connection made.
enum TLSThunks {
    /// The slot of an SSL's application data (SSL_get_app_data(3)).
    static let sessionSlot: Int32 = 0

    private static func session(of ssl: OpaquePointer?) -> TLSSession? {
        guard let ssl = unsafe ssl, let pointer = unsafe SSL_get_ex_data(ssl, sessionSlot) else { return nil }
        return unsafe Unmanaged<TLSSession>.fromOpaque(pointer).takeUnretainedValue()
    }

    // MARK: Setting up a connection

    static let serverName:
        @convention(c) (OpaquePointer?, UnsafeMutablePointer<Int32>?, UnsafeMutableRawPointer?) -> Int32 = {
            ssl, _, _ in
            guard let session = unsafe session(of: ssl), let ssl = unsafe ssl,
                let text = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name),
                let handle = session.context.handle(forServerName: unsafe String(cString: text))
            else { return SSL_TLSEXT_ERR_NOACK }
            _ = unsafe SSL_set_SSL_CTX(ssl, handle.raw)
            return SSL_TLSEXT_ERR_OK
        }

    /// A client that offers only what we do not speak is turned away (RFC 7301 §3.2: "SHALL").
    static let applicationProtocol:
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UnsafePointer<UInt8>?>?, UnsafeMutablePointer<UInt8>?,
            UnsafePointer<UInt8>?, UInt32, UnsafeMutableRawPointer?
        ) -> Int32 = { ssl, chosen, chosenCount, offer, offerCount, _ in
            guard let session = unsafe session(of: ssl), let chosen = unsafe chosen,
                let chosenCount = unsafe chosenCount, let offer = unsafe offer
            else { return SSL_TLSEXT_ERR_NOACK }
            let bytes = unsafe Span(_unsafeStart: offer, count: Int(offerCount))
            let preference = session.context.applicationProtocols
            guard let range = ApplicationProtocol.choose(from: bytes, by: preference) else {
                return SSL_TLSEXT_ERR_ALERT_FATAL
            }
            unsafe chosen.pointee = offer + range.lowerBound
            unsafe chosenCount.pointee = UInt8(range.count)
            return SSL_TLSEXT_ERR_OK
        }

    static let verify: @convention(c) (Int32, OpaquePointer?) -> Int32 = { isGood, store in
        if isGood == 1 { return isGood }
        let ssl = unsafe X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())
        guard let ssl = unsafe ssl, let store = unsafe store, let session = unsafe session(of: OpaquePointer(ssl))
        else { return isGood }
        unsafe session.noteRefusedCertificate(store)
        return isGood
    }

    static let newSession: @convention(c) (OpaquePointer?, OpaquePointer?) -> Int32 = { ssl, fresh in
        if let session = unsafe session(of: ssl), let fresh = unsafe fresh { unsafe session.keep(fresh) }
        return 0  // OpenSSL's reference stays OpenSSL's
    }

    static let message:
        @convention(c) (
            Int32, Int32, Int32, UnsafeRawPointer?, Int, OpaquePointer?, UnsafeMutableRawPointer?
        ) -> Void = { isWritten, _, content, bytes, count, ssl, _ in
            guard isWritten == 0, content == SSL3_RT_HANDSHAKE, count > 0, let bytes = unsafe bytes else { return }
            unsafe session(of: ssl)?.noteHandshakeMessage(kind: bytes.load(as: UInt8.self))
        }

    // MARK: Ciphertext

    /// The source and sink of a connection's ciphertext (BIO_meth_new(3)).
    nonisolated(unsafe) static let ciphertext: OpaquePointer = {
        let kind = BIO_get_new_index() | shim_BIO_TYPE_SOURCE_SINK
        guard let method = unsafe BIO_meth_new(kind, "sluice") else {
            preconditionFailure("no memory for a BIO method")
        }
        _ = unsafe BIO_meth_set_read_ex(method, read)
        _ = unsafe BIO_meth_set_write_ex(method, write)
        _ = unsafe BIO_meth_set_ctrl(method, control)
        return unsafe method
    }()

    private static let read:
        @convention(c) (OpaquePointer?, UnsafeMutablePointer<CChar>?, Int, UnsafeMutablePointer<Int>?) -> Int32 = {
            bio, space, capacity, count in
            guard let bio = unsafe bio, let pointer = unsafe BIO_get_data(bio), let space = unsafe space,
                let count = unsafe count
            else { return 0 }
            unsafe shim_BIO_clear_retry_flags(bio)
            let taken = unsafe Unmanaged<TLSSession>.fromOpaque(pointer)._withUnsafeGuaranteedRef { session in
                unsafe session.takeCiphertext(UnsafeMutableRawBufferPointer(start: space, count: capacity))
            }
            unsafe count.pointee = taken
            if taken > 0 { return 1 }
            unsafe shim_BIO_set_retry_read(bio)
            return 0
        }

    private static let write:
        @convention(c) (OpaquePointer?, UnsafePointer<CChar>?, Int, UnsafeMutablePointer<Int>?) -> Int32 = {
            bio, bytes, byteCount, count in
            guard let bio = unsafe bio, let pointer = unsafe BIO_get_data(bio), let count = unsafe count else {
                return 0
            }
            unsafe shim_BIO_clear_retry_flags(bio)
            unsafe Unmanaged<TLSSession>.fromOpaque(pointer)._withUnsafeGuaranteedRef { session in
                unsafe session.putCiphertext(UnsafeRawBufferPointer(start: bytes, count: byteCount))
            }
            unsafe count.pointee = byteCount
            return 1
        }

    /// Nothing is buffered, so a flush has nothing to do; nothing else is supported.
    private static let control: @convention(c) (OpaquePointer?, Int32, Int, UnsafeMutableRawPointer?) -> Int = {
        _, command, _, _ in
        command == BIO_CTRL_FLUSH ? 1 : 0
    }
}
