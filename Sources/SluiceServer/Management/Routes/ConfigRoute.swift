internal import SluiceConfig
internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluicePolicy

/// `/api/v1/config`: the whole of the configuration, its history, and the way back.
final class ConfigRoute: ManagementRoute {
    private let desk: ControlDesk
    private static let mergePatch: [StaticString] = ["application/merge-patch+json", "application/json"]
    private static let document: StaticString =
        #"{"type":"object","description":"Sections as in the configuration file."}"#

    init(_ desk: ControlDesk) { self.desk = desk }

    var schemas: [(name: StaticString, schema: StaticString)] {
        ControlReplies.schemas + [
            (
                "Config",
                #"{"type":"object","required":["revision","source","node","config"],"properties":{"revision":{"type":"integer","minimum":0},"source":{"enum":["layered","file"]},"node":{"type":"string"},"layer":{"enum":["effective","api","file"]},"config":{"type":"object"},"origins":{"type":"object","additionalProperties":{"enum":["file","api","default"]}},"shadowed":{"type":"array","items":{"type":"string"}}}}"#
            ),
            (
                "Revision",
                ##"{"type":"object","required":["revision","at","author","reason","node","changes"],"properties":{"revision":{"type":"integer"},"at":{"type":"integer","description":"Milliseconds since 1970."},"author":{"type":"string"},"reason":{"type":"string"},"node":{"type":"string"},"changes":{"type":"array","items":{"$ref":"#/components/schemas/Difference"}},"config":{"type":"object"}}}"##
            ),
            (
                "Revisions",
                ##"{"type":"object","required":["revision","data","has_more"],"properties":{"revision":{"type":"integer"},"data":{"type":"array","items":{"$ref":"#/components/schemas/Revision"}},"has_more":{"type":"boolean"}}}"##
            ),
        ]
    }

