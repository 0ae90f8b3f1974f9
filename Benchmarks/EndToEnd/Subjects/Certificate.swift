internal import COpenSSL
internal import Glibc

/// A self-signed certificate for 127.0.0.1, made for one run: P-256, as most certificates of the public web now are.
struct Certificate {
    private static let secondsValid = 86_400

    let certificatePath: String
    let keyPath: String
    /// Certificate and key in one file, which is how HAProxy wants them.
    let bundlePath: String

    init(in directory: String) throws(Failure) {
        certificatePath = "\(directory)/certificate.pem"
        keyPath = "\(directory)/key.pem"
        bundlePath = "\(directory)/bundle.pem"
        guard let key = unsafe Self.makeKey() else { throw Failure("cannot make a key: no P-256 in OpenSSL") }
        defer { unsafe EVP_PKEY_free(key) }
        guard let certificate = unsafe Self.makeCertificate(for: key) else {
            throw Failure("cannot make a certificate")
        }
        defer { unsafe X509_free(certificate) }
        unsafe try Self.write(to: certificatePath) { unsafe PEM_write_X509($0, certificate) }
        unsafe try Self.write(to: keyPath) { unsafe PEM_write_PrivateKey($0, key, nil, nil, 0, nil, nil) }
        try Files.write((Files.read(certificatePath) ?? "") + (Files.read(keyPath) ?? ""), to: bundlePath)
    }

    private static func makeKey() -> OpaquePointer? {
        guard let context = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil) else { return nil }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_keygen_init(context) == 1,
            unsafe EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1,
            unsafe EVP_PKEY_keygen(context, &key) == 1
        else { return nil }
        return unsafe key
    }

    private static func makeCertificate(for key: OpaquePointer) -> OpaquePointer? {
        guard let certificate = unsafe X509_new() else { return nil }
        let name = unsafe X509_get_subject_name(certificate)
        unsafe X509_set_version(certificate, 2)
        unsafe ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1)
        unsafe X509_gmtime_adj(X509_getm_notBefore(certificate), -3_600)
        unsafe X509_gmtime_adj(X509_getm_notAfter(certificate), secondsValid)
        unsafe X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, Array("127.0.0.1".utf8), -1, -1, 0)
        unsafe X509_set_issuer_name(certificate, name)
        unsafe X509_set_pubkey(certificate, key)
        guard unsafe X509_sign(certificate, key, EVP_sha256()) > 0 else {
            unsafe X509_free(certificate)
            return nil
        }
        return unsafe certificate
    }

    private static func write(
        to path: String, _ content: (UnsafeMutablePointer<FILE>) -> Int32
    ) throws(Failure) {
        guard let file = unsafe fopen(path, "w") else { throw Failure("cannot write \(path): \(SystemError.last)") }
        let isWritten = unsafe content(file) == 1
        guard unsafe fclose(file) == 0, isWritten else { throw Failure("cannot write \(path)") }
    }
}
