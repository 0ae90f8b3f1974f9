internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluicePolicy
internal import SluiceTLS

/// Finds out who asks, by name: from what the request says of itself, where its principal may speak for others, and from what the
/// principal is.
///
/// Claims are read in this order: fields of the head, which a mesh or the application's own gateway may set; the platform's
/// envelope; the body's own words for it.
enum Identification {
    /// Names and roles are kept in tables: of longer ones a beginning is, and what tells them apart.
    private static let byteCountMax = 128

    static func identify(_ context: RequestContext) {
        var caller = Caller()
        let principal = context.principal
        let fields = context.exchange.head.fields
        if principal.mayClaim {
            // What the body said has been read already.
            caller.user = text("x-sluice-user", fields) ?? context.caller.user
            caller.role = text("x-sluice-role", fields) ?? context.caller.role
            caller.team = text("x-sluice-team", fields)
            caller.businessLine = text("x-sluice-business-line", fields)
        }
        if context.snapshot.access != nil {
            caller.user = caller.user ?? principal.user
            caller.role = caller.role ?? principal.roles.first
            caller.team = caller.team ?? principal.team
            caller.businessLine = caller.businessLine ?? principal.businessLine
        }
        caller.address = context.exchange.peer.host
        caller.key = principal.kind == .local ? key(fields) : principal.id
        context.caller = caller
    }

    /// What a chat request says of its user: OpenAI's `user` and `safety_identifier`, Anthropic's `metadata.user_id`.
    static func readUser(_ root: JSONValue, _ context: RequestContext) {
        if !context.principal.mayClaim { return }
        let user = root["user"]?.string ?? root["safety_identifier"]?.string ?? root["metadata"]?["user_id"]?.string
        if let user, !user.isEmpty { context.caller.user = cut(user) }
    }

    /// What the platform's envelope says in its `user_info`.
    static func readEnvelope(_ root: JSONValue, _ context: RequestContext) {
        if !context.principal.mayClaim { return }
        if let user = root["user_info"]?["user_id"]?.string, !user.isEmpty { context.caller.user = cut(user) }
        if let role = root["user_info"]?["user_role"]?.string, !role.isEmpty { context.caller.role = cut(role) }
    }

    /// Whose answers these are, as operators name it: the team, or what stands for the credential in logs.
    static func tenant(_ context: RequestContext) -> String {
        let principal = context.principal
        let fields = context.exchange.head.fields
        if let team = context.caller.team { return team }
        if principal.mayClaim, let team = text("x-sluice-team", fields) { return team }
        if principal.kind != .local { return principal.tenant }
        return principal.team ?? context.caller.key ?? key(fields) ?? ""
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
