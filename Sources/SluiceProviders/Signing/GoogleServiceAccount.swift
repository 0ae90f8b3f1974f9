internal import SluiceCore
package import SluiceJSON
package import SluiceTLS

/// A Google service account, which proves itself with a signed assertion (RFC 7523; Google: "Using OAuth 2.0 for server
/// to server applications").
package struct GoogleServiceAccount: Sendable {
    /// Why a key file cannot be used.
    package enum Malformed: Error, Equatable, Sendable {
        case missing(String)
        /// `token_uri` is no http or https URL.
        case invalidTokenURL
        case unusableKey(TLSError)
    }

    /// What Vertex AI is called with.
    package static let scope = "https://www.googleapis.com/auth/cloud-platform"
    /// The longest that Google allows.
    private static let lifetimeSeconds = 3600

    package let email: String
    private let keyID: String?
    package let tokenURL: String
    private let origin: String
    private let path: String
    private let key: PrivateKey

    /// - Parameter file: the account's JSON file.
    package init(_ file: JSONValue) throws(Malformed) {
        guard let email = file["client_email"]?.string, !email.isEmpty else { throw .missing("client_email") }
        guard let pem = file["private_key"], pem.isString else { throw .missing("private_key") }
        self.email = email
        keyID = file["private_key_id"]?.string
        tokenURL = file["token_uri"]?.string ?? "https://oauth2.googleapis.com/token"
        guard let (origin, path) = Self.split(tokenURL) else { throw .invalidTokenURL }
        (self.origin, self.path) = (origin, path)
        let text = ByteBuffer(capacity: pem.range.count)
        pem.appendString(to: text)
        do {
            key = try PrivateKey(pem: Secret(text.span), name: "private_key of " + email)
        } catch {
            throw .unusableKey(error)
        }
    }

    /// The request for a token.
    ///
    /// - Parameter seconds: since 1970.
    package func tokenRequest(scope: String = GoogleServiceAccount.scope, at seconds: Int) throws(TLSError)
        -> TokenRequest
    {
        TokenRequest.assertion(try assertion(scope: scope, at: seconds), origin: origin, path: path)
    }

    func assertion(scope: String, at seconds: Int) throws(TLSError) -> Secret {
        let claims = ByteBuffer(capacity: 384)
        var writer = JSONWriter(into: claims)
        writer.object { writer in
            writer.key("iss")
            writer.string(email)
            writer.key("scope")
            writer.string(scope)
            writer.key("aud")
            writer.string(tokenURL)
            writer.key("iat")
            writer.int(seconds)
            writer.key("exp")
            writer.int(seconds + Self.lifetimeSeconds)
        }
        return try JSONWebToken.signed(header: header.span, claims: claims.span, key: key)
    }

    private var header: ByteBuffer {
        let header = ByteBuffer(capacity: 96)
        var writer = JSONWriter(into: header)
        writer.object { writer in
            writer.key("alg")
            writer.string(key.kind == .rsa ? "RS256" : "ES256")
            writer.key("typ")
            writer.string("JWT" as StaticString)
            if let keyID {
                writer.key("kid")
                writer.string(keyID)
            }
        }
        return header
    }

    /// `https://host/path` to `https://host` and `/path`.
    private static func split(_ url: String) -> (origin: String, path: String)? {
        let bytes = url.utf8Span.span
        let start = bytes.hasPrefix("https://") ? 8 : bytes.hasPrefix("http://") ? 7 : 0
        if start == 0 { return nil }
        for index in bytes.indices where bytes[index] <= 0x20 || bytes[index] >= 0x7F { return nil }
        let slash = bytes.firstIndex(of: UInt8(ascii: "/"), from: start) ?? bytes.count
        if slash == start { return nil }
        let path = slash == bytes.count ? "/" : String(decoding: bytes.extracting(slash..<bytes.count))
        return (String(decoding: bytes.extracting(0..<slash)), path)
    }
}
