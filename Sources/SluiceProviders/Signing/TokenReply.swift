package import SluiceCore
package import SluiceHTTP
package import SluiceJSON

/// What a token endpoint answered.
package struct TokenReply: Sendable {
    package let token: Secret
    package let lifetimeSeconds: Int

    /// The token was not given.
    package struct Refusal: Error, Equatable, Sendable {
        package let status: Status
        /// OAuth's name for it, such as `invalid_client`; empty if there was none.
        package let code: String
        /// In the platform's words, cut at `messageBytesMax`.
        package let message: String

        static let messageBytesMax = 512

        /// Whether the endpoint does not accept who asks, as a provider does that answers 401 (RFC 6749 §5.2).
        package var isOfCredentials: Bool {
            switch code {
            case "invalid_client", "invalid_grant", "unauthorized_client", "access_denied": true
            default: status == 401 || status == 403
            }
        }

        /// Whether asking again gives the same: the credentials or the settings are wrong (RFC 6749 §5.2).
        package var isPermanent: Bool {
            switch code {
            case "invalid_client", "invalid_grant", "invalid_request", "invalid_scope", "unauthorized_client",
                "unsupported_grant_type", "access_denied":
                true
            case "temporarily_unavailable", "server_error": false
            default: status == 400 || status == 401 || status == 403 || status == 404
            }
        }
    }

    /// What is assumed where nothing is said (`expires_in` is only recommended, RFC 6749 §5.1).
    private static let lifetimeSecondsAssumed = 300
    private static let lifetimeSecondsMax = 366 * 86_400

    /// Reads an OAuth reply: `access_token` and `expires_in`, or `error` and `error_description`, whatever the status.
    ///
    /// - Parameter body: `nil` if it is not JSON.
    package static func oauth(_ body: JSONValue?, status: Status) throws(Refusal) -> TokenReply {
        guard let body else { throw unreadable(status) }
        if let token = token(body["access_token"]), status.isSuccess {
            let lifetime = seconds(body["expires_in"]) ?? lifetimeSecondsAssumed
            if lifetime <= 0 { throw Refusal(status: status, code: "", message: "the token has expired already") }
            return TokenReply(token: token, lifetimeSeconds: min(lifetime, lifetimeSecondsMax))
        }
        let code = body["error"]?.string ?? body["error"]?["code"]?.string
        let message = body["error_description"]?.string ?? body["error"]?["message"]?.string ?? body["message"]?.string
        if code == nil && message == nil { throw unreadable(status) }
        throw Refusal(status: status, code: code ?? body["code"]?.string ?? "", message: shortened(message ?? ""))
    }

    /// Reads the reply of Baidu's BCE-BEARER endpoint: `token`, with `createTime` and `expireTime`.
    package static func baiduBearer(_ body: JSONValue?, status: Status) throws(Refusal) -> TokenReply {
        guard let body, let token = token(body["token"]), status.isSuccess else {
            return try oauth(body, status: status)
        }
        guard let made = time(body["createTime"]), let ends = time(body["expireTime"]), ends > made else {
            throw Refusal(status: status, code: "", message: "the token's times cannot be read")
        }
        return TokenReply(token: token, lifetimeSeconds: min((ends - made) / 1000, lifetimeSecondsMax))
    }

    /// The token with its end on our clock.
    package func expiring(receivedAt seconds: Int) -> ExpiringToken {
        ExpiringToken(token, expiresAt: seconds + lifetimeSeconds)
    }

    private static func token(_ value: JSONValue?) -> Secret? {
        guard let value, value.isString else { return nil }
        let bytes = ByteBuffer(capacity: value.range.count)
        value.appendString(to: bytes)
        for index in 0..<bytes.count where bytes[index] <= 0x20 || bytes[index] >= 0x7F { return nil }
        return bytes.isEmpty ? nil : Secret(bytes.span)
    }

    /// A number, or one in quotation marks.
    private static func seconds(_ value: JSONValue?) -> Int? {
        guard let value else { return nil }
        if let text = value.unescapedBytes { return ASCII.decimal(text) }
        return value.int
    }

    private static func time(_ value: JSONValue?) -> Int? {
        guard let value, let text = value.unescapedBytes else { return nil }
        return CivilDate.milliseconds(rfc3339: text)
    }

    private static func unreadable(_ status: Status) -> Refusal {
        Refusal(status: status, code: "", message: "the reply is neither a token nor an error")
    }

    private static func shortened(_ text: String) -> String {
        let bytes = text.utf8Span.span
        return bytes.count <= Refusal.messageBytesMax
            ? text : String(decoding: bytes.extracting(0..<Refusal.messageBytesMax))
    }
}
