internal import COpenSSL
internal import SluiceCore

/// Reads certificates and keys out of PEM files (RFC 7468), with errors that name the file.
enum PEM {
    /// Calls `body` with each certificate of a file, in order.
    ///
    /// - Returns: how many there were; at least one.
    /// - Throws: `.configuration` if there is none or one cannot be read, and what `body` throws.
    @discardableResult
    static func forEachCertificate(
        in file: FileBytes, _ body: (Int, borrowing CertificateHandle) throws(TLSError) -> Void
    ) throws(TLSError) -> Int {
        try unsafe file.span.withUnsafeBufferPointer { (bytes) throws(TLSError) -> Int in
            let bio = try unsafe FileBIO(reading: bytes)
            var count = 0
            while let raw = unsafe PEM_read_bio_X509(bio.raw, nil, refusePassphrase, nil) {
                try body(count, unsafe CertificateHandle(owning: raw))
                count += 1
            }
            let errors = OpenSSLErrorQueue.drain()
            let endedWell = errors.last.map { $0.library == ERR_LIB_PEM && $0.reason == PEM_R_NO_START_LINE } ?? true
            if !endedWell {
                let why = errors.first?.text ?? "malformed"
                throw TLSError(.configuration, "\(file.path): certificate \(count + 1) cannot be read: \(why)")
            }
            if count == 0 { throw nothingFound("certificate", in: file.span, named: file.path) }
            return count
        }
    }

    /// Reads the first private key of a file.
    ///
    /// - Throws: `.configuration` if there is none, or it is malformed or protected by a passphrase.
    static func privateKey(in file: FileBytes) throws(TLSError) -> PrivateKeyHandle {
        try privateKey(in: file.span, named: file.path)
    }

    /// The same of a text that is no file.
    ///
    /// - Parameter name: what the text is called in errors.
    static func privateKey(in text: Span<UInt8>, named name: String) throws(TLSError) -> PrivateKeyHandle {
        let (raw, isEncrypted) = try unsafe text.withUnsafeBufferPointer {
            (bytes) throws(TLSError) -> (OpaquePointer?, Bool) in
            let bio = try unsafe FileBIO(reading: bytes)
            var wasAsked = false
            let raw = unsafe withUnsafeMutablePointer(to: &wasAsked) { asked in
                unsafe PEM_read_bio_PrivateKey(bio.raw, nil, refusePassphrase, asked)
            }
            return unsafe (raw, wasAsked)
        }
        let errors = OpenSSLErrorQueue.drain()
        if let raw = unsafe raw { return unsafe PrivateKeyHandle(owning: raw) }
        if isEncrypted {
            throw TLSError(
                .configuration, "\(name): the private key is protected by a passphrase; store it without one")
        }
        if !holds("PRIVATE KEY-----", text) { throw nothingFound("private key", in: text, named: name) }
        throw TLSError(
            .configuration, "\(name): the private key cannot be read: \(errors.first?.text ?? "malformed")")
    }

    private static func nothingFound(_ what: String, in text: Span<UInt8>, named name: String) -> TLSError {
        let hint =
            holds("-----BEGIN", text) ? "it holds PEM blocks of another kind" : "it is not PEM (no -----BEGIN line)"
        return TLSError(.configuration, "\(name) holds no \(what): \(hint)")
    }

    private static func holds(_ wanted: StaticString, _ bytes: Span<UInt8>) -> Bool {
        let first = unsafe wanted.utf8Start.pointee
        var at = 0
        while let found = bytes.firstIndex(of: first, from: at) {
            if bytes.extracting(found..<bytes.count).hasPrefix(wanted) { return true }
            at = found + 1
        }
        return false
    }
}

/// Without a callback OpenSSL asks on the terminal. The user data, if any, is a `Bool` to set.
private let refusePassphrase:
    @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) ->
        Int32 = { _, _, _, asked in
            unsafe asked?.assumingMemoryBound(to: Bool.self).pointee = true
            return -1
        }
