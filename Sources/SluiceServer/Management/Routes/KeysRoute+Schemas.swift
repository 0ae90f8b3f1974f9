internal import SluiceConfig

/// What a key looks like.
extension KeysRoute {
    var schemas: [(name: StaticString, schema: StaticString)] {
        [
            (
                "Key",
                #"{"type":"object","required":["name","origin","disabled"],"properties":{"name":{"type":"string"},"origin":{"enum":["file","api"]},"prefix":{"type":"string"},"revision":{"type":"integer"},"disabled":{"type":"boolean"},"user":{"type":"string"},"team":{"type":"string"},"business_line":{"type":"string"},"roles":{},"models":{},"expires":{"type":"string"},"previous_until":{"type":"string"},"may_claim":{"type":"boolean"},"created_at":{"type":"string"},"created_by":{"type":"string"},"last_used":{"type":["string","null"]}}}"#
            ),
            (
                "IssuedKey",
                #"{"type":"object","required":["dry_run"],"properties":{"name":{"type":"string"},"key":{"type":"string","description":"Shown this once."},"prefix":{"type":"string"},"revision":{"type":"integer"},"dry_run":{"type":"boolean"},"previous_until":{"type":"string"}}}"#
            ),
            (
                "Keys",
                ##"{"type":"object","required":["data","has_more"],"properties":{"data":{"type":"array","items":{"$ref":"#/components/schemas/Key"}},"has_more":{"type":"boolean"}}}"##
            ),
        ]
    }

    static let properties: StaticString =
        #"{"type":"object","properties":{"user":{"type":["string","null"]},"team":{"type":["string","null"]},"business_line":{"type":["string","null"]},"roles":{"type":["array","null"],"items":{"type":"string"}},"models":{"type":["array","null"],"items":{"type":"string"}},"expires":{"type":["string","null"],"description":"RFC 3339."},"disabled":{"type":["boolean","null"]},"may_claim":{"type":["boolean","null"]}}}"#
}

/// What may be said of a key.
extension KeysRoute {
    /// Hashes are made here and nowhere else.
    static func checked(_ value: ConfigValue) throws(ManagementError) -> ConfigValue {
        for member in value.members where !members.contains(member.key) {
            throw ManagementError(
                .invalidBody, "Of a key may be said: \(members.sorted().joined(separator: ", ")).", param: member.key)
        }
        for member in value.members where !isOfItsKind(member) {
            throw ManagementError(.invalidBody, "\(member.key) is not \(member.value.kind.name).", param: member.key)
        }
        return value
    }

    private static func isOfItsKind(_ member: ConfigMember) -> Bool {
        switch (member.key, member.value.kind) {
        case (_, .null), ("disabled", .boolean), ("may_claim", .boolean): true
        case ("roles", .list(let names)), ("models", .list(let names)): names.allSatisfy { $0.text != nil }
        case ("user", .string), ("team", .string), ("business_line", .string), ("expires", .string): true
        default: false
        }
    }
}
