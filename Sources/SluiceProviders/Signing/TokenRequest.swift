package import SluiceCore
package import SluiceHTTP

/// A request that exchanges credentials for a token. It is a secret but for where it goes.
package struct TokenRequest: Sendable {
    package let method: Method
    /// Scheme, host and port, without a slash at the end: `https://aip.baidubce.com`.
    package let origin: String
    /// Path and query.
    package let target: Secret
    /// Of the body; `nil` if there is none.
    package let contentType: String?
    package let body: Secret

    private static let form = "application/x-www-form-urlencoded"

    /// Baidu's v1 token (OAuth client credentials, in the query).
    ///
    /// - Parameter path: where tokens are, if not where Baidu has them.
    package static func baidu(
        apiKey: Secret, secretKey: Secret, origin: String = "https://aip.baidubce.com", path: String? = nil
    ) -> TokenRequest {
        let target = ByteBuffer(path ?? "/oauth/2.0/token")
        target.append("?grant_type=client_credentials&client_id=")
        append(apiKey, to: target)
        target.append("&client_secret=")
        append(secretKey, to: target)
        return TokenRequest(
            method: .post, origin: origin, target: Secret(target.span), contentType: nil, body: Secret(""))
    }

    /// Microsoft Entra ID, by client credentials.
    ///
    /// - Parameter scope: `https://cognitiveservices.azure.com/.default`, or `https://ai.azure.com/.default` for v1.
    /// - Parameter path: where tokens are, if not where Microsoft has those of the tenant.
    package static func azure(
        tenant: String, clientID: String, clientSecret: Secret, scope: String,
        origin: String = "https://login.microsoftonline.com", path: String? = nil
    ) -> TokenRequest {
        let target = ByteBuffer(path ?? "/")
        if path == nil {
            PathSegment.append(tenant.utf8Span.span, to: target)
            target.append("/oauth2/v2.0/token")
        }
        let body = ByteBuffer("grant_type=client_credentials&client_id=")
        PercentEncoding.append(clientID.utf8Span.span, to: body)
        body.append("&client_secret=")
        append(clientSecret, to: body)
        body.append("&scope=")
        PercentEncoding.append(scope.utf8Span.span, to: body)
        return TokenRequest(
            method: .post, origin: origin, target: Secret(target.span), contentType: form, body: Secret(body.span))
    }

    /// A signed assertion for a token (RFC 7523 §2.1).
    ///
    /// - Parameter url: where to, from the account's file.
    static func assertion(_ assertion: Secret, origin: String, path: String) -> TokenRequest {
        let body = ByteBuffer("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=")
        append(assertion, to: body)
        return TokenRequest(
            method: .post, origin: origin, target: Secret(path), contentType: form, body: Secret(body.span))
    }

    private static func append(_ secret: Secret, to buffer: ByteBuffer) {
        secret.withExposed { PercentEncoding.append($0, to: buffer) }
    }
}
