internal import SluiceTLS

/// What the mock gives out and knows again: signatures of thoughts, and access tokens that say when they end.
enum Seal {
    private static let key = Array("sluice mock seal".utf8)

    /// A signature over what was thought or called.
    static func signature(_ text: String) -> String {
        SignedText.base64(SignedText.mac(key, "thought\n" + text))
    }

    static func isSignature(_ signature: String, of text: String) -> Bool { Self.signature(text) == signature }

    /// A token that ends `lifetime` seconds from `now`.
    static func token(_ kind: String, now: Int, lifetime: Int) -> String {
        let body = "\(now + lifetime)"
        return "\(kind).\(body).\(SignedText.hex(SignedText.mac(key, "\(kind)\n\(body)")).prefix(32))"
    }

    enum TokenState { case valid, expired, unknown }

    static func state(of token: String, _ kind: String, now: Int) -> TokenState {
        guard token.hasPrefix(kind + ".") else { return .unknown }
        let parts = token.dropFirst(kind.count + 1).split(separator: ".")
        guard parts.count == 2, let end = Int(parts[0]),
            SignedText.hex(SignedText.mac(key, "\(kind)\n\(parts[0])")).prefix(32) == parts[1]
        else { return .unknown }
        return now < end ? .valid : .expired
    }
}
