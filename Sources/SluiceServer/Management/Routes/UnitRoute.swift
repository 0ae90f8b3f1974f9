internal import SluiceConfig
internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluicePolicy

/// The entries of one section, as resources with names: users, roles, models, providers, limits.
///
/// An entry says what it says in the configuration file; `name`, `origin` and `revision` are told beside it.
final class UnitRoute: ManagementRoute {
    /// Where the entries of a section are found, and what it takes to see them.
    struct Place: Sendable {
        let path: StaticString
        let single: StaticString
        let noun: StaticString
        let read: AdminAction
        let write: AdminAction
        /// Whether the list is somebody else's to show.
        var isListed = true

        static let users = Place(
            path: "/api/v1/users", single: "/api/v1/users/{name}", noun: "user", read: .readUsers, write: .writeUsers)
        static let roles = Place(
            path: "/api/v1/roles", single: "/api/v1/roles/{name}", noun: "role", read: .readRoles, write: .writeRoles)
        static let models = Place(
            path: "/api/v1/models", single: "/api/v1/models/{name}", noun: "model", read: .readModels,
            write: .writeModels, isListed: false)
        static let providers = Place(
            path: "/api/v1/providers", single: "/api/v1/providers/{name}", noun: "provider", read: .readConfig,
            write: .writeConfig)
        static let rateLimits = Place(
            path: "/api/v1/limits/rate_limits", single: "/api/v1/limits/rate_limits/{name}", noun: "rate limit",
            read: .readLimits, write: .writeLimits)
        static let budgets = Place(
            path: "/api/v1/limits/budgets", single: "/api/v1/limits/budgets/{name}", noun: "budget", read: .readLimits,
            write: .writeLimits)
    }

    private let desk: ControlDesk
    private let section: String
    private let place: Place

    init(_ desk: ControlDesk, _ section: String, at place: Place) {
        self.desk = desk
        self.section = section
        self.place = place
    }

    private static let entry: StaticString = ##"{"$ref":"#/components/schemas/Entry"}"##

    var schemas: [(name: StaticString, schema: StaticString)] {
        [
            (
                "Entry",
                #"{"type":"object","required":["name","origin"],"properties":{"name":{"type":"string"},"origin":{"enum":["file","api","built_in"]},"revision":{"type":"integer"}}}"#
            ),
            (
                "Entries",
                ##"{"type":"object","required":["revision","data"],"properties":{"revision":{"type":"integer"},"data":{"type":"array","items":{"$ref":"#/components/schemas/Entry"}}}}"##
            ),
        ]
    }

