internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluicePolicy

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
            readFields(fields, &caller)
            caller.user = caller.user ?? context.caller.user
            caller.role = caller.role ?? context.caller.role
        }
        if context.snapshot.access != nil {
            caller.user = caller.user ?? principal.user
            caller.role = caller.role ?? principal.roles.first
            caller.team = caller.team ?? principal.team
            caller.businessLine = caller.businessLine ?? principal.businessLine
        }
        caller.address = context.exchange.peer.host
        caller.key = principal.kind == .local ? key(fields, context.snapshot.lasting.marks) : principal.id
        context.caller = caller
    }

    /// The first of each that says something.
    private static func readFields(_ fields: HeaderFields, _ caller: inout Caller) {
        for index in 0..<fields.count where fields.field(at: index) == .other {
            let name = fields.name(at: index)
            if !name.hasPrefix("x-sluice-") { continue }
            let value = fields.value(at: index)
            if name.equals("x-sluice-user") {
                caller.user = caller.user ?? text(value)
            } else if name.equals("x-sluice-role") {
                caller.role = caller.role ?? text(value)
            } else if name.equals("x-sluice-team") {
                caller.team = caller.team ?? text(value)
            } else if name.equals("x-sluice-business-line") {
                caller.businessLine = caller.businessLine ?? text(value)
            }
        }
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
        return principal.team ?? context.caller.key ?? key(fields, context.snapshot.lasting.marks) ?? ""
    }

    private static func key(_ fields: HeaderFields, _ marks: CredentialMarks) -> String? {
        if let index = fields.index(of: .authorization) { return marks.mark(of: fields.value(at: index)) }
        if let index = fields.index(named: "x-api-key") { return marks.mark(of: fields.value(at: index)) }
        return nil
    }

    private static func text(_ name: StaticString, _ fields: HeaderFields) -> String? {
        fields.index(named: name).flatMap { text(fields.value(at: $0)) }
    }

    private static func text(_ value: Span<UInt8>) -> String? { value.isEmpty ? nil : name(value) }

    private static func cut(_ text: String) -> String {
        let bytes = text.utf8Span.span
        return bytes.count <= byteCountMax ? text : name(bytes)
    }

    /// The same for the same bytes alone: answers are shared, and limits are divided, by it.
    private static func name(_ bytes: Span<UInt8>) -> String {
        let text = String(decoding: bytes.extracting(0..<min(bytes.count, byteCountMax)))
        // What is not UTF-8 has become the longer for it.
        if bytes.count <= byteCountMax, text.utf8.count == bytes.count { return text }
        return String(decoding: bytes.extracting(0..<min(bytes.count, byteCountMax - 17))) + "~" + CredentialMarks.digits(of: bytes)
    }
}
