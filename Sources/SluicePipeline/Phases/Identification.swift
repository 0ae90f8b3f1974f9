internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluicePolicy
internal import SluiceTLS

/// Finds out who asks, from what the request says of itself.
///
/// In this order: fields of the head, which a mesh or the application's own gateway may set; the platform's envelope; the body's
/// own words for it. All of it is claimed.
enum Identification {
    /// Names and roles are kept in tables: of longer ones a beginning is, and what tells them apart.
    private static let byteCountMax = 128

    static func identify(_ context: RequestContext) {
        var caller = Caller()
        let fields = context.exchange.head.fields
        caller.user = text("x-sluice-user", fields)
        caller.role = text("x-sluice-role", fields)
        caller.team = text("x-sluice-team", fields)
        caller.businessLine = text("x-sluice-business-line", fields)
        caller.address = context.exchange.peer.host
        if let index = fields.index(of: .authorization) {
            caller.key = fingerprint(fields.value(at: index))
        } else if let index = fields.index(named: "x-api-key") {
            caller.key = fingerprint(fields.value(at: index))
        }
        // What the body said has been read already.
        caller.user = caller.user ?? context.caller.user
        caller.role = caller.role ?? context.caller.role
        context.caller = caller
    }

    /// What a chat request says of its user: OpenAI's `user` and `safety_identifier`, Anthropic's `metadata.user_id`.
    static func readUser(_ root: JSONValue, _ context: RequestContext) {
        let user = root["user"]?.string ?? root["safety_identifier"]?.string ?? root["metadata"]?["user_id"]?.string
        if let user, !user.isEmpty { context.caller.user = cut(user) }
    }

    /// What the platform's envelope says in its `user_info`.
    static func readEnvelope(_ root: JSONValue, _ context: RequestContext) {
        if let user = root["user_info"]?["user_id"]?.string, !user.isEmpty { context.caller.user = cut(user) }
        if let role = root["user_info"]?["user_role"]?.string, !role.isEmpty { context.caller.role = cut(role) }
    }

    /// Whose answers these are, as operators name it: the team, or what stands for the credential in logs.
    static func tenant(_ context: RequestContext) -> String {
        let fields = context.exchange.head.fields
        if let team = context.caller.team ?? text("x-sluice-team", fields) { return team }
        return context.caller.key ?? key(fields) ?? ""
    }

    private static func key(_ fields: HeaderFields) -> String? {
        if let index = fields.index(of: .authorization) { return fingerprint(fields.value(at: index)) }
        if let index = fields.index(named: "x-api-key") { return fingerprint(fields.value(at: index)) }
        return nil
    }

    private static func text(_ name: StaticString, _ fields: HeaderFields) -> String? {
        guard let index = fields.index(named: name) else { return nil }
        let value = fields.value(at: index)
        return value.isEmpty ? nil : Self.name(value)
    }

    private static func cut(_ text: String) -> String {
        let bytes = text.utf8Span.span
        return bytes.count <= byteCountMax ? text : name(bytes)
    }

    /// The same for the same bytes alone: answers are shared, and limits are divided, by it.
    private static func name(_ bytes: Span<UInt8>) -> String {
        let text = String(decoding: bytes.extracting(0..<min(bytes.count, byteCountMax)))
        // What is not UTF-8 has become the longer for it.
        if bytes.count <= byteCountMax, text.utf8.count == bytes.count { return text }
        return String(decoding: bytes.extracting(0..<min(bytes.count, byteCountMax - 17))) + "~" + fingerprint(bytes)
    }

    private static func fingerprint(_ credential: Span<UInt8>) -> String {
        let hex = ByteBuffer(capacity: 64)
        SHA256.hash(credential).append(hexadecimalTo: hex)
        return String(decoding: hex.span.extracting(0..<16))
    }
}
