internal import COpenSSL
internal import SluiceCore

/// SHA-1 (FIPS 180-4): a name for something, never a proof of it.
package enum SHA1 {
    package static func hash(_ bytes: Span<UInt8>) -> Digest {
        unsafe bytes.withUnsafeBytes { bytes in
            unsafe Digest(byteCount: 20) { space in
                unsafe EVP_Digest(bytes.baseAddress, bytes.count, space.baseAddress, nil, MAC.sha1Algorithm, nil) == 1
            }
        }
    }
}
