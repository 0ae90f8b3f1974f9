internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluicePolicy

/// Finds out who asks, from what the request says of itself.
///
/// In this order: fields of the head, which a mesh or the application's own gateway may set; the platform's envelope; the body's
/// own words for it. All of it is claimed.
enum Identification {
    /// Names and roles are kept in tables: longer ones are cut.
    private static let byteCountMax = 128

    static func identify(_ context: RequestContext) {
        var caller = Caller()
        let fields = context.exchange.head.fields
        let marks = context.snapshot.lasting.marks
        readFields(fields, &caller)
        caller.address = context.exchange.peer.host
        if let index = fields.index(of: .authorization) {
            caller.key = marks.mark(of: fields.value(at: index))
        } else if let index = fields.index(named: "x-api-key") {
            caller.key = marks.mark(of: fields.value(at: index))
        }
        // What the body said has been read already.
        caller.user = caller.user ?? context.caller.user
        caller.role = caller.role ?? context.caller.role
        context.caller = caller
    }

    /// The first of each.
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
        return context.caller.key ?? key(fields, context.snapshot.lasting.marks) ?? ""
    }

    private static func key(_ fields: HeaderFields, _ marks: CredentialMarks) -> String? {
        if let index = fields.index(of: .authorization) { return marks.mark(of: fields.value(at: index)) }
        if let index = fields.index(named: "x-api-key") { return marks.mark(of: fields.value(at: index)) }
        return nil
    }

    private static func text(_ name: StaticString, _ fields: HeaderFields) -> String? {
        fields.index(named: name).flatMap { text(fields.value(at: $0)) }
    }

    private static func text(_ value: Span<UInt8>) -> String? {
        value.isEmpty ? nil : String(decoding: value.extracting(0..<min(value.count, byteCountMax)))
    }

    private static func cut(_ text: String) -> String {
        let bytes = text.utf8Span.span
        return bytes.count <= byteCountMax ? text : String(decoding: bytes.extracting(0..<byteCountMax))
    }
}
