internal import COpenSSL
package import SluiceCore

/// One TLS connection, of either role: bytes in, bytes out, no socket.
///
/// Feed what the socket gave to `receive`; send what is in `outbound` after every call, whatever it returned or threw.
/// A session belongs to one event loop. Idle, it holds no buffer, neither ours nor OpenSSL's.
@safe package final class TLSSession {
    /// What one `receive` did.
    package struct Progress: Equatable {
        package enum Next: Equatable {
            /// All that came has been given out.
            case needsInput
            /// The space was full before the bytes were used up: call again with an empty span, before feeding more.
            case hasMore
            /// The peer said close_notify: what came is complete and no more will come.
            case ended
        }

        /// How many bytes were written at the front of the space.
        package var plaintextByteCount = 0
        /// True once in a session's life: this call finished the handshake, so `negotiated` is there and `send` works.
        package var completedHandshake = false
        package var next = Next.needsInput
    }

    /// Ciphertext to send.
    package let outbound = ByteQueue()
    /// Whether the handshake is done. Stays true after the end.
    package private(set) var isEstablished = false
    /// Whether the peer has said close_notify.
    package private(set) var hasEnded = false

    let context: TLSContext
    let handle: SSLHandle
    private let sessionKey: SessionCache.Key?
    private var source = CiphertextSource()
    private var budget = ControlMessageBudget()
    private var opening = OpeningBytes()
    private var refusedCertificate: RefusedCertificate?
    private(set) var failure: TLSError?
    var hasSaidClose = false

    /// A connection that was accepted.
    ///
    /// - Throws: `.library` if there is no memory.
    package init(downstream context: TLSContext) throws(TLSError) {
        precondition(context.role == .downstream, "a downstream session of an upstream context")
        self.context = context
        handle = try SSLHandle(context.handles[0])
        sessionKey = nil
        try attach()
        unsafe SSL_set_accept_state(handle.raw)
    }

    /// A connection that was dialled. The first flight is in `outbound` when this returns.
    ///
    /// - Parameters:
    ///   - host: the name or IP address that the certificate must be for; it is also sent as the server name, unless it
    ///     is an address (RFC 6066 §3). An IPv6 address may stand in brackets.
    ///   - port: tells apart what sessions are resumed from.
    /// - Throws: `.configuration` for a host that is no name.
    package init(upstream context: TLSContext, host: String, port: UInt16) throws(TLSError) {
        precondition(context.role == .upstream, "an upstream session of a downstream context")
        self.context = context
        handle = try SSLHandle(context.handles[0])
        let expectation = try PeerName(host)
        let key = SessionCache.Key(host: expectation.text, port: port)
        sessionKey = key
        try attach()
        unsafe try expectation.require(on: handle.raw)
        unsafe context.sessionCache.offer(for: key, on: handle.raw)
        unsafe SSL_set_connect_state(handle.raw)
        _ = try handshake()
    }

    private func attach() throws(TLSError) {
        let ssl = unsafe handle.raw
        let me = unsafe Unmanaged.passUnretained(self).toOpaque()
        let isKnown = unsafe SSL_set_ex_data(ssl, TLSThunks.sessionSlot, me) == 1
        guard isKnown, let bio = unsafe BIO_new(TLSThunks.ciphertext) else {
            throw TLSError(.library, "OpenSSL made no BIO: \(OpenSSLErrorQueue.drainText())")
        }
        unsafe BIO_set_data(bio, me)
        unsafe BIO_set_init(bio, 1)
        unsafe SSL_set_bio(ssl, bio, bio)
    }

    // MARK: Receiving

    /// Takes ciphertext, goes on with the handshake, and writes plaintext into the space.
    ///
    /// A space at least as large as the ciphertext and 16 KB takes all of it, and then nothing is copied aside.
    /// - Parameter space: must not overlap the ciphertext. Its size bounds what one call produces.
    /// - Throws: once the plaintext before the fault has been given out; from then on, always the same error.
    @unsafe package func receive(
        _ ciphertext: Span<UInt8>, into space: UnsafeMutableRawBufferPointer
    ) throws(TLSError) -> Progress {
        try unsafe ciphertext.withUnsafeBytes { (bytes) throws(TLSError) -> Progress in
            try unsafe receive(bytes, into: space)
        }
    }

    /// The same for bytes that are in unmanaged memory already.
    @unsafe package func receive(
        _ ciphertext: UnsafeRawBufferPointer, into space: UnsafeMutableRawBufferPointer
    ) throws(TLSError) -> Progress {
        if let failure { throw failure }
        if hasEnded { return Progress(next: .ended) }
        if !opening.isComplete { unsafe opening.note(ciphertext) }
        unsafe source.feed(ciphertext)
        defer { source.keepRest() }
        OpenSSLErrorQueue.clear()
        var progress = Progress()
        if !isEstablished {
            if try !handshake() { return progress }
            progress.completedHandshake = true
        }
        unsafe try read(into: space, &progress)
        return progress
    }

    /// The same, with the plaintext appended to a buffer: for bodies that are collected whole.
    ///
    /// - Parameter limit: bounds what one call produces, in bytes; at least 1.
    package func receive(
        _ ciphertext: Span<UInt8>, appendingTo buffer: ByteBuffer, atMost limit: Int = 64 << 10
    ) throws(TLSError) -> Progress {
        let result = unsafe ciphertext.withUnsafeBytes { bytes in
            var result = Result<Progress, TLSError>.success(Progress())
            unsafe buffer.appendUnsafe(minimum: limit) { space in
                let bounded = unsafe UnsafeMutableRawBufferPointer(rebasing: space[..<limit])
                result = Result { () throws(TLSError) in unsafe try receive(bytes, into: bounded) }
                return (try? result.get().plaintextByteCount) ?? 0
            }
            return result
        }
        return try result.get()
    }

    /// Tells that the socket has no more bytes.
    ///
    /// - Throws: `.truncated` unless the peer said close_notify before, `.closedInHandshake` before the end of the
    ///   handshake. Call it when `receive` has given out everything.
    package func receiveEnd() throws(TLSError) {
        if let failure { throw failure }
        if hasEnded { return }
        if isEstablished {
            throw fail(TLSError(.truncated, "the connection was cut: it ended without TLS close_notify"))
        }
        throw fail(.closedInHandshake(context.role, opening))
    }

    /// Whether the handshake is done.
    private func handshake() throws(TLSError) -> Bool {
        let ssl = unsafe handle.raw
        let result = unsafe SSL_do_handshake(ssl)
        if result == 1 {
            try checkApplicationProtocol()
            isEstablished = true
            OpenSSLErrorQueue.clear()
            return true
        }
        if unsafe SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ { return false }
        throw fail(explain())
    }

    private func read(into space: UnsafeMutableRawBufferPointer, _ progress: inout Progress) throws(TLSError) {
        let ssl = unsafe handle.raw
        while progress.plaintextByteCount < space.count {
            let filled = progress.plaintextByteCount
            var count = 0
            let result = unsafe SSL_read_ex(ssl, space.baseAddress! + filled, space.count - filled, &count)
            if result == 1 {
                progress.plaintextByteCount += count
                budget.earn(byCount: count)
                if unsafe source.isEmpty && SSL_pending(ssl) == 0 { return }
                continue
            }
            return try stopped(unsafe SSL_get_error(ssl, result), &progress)
        }
        if unsafe !source.isEmpty || SSL_pending(ssl) > 0 { progress.next = .hasMore }
    }

    private func stopped(_ code: Int32, _ progress: inout Progress) throws(TLSError) {
        let error: TLSError
        switch code {
        case SSL_ERROR_WANT_READ where !budget.isExceeded:
            return
        case SSL_ERROR_WANT_READ:
            error = fail(budget.error)
        case SSL_ERROR_ZERO_RETURN:
            hasEnded = true
            source.removeAll()
            progress.next = .ended
            return
        default:
            error = fail(explain())
        }
        if progress.plaintextByteCount == 0, !progress.completedHandshake { throw error }
        progress.next = .hasMore
    }

    // MARK: What OpenSSL calls

    @unsafe func takeCiphertext(_ space: UnsafeMutableRawBufferPointer) -> Int {
        budget.isExceeded ? 0 : unsafe source.take(space)
    }

    @unsafe func putCiphertext(_ bytes: UnsafeRawBufferPointer) {
        if bytes.count <= Self.copiedTogetherAtMost { return unsafe outbound.append(bytes) }
        let buffer = ByteBuffer(capacity: bytes.count)
        unsafe buffer.append(bytes)
        outbound.append(sharing: buffer)
    }

    /// A longer record gets memory of its own: growing one buffer for many of them would copy them again and again.
    private static let copiedTogetherAtMost = 4 << 10

    func noteHandshakeMessage(kind: UInt8) {
        if isEstablished { budget.spend(kind) }
    }

    @unsafe func noteRefusedCertificate(_ store: OpaquePointer) {
        if refusedCertificate == nil { unsafe refusedCertificate = RefusedCertificate(store) }
    }

    @unsafe func keep(_ session: OpaquePointer) {
        if let sessionKey { unsafe context.sessionCache.add(session, for: sessionKey) }
    }

    // MARK: Failing

    func fail(_ error: TLSError) -> TLSError {
        failure = error
        source.removeAll()
        if !isEstablished, let sessionKey { context.sessionCache.forget(sessionKey) }
        return error
    }

    func explain() -> TLSError {
        if budget.isExceeded {
            OpenSSLErrorQueue.clear()
            return budget.error
        }
        let errors = OpenSSLErrorQueue.drain()
        let name = sessionKey?.host
        return TLSError.explaining(errors, context.role, peer: name, opening, refusedCertificate)
    }

    private func checkApplicationProtocol() throws(TLSError) {
        guard context.role == .upstream else { return }
        let agreed = unsafe Self.applicationProtocol(of: handle.raw)
        if let agreed, agreed == .none || context.applicationProtocols.contains(agreed) { return }
        throw fail(TLSError(.negotiation, "the upstream chose an application protocol that was not offered"))
    }
}
