internal import COpenSSL
internal import Glibc
internal import SluiceCore

extension CertificateSummary {
    /// Reads an X509, which stays the caller's.
    @unsafe init(reading certificate: OpaquePointer) {
        unsafe self.init(
            commonName: Self.commonName(X509_get_subject_name(certificate)),
            issuerCommonName: Self.commonName(X509_get_issuer_name(certificate)),
            serialNumber: Self.hexadecimal(X509_get0_serialNumber(certificate)),
            fingerprint: Self.fingerprint(of: certificate),
            notBefore: Self.seconds(X509_get0_notBefore(certificate)),
            notAfter: Self.seconds(X509_get0_notAfter(certificate)))
        unsafe readAlternativeNames(of: certificate)
        OpenSSLErrorQueue.clear()
    }

    private mutating func readAlternativeNames(of certificate: OpaquePointer) {
        guard let list = unsafe X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return }
        let names = OpaquePointer(list)
        defer { unsafe GENERAL_NAMES_free(names) }
        let count = unsafe min(OPENSSL_sk_num(names), Int32(Self.namesMax))
        for index in 0..<max(count, 0) {
            guard let entry = unsafe OPENSSL_sk_value(names, index) else { continue }
            let name = unsafe entry.assumingMemoryBound(to: GENERAL_NAME.self)
            var kind: Int32 = 0
            guard let value = unsafe GENERAL_NAME_get0_value(name, &kind) else { continue }
            unsafe add(kind, value)
        }
    }

    private mutating func add(_ kind: Int32, _ value: UnsafeMutableRawPointer) {
        guard kind == GEN_DNS || kind == GEN_URI || kind == GEN_EMAIL || kind == GEN_IPADD else { return }
        let string = unsafe value.assumingMemoryBound(to: ASN1_STRING.self)
        let bytes = unsafe UnsafeBufferPointer(
            start: ASN1_STRING_get0_data(string), count: Int(max(ASN1_STRING_length(string), 0)))
        if kind == GEN_IPADD {
            if let address = unsafe Self.address(bytes) { ipAddresses.append(address) }
            return
        }
        guard let text = unsafe Self.printable(bytes) else { return }
        switch kind {
        case GEN_DNS: dnsNames.append(text)
        case GEN_URI: uris.append(text)
        default: emails.append(text)
        }
    }

    /// The text, unless it is empty, holds a control character or is not UTF-8. A NUL inside has fooled others.
    private static func printable(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        if bytes.isEmpty || bytes.count > 1024 { return nil }
        if unsafe bytes.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return nil }
        return unsafe String(validating: bytes, as: UTF8.self)
    }

    private static func address(_ bytes: UnsafeBufferPointer<UInt8>) -> String? {
        let family: Int32
        switch bytes.count {
        case 4: family = AF_INET
        case 16: family = AF_INET6
        default: return nil
        }
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
            guard unsafe inet_ntop(family, bytes.baseAddress, text.baseAddress, socklen_t(text.count)) != nil else {
                return nil
            }
            return unsafe text.baseAddress.map { unsafe String(cString: $0) }
        }
    }

    private static func commonName(_ name: OpaquePointer?) -> String? {
        let position = unsafe X509_NAME_get_index_by_NID(name, NID_commonName, -1)
        guard position >= 0, let entry = unsafe X509_NAME_get_entry(name, position) else { return nil }
        var text: UnsafeMutablePointer<UInt8>?
        let count = unsafe ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry))
        guard count >= 0, let text = unsafe text else { return nil }
        defer { unsafe CRYPTO_free(text, nil, 0) }
        return unsafe printable(UnsafeBufferPointer(start: text, count: Int(count)))
    }

    private static func hexadecimal(_ number: UnsafePointer<ASN1_INTEGER>?) -> String {
        guard let big = unsafe ASN1_INTEGER_to_BN(number, nil) else { return "" }
        defer { unsafe BN_free(big) }
        guard let text = unsafe BN_bn2hex(big) else { return "" }
        defer { unsafe CRYPTO_free(text, nil, 0) }
        return unsafe String(cString: text)
    }

    private static func fingerprint(of certificate: OpaquePointer) -> Digest {
        unsafe Digest(byteCount: 32) { space in
            var count: UInt32 = 0
            return unsafe X509_digest(certificate, EVP_sha256(), space.baseAddress, &count) == 1 && count == 32
        }
    }

    private static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64 {
        var parts = unsafe tm()
        if unsafe ASN1_TIME_to_tm(time, &parts) != 1 { return 0 }
        return Int64(unsafe timegm(&parts))
    }
}