    var operations: [ManagementOperation] {
        let revisionPath = ManagementOperation.Parameter.path(
            "revision", "Its number.", schema: #"{"type":"integer","minimum":1}"#)
        return [
            ManagementOperation(
                .get, "/api/v1/config", action: .readConfig, "The configuration, and where every setting comes from",
                parameters: [
                    .query(
                        "layer", "What holds (`effective`), what was set through the API, or what the file says.",
                        schema: #"{"enum":["effective","api","file"]}"#)
                ],
                success: .init(
                    doc: "The configuration, without secrets.", schema: ##"{"$ref":"#/components/schemas/Config"}"##),
                errors: [.invalidParameter, .managementTimeout], answer: show),
            change(
                .post, "Sets all of what is set through the API; what is left out goes", ["application/json"],
                answer: set),
            change(
                .patch, "Changes some of what is set through the API (JSON merge patch, RFC 7396)", Self.mergePatch,
                answer: patch),
            ManagementOperation(
                .get, "/api/v1/config/revisions", action: .readConfig, "The history, the latest first",
                parameters: [
                    .query("limit", "At most so many.", schema: #"{"type":"integer","minimum":1,"maximum":1000}"#),
                    .query("before", "Only revisions before this.", schema: #"{"type":"integer","minimum":1}"#),
                ],
                success: .init(doc: "Revisions.", schema: ##"{"$ref":"#/components/schemas/Revisions"}"##),
                errors: [.invalidParameter, .managementBusy, .managementTimeout, .storageUnavailable], answer: history),
            ManagementOperation(
                .get, "/api/v1/config/revisions/{revision}", action: .readConfig,
                "One revision: what changed, and what held then",
                parameters: [revisionPath],
                success: .init(doc: "The revision.", schema: ##"{"$ref":"#/components/schemas/Revision"}"##),
                errors: [.notFound, .managementBusy, .managementTimeout, .storageUnavailable], answer: single),
            ManagementOperation(
                .post, "/api/v1/config/rollback", action: .writeConfig,
                "Goes back one revision, or to an earlier one. API keys stay as they are.",
                parameters: ControlReplies.changeParameters,
                body: .init(
                    schema:
                        #"{"type":"object","properties":{"to":{"type":"integer","minimum":0}},"additionalProperties":false}"#,
                    isRequired: false),
                success: ControlReplies.changeSuccess, errors: ControlReplies.changeErrors + [.notFound],
                answer: rollBack),
        ]
    }

    // MARK: Showing

    private func show(_ request: ManagementRequest) async throws(ManagementError) -> ManagementReply {
        let layer = request.query("layer") ?? "effective"
        guard ["effective", "api", "file"].contains(layer) else {
            throw ManagementError(.invalidParameter, "layer is effective, api or file.", param: "layer")
        }
        let view = try await desk.view()
        let composition = view.layered.composition
        return ManagementReply(etag: view.state.etag) { json in
            json.object { json in
                json.key("revision")
                json.int(view.state.revision)
                json.key("source")
                json.string(view.settings.source.rawValue)
                json.key("node")
                json.string(view.node)
                json.key("layer")
                json.string(layer)
                json.key("config")
                switch layer {
                case "api": ControlMask.masking(ConfigOverlay.document(of: view.state.units)).write(&json)
                case "file": ControlMask.masking(view.layered.file).write(&json)
                default:
                    let shown = ConfigOrigins(view.layered)
                    shown.config.write(&json)
                    json.key("origins")
                    shown.origins.write(&json)
                }
                json.key("shadowed")
                json.array { json in for unit in composition.shadowed { json.string(unit.path) } }
            }
        }
    }

    private func history(_ request: ManagementRequest) async throws(ManagementError) -> ManagementReply {
        let limit = try request.integer("limit", default: 50, in: 1...1000)
        let before = try request.integer("before", default: .max, in: 1...Int.max)
        let view = try await desk.view()
        let records = try await desk.read(view, default: []) { try $0.records(before: before, atMost: limit + 1) }
        return ManagementReply { json in
            json.object { json in
                json.key("revision")
                json.int(view.state.revision)
                json.key("data")
                json.array { json in for record in records.prefix(limit) { Self.write(record, &json) } }
                json.key("has_more")
                json.bool(records.count > limit)
            }
        }
    }

    private func single(_ request: ManagementRequest) async throws(ManagementError) -> ManagementReply {
        guard let number = Int(request.segment(4)), number > 0, number < .max else {
            throw ManagementError(.notFound, "There is no such revision.")
        }
        let view = try await desk.view()
        let found = try await desk.read(view, default: nil) { store -> (ControlRecord, ConfigUnits)? in
            guard let record = try store.records(before: number + 1, atMost: 1).first, record.revision == number else {
                return nil
            }
            return (record, try store.units(atRevision: number))
        }
        guard let (record, units) = found else { throw ManagementError(.notFound, "There is no revision \(number).") }
        let config = ControlMask.masking(ConfigOverlay.document(of: units))
        return ManagementReply { json in Self.write(record, config: config, &json) }
    }

    private static func write(_ record: ControlRecord, config: ConfigValue? = nil, _ json: inout JSONWriter) {
        json.object { json in
            json.key("revision")
            json.int(record.revision)
            json.key("at")
            json.int(record.at)
            json.key("author")
            json.string(record.author)
            json.key("reason")
            json.string(record.reason)
            json.key("node")
            json.string(record.node)
            json.key("changes")
            ControlReplies.write(record.differences, &json)
            guard let config else { return }
            json.key("config")
            config.write(&json)
        }
    }

    // MARK: Changing

    private func change(
        _ method: Method, _ summary: StaticString, _ mediaTypes: [StaticString],
        answer: @escaping ManagementOperation.Answer
    ) -> ManagementOperation {
        ManagementOperation(
            method, "/api/v1/config", action: .writeConfig, summary, parameters: ControlReplies.changeParameters,
            body: .init(mediaTypes: mediaTypes, schema: Self.document), success: ControlReplies.changeSuccess,
            errors: ControlReplies.changeErrors, answer: answer)
    }

    private func set(_ request: ManagementRequest) async throws(ManagementError) -> ManagementReply {
        let body = try document(request)
        return try await change(request) { _ throws(ManagementError) in try Self.units(of: body) }
    }

    private func patch(_ request: ManagementRequest) async throws(ManagementError) -> ManagementReply {
        let body = try document(request)
        return try await change(request) { sight throws(ManagementError) in
            try Self.checkRemovals(body, sight)
            return try Self.units(of: ConfigOverlay.document(of: sight.state.units).merging(body))
        }
    }

    private func document(_ request: ManagementRequest) throws(ManagementError) -> ConfigValue {
        let body = try request.json()
        if case .object = body.kind { return body }
        throw ManagementError(.invalidBody, "The body is to be an object, found \(body.kind.name).")
    }

    /// Sets what is set through the API, but for keys, to what `target` says.
    private func change(
        _ request: ManagementRequest,
        _ target: @escaping @Sendable (ControlSight) throws(ManagementError) -> ConfigUnits
    ) async throws(ManagementError) -> ManagementReply {
        let condition = request.fields.text(.ifMatch)
        let edit = try ControlReplies.edit(request) { sight throws(ManagementError) in
            try ManagementRequest.check(ifMatch: sight.state.etag, condition)
            let wanted = try target(sight)
            let units = Set(wanted.keys).union(sight.state.units.keys)
            return units.sorted().filter { wanted[$0] != sight.state.units[$0] }.map {
                ControlRecord.Change(unit: $0, value: wanted[$0])
            }
        }
        return ControlReplies.reply(try await desk.make(edit))
    }

    /// What is to go has to be the API's.
    private static func checkRemovals(_ patch: ConfigValue, _ sight: ControlSight) throws(ManagementError) {
        for unit in try units(of: patch).filter({ $0.value.kind == .null }).keys.sorted()
        where ConfigOverlay.owns(sight.file, unit) {
            throw ManagementError(
                .ownedByFile, "The configuration file says \(unit.path): take it out there.", param: unit.path)
        }
    }

    private static func units(of document: ConfigValue) throws(ManagementError) -> ConfigUnits {
        let units: ConfigUnits
        do throws(ConfigErrors) {
            units = try ConfigOverlay.units(of: document)
        } catch {
            throw ManagementError(
                .invalidConfiguration, error.description,
                details: error.mistakes.map { ManagementError.Detail(path: $0.path, message: $0.message) })
        }
        if units.keys.contains(where: \.isKey) {
            throw ManagementError(.invalidParameter, "API keys are changed at /api/v1/keys.", param: "access.keys")
        }
        return units
    }

    private func rollBack(_ request: ManagementRequest) async throws(ManagementError) -> ManagementReply {
        var wanted: Int?
        if !request.body.isEmpty {
            let body = try request.json()
            for member in body.members where member.key != "to" {
                throw ManagementError(.invalidBody, "The body is {\"to\": REVISION}.", param: member.key)
            }
            switch body["to"]?.kind {
            case nil where body.kind == .object([]): break
            case .integer(let number)? where number >= 0: wanted = number
            default: throw ManagementError(.invalidBody, "`to` is the number of a revision.", param: "to")
            }
        }
        let target = wanted
        let condition = request.fields.text(.ifMatch)
        let edit = try ControlReplies.edit(request) { sight throws(ManagementError) in
            try ManagementRequest.check(ifMatch: sight.state.etag, condition)
            return try Self.wayBack(to: target ?? sight.state.revision - 1, sight)
        }
        return ControlReplies.reply(try await desk.make(edit))
    }

    /// What has to change for everything but API keys to be as it was: a key that was revoked stays so.
    private static func wayBack(to revision: Int, _ sight: ControlSight) throws(ManagementError) -> [ControlRecord
        .Change]
    {
        guard let store = sight.store else { return [] }
        do {
            let oldest = try store.oldestRevision()
            guard revision >= max(0, oldest - 1), revision <= sight.state.revision, sight.state.revision > 0 else {
                throw ManagementError(
                    .notFound, "There is no revision \(revision) to go back to; the oldest is \(oldest).")
            }
            return try store.unitsChanged(after: revision).filter { !$0.isKey }.sorted().map { unit in
                ControlRecord.Change(unit: unit, value: try store.unit(unit, atRevision: revision)?.value)
            }
        } catch let error as ManagementError {
            throw error
        } catch {
            throw ManagementError(.storageUnavailable, "\(error)")
        }
    }
}
