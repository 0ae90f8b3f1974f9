internal import COpenSSL
internal import SluiceCore

/// Whom an upstream's certificate must be for: a host name or an IP address.
struct PeerName {
    let text: String

    /// - Throws: `.configuration` for what is neither. An empty name would switch the check off in OpenSSL.
    init(_ host: String) throws(TLSError) {
        var bytes = Array(host.utf8)
        if bytes.count > 2, bytes.first == UInt8(ascii: "["), bytes.last == UInt8(ascii: "]") {
            bytes = Array(bytes[1..<bytes.count - 1])
        }
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        let isName = bytes.allSatisfy { byte in
            byte.isASCIILetter || byte.isDecimalDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
                || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ":")
        }
        if bytes.isEmpty || bytes.count > IdentityTable.nameByteCountMax || !isName {
            throw TLSError(.configuration, "\"\(host)\" is not a host name or an IP address that TLS can check")
        }
        text = String(decoding: bytes.map(\.asciiLowercased), as: UTF8.self)
    }

    /// Makes the handshake fail unless the certificate is for this name, and asks for the name (SNI).
    @unsafe func require(on ssl: OpaquePointer) throws(TLSError) {
        defer { OpenSSLErrorQueue.clear() }
        let parameters = unsafe SSL_get0_param(ssl)
        if unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, text) == 1 { return }
        unsafe X509_VERIFY_PARAM_set_hostflags(parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        let isSet =
            unsafe X509_VERIFY_PARAM_set1_host(parameters, text, 0) == 1
            && shim_SSL_set_tlsext_host_name(ssl, text) == 1
        if !isSet { throw TLSError(.configuration, "TLS cannot check the host name \"\(text)\"") }
    }
}
