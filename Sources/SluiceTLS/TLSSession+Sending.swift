internal import COpenSSL
package import SluiceCore

extension TLSSession {
    /// Encrypts into `outbound`, in records of at most 16 KB.
    ///
    /// - Throws: `.notOpen` before the handshake is done and after `close()`; the error of the session if it failed.
    package func send(_ plaintext: Span<UInt8>) throws(TLSError) {
        try unsafe plaintext.withUnsafeBytes { (bytes) throws(TLSError) in try unsafe send(bytes) }
    }

    /// The same for bytes that are in unmanaged memory already.
    @unsafe package func send(_ plaintext: UnsafeRawBufferPointer) throws(TLSError) {
        try checkOpen()
        OpenSSLErrorQueue.clear()
        try unsafe encrypt(plaintext)
    }

    /// Encrypts from the front of a queue into `outbound` and consumes what it encrypted. Small runs share a record.
    ///
    /// - Parameter limit: plaintext bytes to take at most. What waits as plaintext is often shared; what waits as
    ///   ciphertext never is: take little more than the socket takes.
    /// - Returns: how many bytes were taken.
    @discardableResult
    package func send(draining queue: ByteQueue, atMost limit: Int = 64 << 10) throws(TLSError) -> Int {
        try checkOpen()
        OpenSSLErrorQueue.clear()
        var rest = min(limit, queue.count)
        let total = rest
        while rest > 0 {
            let sent = try sendRecord(queue, atMost: rest)
            queue.consume(sent)
            rest -= sent
        }
        return total
    }

    /// The most plaintext a record holds (RFC 8446 §5.1), in bytes.
    private static let recordByteCountMax = 16 << 10

    private func sendRecord(_ queue: ByteQueue, atMost rest: Int) throws(TLSError) -> Int {
        let first = unsafe queue.run(0)
        let wanted = min(rest, Self.recordByteCountMax)
        if first.count >= wanted {
            // Whole records straight from where the bytes are.
            let whole = max(min(first.count, rest) / wanted * wanted, wanted)
            try unsafe encrypt(UnsafeRawBufferPointer(rebasing: first[..<whole]))
            return whole
        }
        let failure = unsafe withUnsafeTemporaryAllocation(byteCount: wanted, alignment: 16) { space in
            unsafe Self.gather(queue, into: space)
            do throws(TLSError) {
                try unsafe encrypt(UnsafeRawBufferPointer(space))
                return TLSError?.none
            } catch {
                return error
            }
        }
        if let failure { throw failure }
        return wanted
    }

    /// Fills the space from the front of a queue that has at least that many bytes.
    private static func gather(_ queue: ByteQueue, into space: UnsafeMutableRawBufferPointer) {
        var filled = 0
        var index = 0
        while filled < space.count {
            let run = unsafe queue.run(index)
            let count = min(run.count, space.count - filled)
            let target = unsafe UnsafeMutableRawBufferPointer(rebasing: space[filled..<filled + count])
            unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: run[..<count]))
            filled += count
            index += 1
        }
    }

    private func encrypt(_ plaintext: UnsafeRawBufferPointer) throws(TLSError) {
        let ssl = unsafe handle.raw
        var sent = 0
        while sent < plaintext.count {
            var count = 0
            let result = unsafe SSL_write_ex(ssl, plaintext.baseAddress! + sent, plaintext.count - sent, &count)
            if result != 1 { throw fail(explain()) }
            sent += count
        }
    }

    private func checkOpen() throws(TLSError) {
        if let failure { throw failure }
        if !isEstablished { throw TLSError(.notOpen, "bytes were to be sent before the TLS handshake was done") }
        if hasSaidClose { throw TLSError(.notOpen, "bytes were to be sent after TLS close_notify") }
    }

    /// Puts close_notify into `outbound`, once, if the connection is in a state to say it. Receiving may go on.
    package func close() {
        if !isEstablished || hasSaidClose || failure != nil { return }
        hasSaidClose = true
        OpenSSLErrorQueue.clear()
        _ = unsafe SSL_shutdown(handle.raw)
        OpenSSLErrorQueue.clear()
    }
}
