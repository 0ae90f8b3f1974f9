internal import SluiceCore
internal import SluiceHTTP

/// The head of every response, with the fields that api.openai.com sends.
struct ResponseHeads {
    private let json: HeaderFields
    private let eventStream: HeaderFields

    /// What a response with too large a head has: so many fields of so many bytes.
    private static let paddingFields = 16
    private static let paddingByteCount = 16_384

    init() {
        json = Self.fields(Reply.json)
        eventStream = Self.fields(Reply.eventStream)
    }

    func head(for reply: Reply, _ identity: ReplyIdentity, _ behaviour: Behaviour) -> ResponseHead {
        if reply.isForeign { return Self.foreign(reply, behaviour) }
        var fields: HeaderFields
        if reply.rateLimitWait != nil {
            fields = Self.fields(reply.contentType, wait: reply.rateLimitWait)
        } else if reply.dialect != .plain {
            fields = eventStream
        } else if unsafe reply.contentType.utf8Start == Reply.json.utf8Start {
            fields = json
        } else {
            fields = Self.fields(reply.contentType)
        }
        fields.append(.xRequestID, "req_\(identity.hex)")
        fields.append(.openaiProcessingMS, "\(max(1, Int(behaviour.latency.milliseconds)))")
        for field in reply.fields { fields.append(lowercaseName: field.name, field.value) }
        if behaviour.defects.contains(.hugeHead) { Self.pad(&fields) }
        return ResponseHead(reply.status, fields: fields)
    }

    /// A head with what the dialect says and nothing else.
    private static func foreign(_ reply: Reply, _ behaviour: Behaviour) -> ResponseHead {
        var fields = HeaderFields(reservingBytes: 256, fields: 8)
        fields.append(.contentType, reply.contentType)
        for field in reply.fields { fields.append(lowercaseName: field.name, field.value) }
        if behaviour.defects.contains(.hugeHead) { pad(&fields) }
        return ResponseHead(reply.status, fields: fields)
    }

    private static func fields(_ contentType: StaticString, wait: Int? = nil) -> HeaderFields {
        var fields = HeaderFields(reservingBytes: 512, fields: 16)
        fields.append(.contentType, contentType)
        fields.append(.openaiOrganization, "org-mock")
        fields.append(.openaiVersion, "2020-10-01")
        fields.append(lowercaseName: "x-ratelimit-limit-requests", "10000")
        fields.append(lowercaseName: "x-ratelimit-limit-tokens", "2000000")
        fields.append(lowercaseName: "x-ratelimit-remaining-requests", wait == nil ? "9999" : "0")
        fields.append(lowercaseName: "x-ratelimit-remaining-tokens", "1999950")
        fields.append(lowercaseName: "x-ratelimit-reset-requests", GoDuration.text(milliseconds: wait ?? 6))
        fields.append(lowercaseName: "x-ratelimit-reset-tokens", "1ms")
        return fields
    }

    private static func pad(_ fields: inout HeaderFields) {
        let padding = String(repeating: "x", count: paddingByteCount)
        for _ in 0..<paddingFields { fields.append(lowercaseName: "x-mock-padding", padding) }
    }
}