    var operations: [ManagementOperation] {
        let name = ManagementOperation.Parameter.path("name", "Its name; a slash in it is sent as %2F.")
        let given: StaticString = #"{"type":"object","properties":{"name":{"type":"string"}}}"#
        let readErrors: [ManagementError.Code] = [.managementBusy, .managementTimeout]
        let parameters: [ManagementOperation.Parameter] = [name] + ControlReplies.changeParameters
        let changeErrors: [ManagementError.Code] = ControlReplies.changeErrors + [.notFound]
        let createErrors: [ManagementError.Code] = ControlReplies.changeErrors + [.alreadyExists]
        let showErrors: [ManagementError.Code] = readErrors + [.notFound]
        var operations: [ManagementOperation] = [
            ManagementOperation(
                .post, place.path, action: place.write, "Makes one", parameters: ControlReplies.changeParameters,
                body: .init(
                    schema:
                        #"{"type":"object","required":["name"],"properties":{"name":{"type":"string","minLength":1}}}"#),
                success: .init(
                    status: 201, doc: "What was made.", schema: ##"{"$ref":"#/components/schemas/Change"}"##),
                errors: createErrors, answer: create),
            ManagementOperation(
                .get, place.single, action: place.read, "Shows one", parameters: [name],
                success: .init(doc: "What it says, without secrets.", schema: Self.entry),
                errors: showErrors, answer: show),
            ManagementOperation(
                .put, place.single, action: place.write, "Makes one, or says anew what it says",
                parameters: parameters, body: .init(schema: given),
                success: ControlReplies.changeSuccess, errors: ControlReplies.changeErrors, answer: replace),
            ManagementOperation(
                .patch, place.single, action: place.write, "Changes some of what it says (JSON merge patch, RFC 7396)",
                parameters: parameters,
                body: .init(mediaTypes: ["application/merge-patch+json", "application/json"], schema: given),
                success: ControlReplies.changeSuccess, errors: changeErrors, answer: patch),
            ManagementOperation(
                .delete, place.single, action: place.write, "Removes one",
                parameters: parameters, success: ControlReplies.changeSuccess,
                errors: changeErrors, answer: remove),
        ]
        if place.isListed {
            operations.append(
                ManagementOperation(
                    .get, place.path, action: place.read, "Lists all, by name",
                    success: .init(
                        doc: "All of them, without secrets.", schema: ##"{"$ref":"#/components/schemas/Entries"}"##),
                    errors: readErrors, answer: list))
        }
        return operations
    }

    private func unit(_ request: ManagementRequest) -> ConfigUnit {
        ConfigUnit(section: section, name: request.segment("\(place.single)".split(separator: "/").count - 1))
    }

    // MARK: Showing

    private func list(_ request: ManagementRequest) async throws(ManagementError) -> ManagementReply {
        let view = try await desk.view()
        let entries = entries(view)
        return ManagementReply(etag: view.state.etag) { json in
            json.object { json in
                json.key("revision")
                json.int(view.state.revision)
                json.key("data")
                json.array { json in for entry in entries { entry.write(&json) } }
            }
        }
    }

    /// Those of the file and of the API, by name.
    private func entries(_ view: ControlDesk.View) -> [ConfigValue] {
        var units = (try? ConfigOverlay.units(of: view.layered.file)) ?? [:]
        for (unit, value) in view.state.units where !view.layered.composition.shadowed.contains(unit) {
            units[unit] = value
        }
        let shown = ControlMask.masking(units.filter { $0.key.section == section })
        return shown.keys.sorted().compactMap { unit in shown[unit].map { described(unit, $0, view) } }
    }

    private func described(_ unit: ConfigUnit, _ value: ConfigValue, _ view: ControlDesk.View) -> ConfigValue {
        let isFiles = ConfigOverlay.owns(view.layered.file, unit)
        return ControlReplies.described(
            unit, value, origin: isFiles ? "file" : "api", revision: isFiles ? nil : view.state.unitRevisions[unit])
    }

    private func show(_ request: ManagementRequest) async throws(ManagementError) -> ManagementReply {
        let unit = unit(request)
        let view = try await desk.view()
        let value = ConfigOverlay.value(of: unit, in: view.layered.file) ?? view.state.units[unit]
        guard let value, let shown = ControlMask.masking([unit: value])[unit] else { throw missing(unit) }
        let etag = view.state.etag(of: unit)
        if request.hasAlready(etag) { return .notModified(etag) }
        let entry = described(unit, shown, view)
        return ManagementReply(etag: etag) { entry.write(&$0) }
    }

    private func missing(_ unit: ConfigUnit) -> ManagementError {
        ManagementError(.notFound, "There is no \(place.noun) \(ConfigPath.quoted(unit.name ?? "")).")
    }

    // MARK: Changing

    private func create(_ request: ManagementRequest) async throws(ManagementError) -> ManagementReply {
        let body = try entry(request)
        guard let name = body["name"]?.text, !name.isEmpty else {
            throw ManagementError(.invalidBody, "`name` is needed.", param: "name")
        }
        let unit = ConfigUnit(section: section, name: name)
        let value = value(body, name)
        let noun = place.noun
        let edit = try ControlReplies.edit(request) { sight throws(ManagementError) in
            if try sight.value(of: unit) != nil {
                throw ManagementError(.alreadyExists, "There is a \(noun) of that name.", param: "name")
            }
            return [ControlRecord.Change(unit: unit, value: value)]
        }
        let outcome = try await desk.make(edit)
        var reply = ControlReplies.reply(outcome, outcome.isDryRun ? 200 : 201, etag: outcome.state.etag(of: unit))
        if !outcome.isDryRun { reply.fields.append(("location", "\(place.path)/\(Self.encoded(name))")) }
        return reply
    }

    private func replace(_ request: ManagementRequest) async throws(ManagementError) -> ManagementReply {
        try await change(request) { _, body in body }
    }

    private func patch(_ request: ManagementRequest) async throws(ManagementError) -> ManagementReply {
        try await change(request, mustExist: true) { old, body in old.merging(body) }
    }

    private func change(
        _ request: ManagementRequest, mustExist: Bool = false,
        _ combine: @escaping @Sendable (_ old: ConfigValue, _ body: ConfigValue) -> ConfigValue
    ) async throws(ManagementError) -> ManagementReply {
        let unit = unit(request)
        let body = try entry(request)
        if let name = body["name"], name.text != unit.name {
            throw ManagementError(
                .invalidBody, "A name does not change: make another, and remove this one.", param: "name")
        }
        let given = value(body, unit.name ?? "")
        let condition = request.fields.text(.ifMatch)
        let missing = missing(unit)
        let edit = try ControlReplies.edit(request) { sight throws(ManagementError) in
            let old = try sight.value(of: unit)
            if old == nil, mustExist { throw missing }
            try ManagementRequest.check(ifMatch: try sight.etag(of: unit), condition)
            return [ControlRecord.Change(unit: unit, value: combine(old ?? ConfigValue(.null), given))]
        }
        let outcome = try await desk.make(edit)
        return ControlReplies.reply(outcome, etag: outcome.state.etag(of: unit))
    }

    private func remove(_ request: ManagementRequest) async throws(ManagementError) -> ManagementReply {
        let unit = unit(request)
        let condition = request.fields.text(.ifMatch)
        let missing = missing(unit)
        let edit = try ControlReplies.edit(request) { sight throws(ManagementError) in
            if try sight.value(of: unit) == nil { throw missing }
            try ManagementRequest.check(ifMatch: try sight.etag(of: unit), condition)
            return [ControlRecord.Change(unit: unit, value: nil)]
        }
        return ControlReplies.reply(try await desk.make(edit))
    }

    private func entry(_ request: ManagementRequest) throws(ManagementError) -> ConfigValue {
        let body = try request.json()
        if case .object = body.kind { return body }
        // An alias is nothing but a name.
        throw ManagementError(.invalidBody, "The body is to be an object, found \(body.kind.name).")
    }

    /// What the configuration has of an entry: not what is told beside it.
    private func value(_ body: ConfigValue, _ name: String) -> ConfigValue {
        var value = body.setting("origin", to: nil).setting("revision", to: nil).setting("name", to: nil)
        if ConfigUnit.lists.contains(section) { value = value.setting("name", to: ConfigValue(.string(name))) }
        return value
    }

    /// As one segment of a path.
    private static func encoded(_ name: String) -> String {
        var text = ""
        for byte in name.utf8 {
            if byte.isASCIILetter || byte.isDecimalDigit || "-._~".utf8.contains(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return text
    }
}
