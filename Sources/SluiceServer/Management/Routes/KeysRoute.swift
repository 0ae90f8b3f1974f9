internal import SluiceConfig
internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluicePipeline
internal import SluicePolicy

/// `/api/v1/keys`: API keys that Sluice issues. A key is shown once, when it is made; what is kept is its hash.
final class KeysRoute: ManagementRoute {
    private let desk: ControlDesk
    private let shared: Shared
    private static let overlapMax = 30 * 86_400
    private static let overlapDefault = 3600
    /// What may be said of a key beside its name.
    static let members: Set = ["user", "team", "business_line", "roles", "models", "expires", "disabled", "may_claim"]

    init(_ desk: ControlDesk, _ shared: Shared) {
        self.desk = desk
        self.shared = shared
    }

    var operations: [ManagementOperation] {
        let name = ManagementOperation.Parameter.path("name", "Its name; a slash in it is sent as %2F.")
        let readErrors: [ManagementError.Code] = [.managementBusy, .managementTimeout, .storageUnavailable]
        return [
            ManagementOperation(
                .get, "/api/v1/keys", action: .readKeys,
                "Lists keys by name: what they may do, and when they were last used here",
                parameters: [
                    .query("limit", "At most so many.", schema: #"{"type":"integer","minimum":1,"maximum":1000}"#),
                    .query("after", "Only those whose names come after this."),
                ],
                success: .init(
                    doc: "Keys; those of the file are on the first page.",
                    schema: ##"{"$ref":"#/components/schemas/Keys"}"##),
                errors: readErrors + [.invalidParameter], answer: list),
            ManagementOperation(
                .post, "/api/v1/keys", action: .writeKeys, "Issues a key, and shows it this once",
                parameters: ControlReplies.changeParameters,
                body: .init(
                    schema:
                        #"{"type":"object","required":["name"],"properties":{"name":{"type":"string","minLength":1,"description":"At most 128 letters, digits and any of `. _ - :`; a dry run says so too."},"user":{"type":["string","null"]},"team":{"type":["string","null"]},"business_line":{"type":["string","null"]},"roles":{"type":["array","null"],"items":{"type":"string"}},"models":{"type":["array","null"],"items":{"type":"string"}},"expires":{"type":["string","null"]},"disabled":{"type":["boolean","null"]},"may_claim":{"type":["boolean","null"]}}}"#
                ),
                success: .init(status: 201, doc: "The key.", schema: ##"{"$ref":"#/components/schemas/IssuedKey"}"##),
                errors: ControlReplies.changeErrors + [.alreadyExists], answer: issue),
            ManagementOperation(
                .get, "/api/v1/keys/{name}", action: .readKeys, "Shows what is known of a key", parameters: [name],
                success: .init(doc: "The key, without its hash.", schema: ##"{"$ref":"#/components/schemas/Key"}"##),
                errors: readErrors + [.notFound], answer: show),
            ManagementOperation(
                .patch, "/api/v1/keys/{name}", action: .writeKeys, "Changes what a key may do, or disables it",
                parameters: [name] + ControlReplies.changeParameters,
                body: .init(mediaTypes: ["application/merge-patch+json", "application/json"], schema: Self.properties),
                success: ControlReplies.changeSuccess, errors: ControlReplies.changeErrors + [.notFound], answer: change
            ),
            ManagementOperation(
                .delete, "/api/v1/keys/{name}", action: .writeKeys, "Removes a key: it is not accepted from now on",
                parameters: [name] + ControlReplies.changeParameters, success: ControlReplies.changeSuccess,
                errors: ControlReplies.changeErrors + [.notFound], answer: remove),
            ManagementOperation(
                .post, "/api/v1/keys/{name}/rotate", action: .writeKeys,
                "Issues another secret for a key; the old one is accepted for a while",
                parameters: [name] + ControlReplies.changeParameters,
                body: .init(
                    schema:
                        #"{"type":"object","properties":{"overlap_seconds":{"type":"integer","minimum":0,"maximum":2592000}},"additionalProperties":false}"#,
                    isRequired: false),
                success: .init(doc: "The key.", schema: ##"{"$ref":"#/components/schemas/IssuedKey"}"##),
                errors: ControlReplies.changeErrors + [.notFound], answer: rotate),
        ]
    }

    private func unit(_ request: ManagementRequest) -> ConfigUnit { .key(request.segment(3)) }
    private var now: Int { Int(EventLoop.readWallClock() / 1_000_000_000) }

    private static func missing(_ unit: ConfigUnit) -> ManagementError {
        ManagementError(.notFound, "There is no key \(ConfigPath.quoted(unit.name ?? "")).")
    }

    // MARK: Showing

    private func list(_ request: ManagementRequest) async throws(ManagementError) -> ManagementReply {
        let limit = try request.integer("limit", default: 100, in: 1...1000)
        let after = request.query("after")
        let view = try await desk.view()
        let kept: [(String, Int, ConfigValue)] = try await desk.read(view, default: []) { store in
            var found: [(String, Int, ConfigValue)] = []
            try store.forEachKey(after: after ?? "", atMost: limit + 1) { found.append(($0, $1, $2)) }
            return found
        }
        var entries: [ConfigValue] = []
        if after == nil {
            for member in view.layered.file["access"]?["keys"]?.members ?? [] {
                entries.append(shown(member.key, member.value, origin: "file", revision: nil))
            }
        }
        for (id, revision, value) in kept.prefix(limit) where !ConfigOverlay.owns(view.layered.file, .key(id)) {
            entries.append(shown(id, value, origin: "api", revision: revision))
        }
        return ManagementReply { json in
            json.object { json in
                json.key("data")
                json.array { json in for entry in entries { entry.write(&json) } }
                json.key("has_more")
                json.bool(kept.count > limit)
            }
        }
    }

    /// Without hashes and secrets.
    private func shown(_ id: String, _ value: ConfigValue, origin: String, revision: Int?) -> ConfigValue {
        var members = value.members.filter { Self.members.contains($0.key) || $0.key == "previous_until" }
        if value["disabled"] == nil { members.append(ConfigMember("disabled", ConfigValue(.boolean(false)))) }
        members += value[ControlKeys.meta]?.members ?? []
        let table = origin == "api" ? shared.lasting.keys : shared.current.snapshot.access?.keys
        let used = table?.lastUsed(id).map { ConfigValue(.string(ControlKeys.time($0))) }
        members.append(ConfigMember("last_used", used ?? ConfigValue(.null)))
        return ControlReplies.described(.key(id), ConfigValue(.object(members)), origin: origin, revision: revision)
    }

    private func show(_ request: ManagementRequest) async throws(ManagementError) -> ManagementReply {
        let unit = unit(request)
        let id = unit.name ?? ""
        let view = try await desk.view()
        if let value = ConfigOverlay.value(of: unit, in: view.layered.file) {
            let entry = shown(id, value, origin: "file", revision: nil)
            return ManagementReply { entry.write(&$0) }
        }
        let found = try await desk.read(view, default: nil) { try $0.unit(unit) }
        guard let found else { throw Self.missing(unit) }
        let entry = shown(id, found.value, origin: "api", revision: found.revision)
        return ManagementReply(etag: "\"u\(found.revision)\"") { entry.write(&$0) }
    }

    // MARK: Issuing

    private func issue(_ request: ManagementRequest) async throws(ManagementError) -> ManagementReply {
        let body = try object(request)
        guard let id = body["name"]?.text, !id.isEmpty else {
            throw ManagementError(.invalidBody, "`name` is needed.", param: "name")
        }
        let unit = ConfigUnit.key(id)
        let pepper = try pepper()
        let key = APIKey.issue()
        var value = try Self.checked(body.setting("name", to: nil))
        value = value.setting(
            "hash", to: ConfigValue(.string(pepper.text(of: key.withExposed { pepper.digest(of: $0) }))))
        value = value.setting(
            ControlKeys.meta,
            to: ConfigValue(
                .object([
                    ConfigMember("prefix", ConfigValue(.string(APIKey.shown(key)))),
                    ConfigMember("created_at", ConfigValue(.string(ControlKeys.time(now)))),
                    ConfigMember("created_by", ConfigValue(.string(request.principal.id))),
                ])))
        let made = value
        let edit = try ControlReplies.edit(request) { sight throws(ManagementError) in
            if try sight.value(of: unit) != nil {
                throw ManagementError(.alreadyExists, "There is a key of that name.", param: "name")
            }
            return [ControlRecord.Change(unit: unit, value: made)]
        }
        return Self.reply(try await desk.make(edit), id, key, status: 201)
    }

    private func rotate(_ request: ManagementRequest) async throws(ManagementError) -> ManagementReply {
        let unit = unit(request)
        var overlap = Self.overlapDefault
        if !request.body.isEmpty {
            let body = try object(request)
            for member in body.members {
                guard member.key == "overlap_seconds", case .integer(let seconds) = member.value.kind,
                    0...Self.overlapMax ~= seconds
                else {
                    throw ManagementError(
                        .invalidBody, "The body is {\"overlap_seconds\": 0 to \(Self.overlapMax)}.", param: member.key)
                }
                overlap = seconds
            }
        }
        let pepper = try pepper()
        let key = APIKey.issue()
        let hash = pepper.text(of: key.withExposed { pepper.digest(of: $0) })
        let until = overlap == 0 ? nil : ControlKeys.time(now + overlap)
        let condition = request.fields.text(.ifMatch)
        let edit = try ControlReplies.edit(request) { sight throws(ManagementError) in
            guard let old = try sight.value(of: unit), !ConfigOverlay.owns(sight.file, unit) else {
                throw try sight.value(of: unit) == nil ? Self.missing(unit) : Self.isFiles(unit)
            }
            try ManagementRequest.check(ifMatch: try sight.etag(of: unit), condition)
            var value = old.setting("hash", to: ConfigValue(.string(hash)))
            value = value.setting("previous_hash", to: until == nil ? nil : old["hash"])
            value = value.setting("previous_until", to: until.map { ConfigValue(.string($0)) })
            let meta = (old[ControlKeys.meta] ?? ConfigValue(.object([])))
                .setting("prefix", to: ConfigValue(.string(APIKey.shown(key))))
            return [ControlRecord.Change(unit: unit, value: value.setting(ControlKeys.meta, to: meta))]
        }
        return Self.reply(try await desk.make(edit), unit.name ?? "", key, until: until, status: 200)
    }

    private static func isFiles(_ unit: ConfigUnit) -> ManagementError {
        ManagementError(
            .ownedByFile, "The configuration file says \(unit.path): change it there, or take it out of the file.",
            param: unit.path)
    }

    private static func reply(
        _ outcome: ControlOutcome, _ id: String, _ key: Secret, until: String? = nil, status: Status
    ) -> ManagementReply {
        if outcome.isDryRun { return ControlReplies.reply(outcome) }
        return ManagementReply(status, etag: "\"u\(outcome.state.revision)\"") { json in
            json.object { json in
                json.key("name")
                json.string(id)
                json.key("key")
                key.withExposed { json.string($0) }
                json.key("prefix")
                json.string(APIKey.shown(key))
                json.key("revision")
                json.int(outcome.state.revision)
                json.key("dry_run")
                json.bool(false)
                guard let until else { return }
                json.key("previous_until")
                json.string(until)
            }
        }
    }

    // MARK: Changing

    private func change(_ request: ManagementRequest) async throws(ManagementError) -> ManagementReply {
        let unit = unit(request)
        let patch = try Self.checked(try object(request).setting("name", to: nil))
        let condition = request.fields.text(.ifMatch)
        let edit = try ControlReplies.edit(request) { sight throws(ManagementError) in
            guard let old = try sight.value(of: unit) else { throw Self.missing(unit) }
            if ConfigOverlay.owns(sight.file, unit) { throw Self.isFiles(unit) }
            try ManagementRequest.check(ifMatch: try sight.etag(of: unit), condition)
            return [ControlRecord.Change(unit: unit, value: old.merging(patch))]
        }
        let outcome = try await desk.make(edit)
        return ControlReplies.reply(outcome, etag: "\"u\(outcome.state.revision)\"")
    }

    private func remove(_ request: ManagementRequest) async throws(ManagementError) -> ManagementReply {
        let unit = unit(request)
        let condition = request.fields.text(.ifMatch)
        let edit = try ControlReplies.edit(request) { sight throws(ManagementError) in
            if try sight.value(of: unit) == nil { throw Self.missing(unit) }
            if ConfigOverlay.owns(sight.file, unit) { throw Self.isFiles(unit) }
            try ManagementRequest.check(ifMatch: try sight.etag(of: unit), condition)
            return [ControlRecord.Change(unit: unit, value: nil)]
        }
        return ControlReplies.reply(try await desk.make(edit))
    }

    private func object(_ request: ManagementRequest) throws(ManagementError) -> ConfigValue {
        let body = try request.json()
        if case .object = body.kind { return body }
        throw ManagementError(.invalidBody, "The body is to be an object, found \(body.kind.name).")
    }

    private func pepper() throws(ManagementError) -> KeyPepper {
        if let policy = shared.current.snapshot.access { return policy.pepper }
        throw ManagementError(
            .readOnly, "There is no `access` section in the configuration file: keys would not be looked at.",
            param: "access")
    }
}
