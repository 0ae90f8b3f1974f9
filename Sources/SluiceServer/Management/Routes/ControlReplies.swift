internal import SluiceConfig
internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON

/// What all routes that show and change the configuration have in common.
enum ControlReplies {
    static let changeParameters: [ManagementOperation.Parameter] = [
        .query("dry_run", "Only say what would change, and what is wrong with it.", schema: #"{"type":"boolean"}"#),
        .query("reason", "Why, for the history; at most 1024 bytes.", schema: #"{"type":"string","maxLength":1024}"#),
        ManagementOperation.Parameter(
            name: "if-match", place: .header, doc: "The ETag that is to be changed; anything else is 412.",
            schema: #"{"type":"string"}"#),
    ]

    static let changeErrors: [ManagementError.Code] = [
        .invalidJSON, .invalidBody, .requestTooLarge, .unsupportedMediaType, .crossOrigin, .ownedByFile, .readOnly,
        .noSealingKey, .preconditionFailed, .invalidConfiguration, .managementBusy, .storageUnavailable,
        .managementTimeout,
    ]

    static let changeSuccess = ManagementOperation.Success(
        doc: "What changed, or would change.", schema: ##"{"$ref":"#/components/schemas/Change"}"##)

    static let schemas: [(name: StaticString, schema: StaticString)] = [
        (
            "Difference",
            #"{"type":"object","required":["path"],"properties":{"path":{"type":"string"},"before":{},"after":{}}}"#
        ),
        (
            "Change",
            ##"{"type":"object","required":["revision","changed","dry_run","valid","errors","changes"],"properties":{"revision":{"type":"integer","minimum":0},"changed":{"type":"boolean"},"dry_run":{"type":"boolean"},"valid":{"type":"boolean"},"errors":{"type":"array","items":{"$ref":"#/components/schemas/Mistake"}},"changes":{"type":"array","items":{"$ref":"#/components/schemas/Difference"}}}}"##
        ),
        (
            "Mistake",
            #"{"type":"object","required":["path","message"],"properties":{"path":{"type":"string"},"message":{"type":"string"}}}"#
        ),
    ]

    /// The change that a request asks for.
    static func edit(
        _ request: ManagementRequest, _ body: @escaping ControlEdit.Body
    ) throws(ManagementError) -> ControlEdit {
        let reason = request.query("reason") ?? ""
        if reason.utf8.count > ControlRecord.reasonByteCountMax {
            throw ManagementError(
                .invalidParameter, "reason has at most \(ControlRecord.reasonByteCountMax) bytes.", param: "reason")
        }
        return ControlEdit(
            author: request.author(reason: reason), isDryRun: try request.flag("dry_run"), body: body)
    }

    static func reply(_ outcome: ControlOutcome, _ status: Status = 200, etag: String? = nil) -> ManagementReply {
        ManagementReply(status, etag: outcome.isDryRun ? nil : etag ?? outcome.state.etag) { json in
            json.object { json in
                json.key("revision")
                json.int(outcome.state.revision)
                json.key("changed")
                json.bool(!outcome.differences.isEmpty && !outcome.isDryRun)
                json.key("dry_run")
                json.bool(outcome.isDryRun)
                json.key("valid")
                json.bool(outcome.mistakes.isEmpty)
                json.key("errors")
                json.array { json in
                    for mistake in outcome.mistakes {
                        json.object { json in
                            json.key("path")
                            json.string(mistake.path)
                            json.key("message")
                            json.string(mistake.message)
                        }
                    }
                }
                json.key("changes")
                write(outcome.differences, &json)
            }
        }
    }

    static func write(_ differences: [ControlRecord.Difference], _ json: inout JSONWriter) {
        ControlRecord.value(of: differences).write(&json)
    }

    /// The value of a unit with what is known about it: its name, who owns it, and which revision it was last changed
    /// by.
    static func described(_ unit: ConfigUnit, _ value: ConfigValue, origin: String, revision: Int?) -> ConfigValue {
        var members = [
            ConfigMember("name", ConfigValue(.string(unit.name ?? unit.section))),
            ConfigMember("origin", ConfigValue(.string(origin))),
        ]
        if let revision { members.append(ConfigMember("revision", ConfigValue(.integer(revision)))) }
        switch value.kind {
        case .object(let own): members += own.filter { !["name", "origin", "revision"].contains($0.key) }
        default: members.append(ConfigMember("value", value))
        }
        return ConfigValue(.object(members))
    }
}
