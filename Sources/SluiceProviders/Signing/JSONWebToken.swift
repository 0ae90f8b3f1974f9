internal import SluiceCore
internal import SluiceTLS

/// JSON Web Tokens in the compact form (RFC 7515 §3.1).
enum JSONWebToken {
    /// - Parameters:
    ///   - header: a JSON text that says `"alg":"HS256"`.
    ///   - claims: a JSON text.
    static func hs256(header: Span<UInt8>, claims: Span<UInt8>, key: Secret) -> Secret {
        let token = unsigned(header, claims)
        let signature = key.withExposed { MAC.sha256(key: $0, message: token.span) }
        return signed(token, signature.span)
    }

    /// - Parameter header: a JSON text that names the algorithm of the key: RS256 or ES256.
    static func signed(header: Span<UInt8>, claims: Span<UInt8>, key: PrivateKey) throws(TLSError) -> Secret {
        let token = unsigned(header, claims)
        let signature = try key.sign(token.span)
        return signed(token, signature.span)
    }

    private static func unsigned(_ header: Span<UInt8>, _ claims: Span<UInt8>) -> ByteBuffer {
        let token = ByteBuffer(capacity: 512)
        Base64.encode(header, .urlSafe, into: token)
        token.append(UInt8(ascii: "."))
        Base64.encode(claims, .urlSafe, into: token)
        return token
    }

    private static func signed(_ token: ByteBuffer, _ signature: Span<UInt8>) -> Secret {
        token.append(UInt8(ascii: "."))
        Base64.encode(signature, .urlSafe, into: token)
        return Secret(token.span)
    }
}
