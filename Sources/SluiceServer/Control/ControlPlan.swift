internal import SluiceConfig
internal import SluicePipeline
internal import SluicePolicy

/// A change that has been looked at from all sides, and may be made.
struct ControlPlan: Sendable {
    let changes: [ControlRecord.Change]
    let differences: [ControlRecord.Difference]
    /// What is wrong with the configuration that would come of it.
    var mistakes: [ManagementError.Detail] = []
}

extension ControlPlan {
    /// What has to be known of the process for that.
    struct Surroundings: Sendable {
        let state: ControlState
        let store: ControlStore?
        let settings: ControlConfiguration
        /// What roles mean now.
        let access: AccessPolicy?
        let configFile: String?
        let overrides: ServerConfiguration.Overrides
        let environment: ConfigEnvironment
        /// Turns a configuration into what workers use, and throws that away.
        let tryBuilding: @Sendable (ServerConfiguration) throws(ConfigErrors) -> Void
    }

    /// Looks at a change, on the clerk's thread.
    static func make(_ edit: ControlEdit, _ around: Surroundings) throws(ManagementError) -> ControlPlan {
        if around.settings.source == .file {
            throw ManagementError(
                .readOnly, "The file is the only source of this configuration (control.source): change it there.")
        }
        guard let store = around.store else {
            throw ManagementError(
                .readOnly, "There is nowhere to keep what is set through the API: set storage.directory in the file.")
        }
        let file = try file(around)
        let sight = ControlSight(state: around.state, store: store, file: file)
        let changes = try checked(try edit.body(sight), sight, edit.author, around)
        var plan = try plan(changes, sight)
        if changes.isEmpty { return plan }
        do throws(ConfigErrors) {
            try validate(changes, file, around)
        } catch {
            plan.mistakes = error.mistakes.map { ManagementError.Detail(path: $0.path, message: $0.message) }
        }
        return plan
    }

    private static func file(_ around: Surroundings) throws(ManagementError) -> ConfigValue {
        do throws(ConfigErrors) {
            return try LayeredConfiguration.tree(
                ofFile: around.configFile, overrides: around.overrides,
                environment: around.environment)
        } catch {
            throw ManagementError(.readOnly, "The configuration file cannot be read at the moment: \(error)")
        }
    }

    /// The changes that are any, with secrets for their masks; refuses what may not be changed, or not by this author.
    private static func checked(
        _ changes: [ControlRecord.Change], _ sight: ControlSight, _ author: ControlAuthor, _ around: Surroundings
    ) throws(ManagementError) -> [ControlRecord.Change] {
        var checked: [ControlRecord.Change] = []
        for change in changes {
            let old = try sight.value(of: change.unit)
            var value = change.value
            if let given = value { value = try ControlMask.restoring(given, from: old, at: change.unit.path) }
            if value == old { continue }
            try checkOwner(change.unit, sight.file, around.settings)
            if !author.principal.access.allows(change.unit.actionToWrite) {
                throw ManagementError(
                    .permissionDenied,
                    "\(change.unit.path) may be changed with \(change.unit.actionToWrite.rawValue) only.",
                    param: change.unit.path)
            }
            try ControlGrant.check(change.unit, old: old, new: value, author, around.access)
            if let value { try checkContent(change.unit, value, around) }
            checked.append(ControlRecord.Change(unit: change.unit, value: value))
        }
        return checked
    }

    static func checkOwner(
        _ unit: ConfigUnit, _ file: ConfigValue, _ settings: ControlConfiguration
    ) throws(ManagementError) {
        if !ConfigUnit.manageable.contains(unit.section) {
            throw ManagementError(
                .ownedByFile, "\(unit.section) is the configuration file's alone: change it there.", param: unit.path)
        }
        if !settings.managed.isEmpty, !settings.managed.contains(unit.section) {
            throw ManagementError(
                .ownedByFile, "control.managed does not have \(unit.section): it is the configuration file's.",
                param: unit.path)
        }
        if unit.section.hasPrefix("access."), file["access"] == nil {
            throw ManagementError(
                .readOnly, "There is no `access` section in the configuration file, and the API does not begin one.",
                param: "access")
        }
        if ConfigOverlay.owns(file, unit) {
            throw ManagementError(
                .ownedByFile, "The configuration file says \(unit.path): change it there, or take it out of the file.",
                param: unit.path)
        }
    }

    private static func checkContent(
        _ unit: ConfigUnit, _ value: ConfigValue, _ around: Surroundings
    ) throws(ManagementError) {
        let document = ConfigOverlay.document(of: [unit: value])
        if !around.settings.allowsReferences {
            var reference: String?
            document.forEachLeaf { path, leaf in
                guard let text = leaf.text else { return }
                if text.hasPrefix("env:") || text.hasPrefix("file:") || text.contains("${") { reference = path }
            }
            if let reference {
                throw ManagementError(
                    .invalidConfiguration,
                    "\(reference) names a variable or file of the machine, which the API may not (control.allow_references).",
                    param: reference)
            }
        }
        if around.store?.isSealing != true, ControlMask.holdsSecrets(document) {
            throw ManagementError(
                .noSealingKey,
                "\(unit.path) holds a secret, and there is no key to seal it with: set `secrets` or control.shared_secret.",
                param: unit.path)
        }
    }

    // MARK: What comes of it

    private static func plan(
        _ changes: [ControlRecord.Change], _ sight: ControlSight
    ) throws(ManagementError) -> ControlPlan {
        var before: ConfigUnits = [:]
        var after: ConfigUnits = [:]
        for change in changes {
            before[change.unit] = try sight.value(of: change.unit)
            after[change.unit] = change.value
        }
        let hidden = (
            before: before.mapValues(ControlKeys.hidingHashes), after: after.mapValues(ControlKeys.hidingHashes)
        )
        let raw = ConfigChange.between(before, after)
        let shown = ConfigChange.between(ControlMask.masking(hidden.before), ControlMask.masking(hidden.after))
        var differences = shown.map { ControlRecord.Difference(path: $0.path, before: $0.before, after: $0.after) }
        // A secret in the place of another looks the same, and is a change.
        let seen = Set(shown.map(\.path))
        for difference in raw where !seen.contains(difference.path) {
            if shown.contains(where: { difference.path.hasPrefix($0.path) }) { continue }
            let mask = ConfigValue(.string(ControlMask.set))
            differences.append(
                ControlRecord.Difference(
                    path: difference.path, before: difference.before == nil ? nil : mask,
                    after: difference.after == nil ? nil : mask))
        }
        return ControlPlan(changes: changes, differences: differences)
    }

    /// Reads the whole configuration as it would be, with the reader that reads the file.
    private static func validate(
        _ changes: [ControlRecord.Change], _ file: ConfigValue, _ around: Surroundings
    ) throws(ConfigErrors) {
        var units = around.state.units
        for change in changes {
            units[change.unit] = change.unit.isKey ? change.value.map(ControlKeys.configuration) : change.value
        }
        let layered = try LayeredConfiguration.load(
            file: file, at: around.configFile, environment: around.environment, units: units)
        try around.tryBuilding(layered.outcome.value)
    }
}
