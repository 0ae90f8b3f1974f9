internal import COpenSSL
package import SluiceCore

/// A certificate and its private key as PEM texts.
package struct IssuedCertificate: Sendable {
    package let certificate: [UInt8]
    package let privateKey: Secret

    package init(certificate: [UInt8], privateKey: Secret) {
        self.certificate = certificate
        self.privateKey = privateKey
    }
}

/// Makes certificates (RFC 5280): authorities of one's own, and servers that these vouch for. Keys are on the curve P-256.
package enum CertificateMaking {
    /// When a certificate is good, in seconds since 1970.
    package struct Validity: Sendable {
        package var from: Int64
        package var until: Int64

        package init(from: Int64, until: Int64) {
            self.from = from
            self.until = until
        }
    }

    private static let serialByteCount = 16

    /// An authority that vouches for servers, and for no other authority.
    package static func authority(named name: String, _ validity: Validity) throws(TLSError) -> IssuedCertificate {
        let key = try PrivateKey(generating: .p256)
        let certificate = try begin(name, validity, key)
        unsafe try setIssuer(certificate.raw, named: name)
        unsafe try add(certificate.raw, by: certificate.raw, NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
        unsafe try add(certificate.raw, by: certificate.raw, NID_key_usage, "critical,keyCertSign,cRLSign")
        unsafe try add(certificate.raw, by: certificate.raw, NID_subject_key_identifier, "hash")
        return try finish(certificate, key, signedWith: key)
    }

    /// A server's certificate.
    ///
    /// - Parameters:
    ///   - hosts: DNS names, the first of which is its common name too if that has room; not empty.
    ///   - authority: whose first certificate vouches for it.
    package static func server(
        _ hosts: [String], _ validity: Validity, by authority: IssuedCertificate
    ) throws(TLSError) -> IssuedCertificate {
        let isPlain = hosts.allSatisfy { host in
            !host.isEmpty && host.utf8.allSatisfy { $0.isASCIILetter || $0.isDecimalDigit || "-.*".utf8.contains($0) }
        }
        guard let first = hosts.first, isPlain else { throw TLSError(.configuration, "a server's certificate needs DNS names") }
        let authorityKey = try PrivateKey(pem: authority.privateKey, name: "the authority's key")
        let key = try PrivateKey(generating: .p256)
        // RFC 5280, appendix A.1: a common name has 64 characters at most; hosts are in the alternative names anyway.
        let certificate = try begin(first.utf8.count <= 64 ? first : "sluice", validity, key)
        var isFirst = true
        let file = FileBytes(copying: authority.certificate.span, named: "the authority's certificate")
        try PEM.forEachCertificate(in: file) { (_, issuer) throws(TLSError) in
            if !isFirst { return }
            isFirst = false
            if unsafe X509_set_issuer_name(certificate.raw, X509_get_subject_name(issuer.raw)) != 1 { throw failure() }
            unsafe try add(certificate.raw, by: issuer.raw, NID_basic_constraints, "critical,CA:FALSE")
            unsafe try add(certificate.raw, by: issuer.raw, NID_key_usage, "critical,digitalSignature")
            unsafe try add(certificate.raw, by: issuer.raw, NID_ext_key_usage, "serverAuth")
            unsafe try add(certificate.raw, by: issuer.raw, NID_subject_alt_name, hosts.map { "DNS:" + $0 }.joined(separator: ","))
            unsafe try add(certificate.raw, by: issuer.raw, NID_subject_key_identifier, "hash")
            unsafe try add(certificate.raw, by: issuer.raw, NID_authority_key_identifier, "keyid:always")
        }
        return try finish(certificate, key, signedWith: authorityKey)
    }

    // MARK: Steps

    private static func begin(
        _ name: String, _ validity: Validity, _ key: PrivateKey
    ) throws(TLSError) -> CertificateHandle {
        guard OpenSSLLibrary.isReady, let raw = unsafe X509_new() else { throw failure() }
        let certificate = unsafe CertificateHandle(owning: raw)
        let isSet =
            unsafe X509_set_version(certificate.raw, 2) == 1 && X509_set_pubkey(certificate.raw, key.key.raw) == 1
            && ASN1_TIME_set(X509_getm_notBefore(certificate.raw), Int(validity.from)) != nil
            && ASN1_TIME_set(X509_getm_notAfter(certificate.raw), Int(validity.until)) != nil
        if !isSet { throw failure() }
        unsafe try setSerial(certificate.raw)
        try unsafe append(name, to: X509_get_subject_name(certificate.raw))
        return certificate
    }

    /// Random, positive and not zero (§4.1.2.2).
    @unsafe private static func setSerial(_ certificate: OpaquePointer) throws(TLSError) {
        var bytes = SecureRandom.bytes(serialByteCount)
        bytes[0] = bytes[0] & 0x7F | 0x40
        guard let number = unsafe BN_bin2bn(bytes, Int32(bytes.count), nil) else { throw failure() }
        defer { unsafe BN_free(number) }
        if unsafe BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) == nil { throw failure() }
    }

    @unsafe private static func setIssuer(_ certificate: OpaquePointer, named name: String) throws(TLSError) {
        if unsafe X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) != 1 { throw failure() }
    }

    @unsafe private static func append(_ name: String, to subject: OpaquePointer?) throws(TLSError) {
        let text = Array(name.utf8)
        let isAdded = unsafe X509_NAME_add_entry_by_txt(
            subject, "CN", MBSTRING_FLAG | 0, text, Int32(text.count), -1, 0)
        if isAdded != 1 { throw failure() }
    }

    @unsafe private static func add(
        _ certificate: OpaquePointer, by issuer: OpaquePointer, _ kind: Int32, _ value: String
    ) throws(TLSError) {
        var context = unsafe X509V3_CTX()
        unsafe X509V3_set_ctx(&context, issuer, certificate, nil, nil, 0)
        guard let part = unsafe X509V3_EXT_conf_nid(nil, &context, kind, value) else { throw failure() }
        defer { unsafe X509_EXTENSION_free(part) }
        if unsafe X509_add_ext(certificate, part, -1) != 1 { throw failure() }
    }

    private static func finish(
        _ certificate: borrowing CertificateHandle, _ key: PrivateKey, signedWith signer: PrivateKey
    ) throws(TLSError) -> IssuedCertificate {
        if unsafe X509_sign(certificate.raw, signer.key.raw, EVP_sha256()) == 0 { throw failure() }
        let raw = unsafe certificate.raw
        let text = try unsafe written { bio in unsafe PEM_write_bio_X509(bio, raw) }
        let keyText = try unsafe written { bio in
            unsafe PEM_write_bio_PKCS8PrivateKey(bio, key.key.raw, nil, nil, 0, nil, nil)
        }
        return IssuedCertificate(certificate: text, privateKey: Secret(keyText.span))
    }

    /// What `write` writes to a BIO in memory.
    @unsafe private static func written(_ write: (OpaquePointer) -> Int32) throws(TLSError) -> [UInt8] {
        guard let bio = unsafe BIO_new(BIO_s_secmem()) else { throw failure() }
        defer { unsafe BIO_free(bio) }
        if unsafe write(bio) != 1 { throw failure() }
        var bytes: [UInt8] = []
        while true {
            let part = unsafe [UInt8](unsafeUninitializedCapacity: 4096) { space, count in
                count = Int(max(0, unsafe BIO_read(bio, space.baseAddress, Int32(space.count))))
            }
            if part.isEmpty { break }
            bytes += part
        }
        return bytes
    }

    private static func failure() -> TLSError {
        TLSError(.library, "OpenSSL made no certificate: \(OpenSSLErrorQueue.drainText())")
    }
}

extension CertificateSummary {
    /// What the certificates of a PEM text say of themselves, in their order.
    ///
    /// - Throws: `.configuration` if there is none, or one cannot be read.
    package static func all(of pem: Span<UInt8>, named name: String) throws(TLSError) -> [CertificateSummary] {
        var summaries: [CertificateSummary] = []
        try PEM.forEachCertificate(in: FileBytes(copying: pem, named: name)) { (_, certificate) throws(TLSError) in
            summaries.append(unsafe CertificateSummary(reading: certificate.raw))
        }
        return summaries
    }
}
