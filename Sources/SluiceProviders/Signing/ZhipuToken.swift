package import SluiceCore
internal import SluiceJSON

/// The tokens that Zhipu GLM takes in place of a key: signed with the key's secret half, and short-lived.
///
/// Keeps the token it made last. Owned by one event loop, or guarded.
package struct ZhipuToken: Sendable {
    /// As the vendor's own library has them.
    private static let lifetimeSeconds = 210
    private static let marginSeconds = 30

    private let id: String
    private let secret: Secret
    private var last: ExpiringToken?

    /// - Returns: `nil` unless the key is `id.secret`.
    package init?(key: Secret) {
        let parts = key.withExposed { key -> (String, Secret)? in
            guard let dot = key.firstIndex(of: UInt8(ascii: ".")), dot > 0, dot + 1 < key.count else { return nil }
            return (String(decoding: key.extracting(0..<dot)), Secret(key.extracting(dot + 1..<key.count)))
        }
        guard let parts else { return nil }
        (id, secret) = parts
    }

    /// The token for `Authorization: Bearer`.
    ///
    /// - Parameter milliseconds: since 1970.
    package mutating func token(atMilliseconds milliseconds: Int) -> Secret {
        let seconds = milliseconds / 1000
        if let last, last.isGood(at: seconds, marginSeconds: Self.marginSeconds),
            last.expiresAt <= seconds + Self.lifetimeSeconds  // else the clock was set back: it is not good yet
        {
            return last.value
        }
        let fresh = ExpiringToken(make(milliseconds), expiresAt: seconds + Self.lifetimeSeconds)
        last = fresh
        return fresh.value
    }

    /// The provider refused the token (codes 1003 and 1004): the next one is new.
    package mutating func forget() { last = nil }

    private func make(_ milliseconds: Int) -> Secret {
        let claims = ByteBuffer(capacity: 128)
        var writer = JSONWriter(into: claims)
        writer.object { writer in
            writer.key("api_key")
            writer.string(id)
            writer.key("exp")
            writer.int(milliseconds + Self.lifetimeSeconds * 1000)
            writer.key("timestamp")
            writer.int(milliseconds)
        }
        return JSONWebToken.hs256(
            header: #"{"alg":"HS256","sign_type":"SIGN"}"#.utf8Span.span, claims: claims.span, key: secret)
    }
}
