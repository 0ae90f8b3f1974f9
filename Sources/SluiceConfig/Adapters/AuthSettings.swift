package import SluiceCore

/// What a recipe is told, by the names that `AuthRecipe` gives.
package struct AuthSettings: Sendable, Equatable {
    package var values: [Named<Secret>] = []

    package init() {}

    package subscript(_ name: String) -> Secret? { values.first { $0.name == name }?.value }

    /// Reads a provider's own settings and adds the adapter's.
    static func read(_ section: ConfigSection, _ auth: Authentication, adapter: Adapter?) -> AuthSettings {
        let given = section.optionalSection("auth_settings", doc: "What the recipe of `auth` is told.") { section in
            var settings = AuthSettings()
            for setting in AuthRecipe.allSettings {
                let doc = setting.doc + " For " + recipes(with: setting.name) + "."
                let value =
                    setting.isSecret
                    ? section.optional(setting.name, .secret(), doc: doc)
                    : section.optional(setting.name, .string(bytes: 1...1024), doc: doc).map { Secret($0) }
                if let value { settings.values.append(Named(setting.name, value)) }
            }
            settings.check(section, auth)
            return settings
        }
        guard case .recipe(let recipe) = auth else { return AuthSettings() }
        var settings = given ?? AuthSettings()
        for constant in adapter?.authSettings ?? [] where settings[constant.name] == nil {
            guard recipe.settings.contains(where: { $0.name == constant.name }) else { continue }
            settings.values.append(Named(constant.name, Secret(constant.value)))
        }
        let missing = recipe.settings.filter { $0.isRequired && settings[$0.name] == nil }.map(\.name)
        if !missing.isEmpty {
            section.mistake("auth_settings", "with \(missing.joined(separator: ", ")): required by \(recipe.rawValue)")
        }
        return settings
    }

    private func check(_ section: ConfigSection, _ auth: Authentication) {
        guard case .recipe(let recipe) = auth else {
            for value in values { section.mistake(value.name, "only with a recipe in auth") }
            return
        }
        for value in values where !recipe.settings.contains(where: { $0.name == value.name }) {
            section.mistake(value.name, "none of the settings of \(recipe.rawValue): \(Self.names(recipe))")
        }
    }

    /// Reads an adapter's constants: no secrets.
    static func readPublic(_ section: ConfigSection, _ auth: Authentication) -> [Named<String>] {
        let doc = "Constants for the recipe of `auth`; secrets and what differs between customers are the provider's."
        return section.optionalSection("auth_settings", doc: doc) { section in
            var constants: [Named<String>] = []
            for setting in AuthRecipe.allSettings where !setting.isSecret {
                let doc = setting.doc + " For " + recipes(with: setting.name) + "."
                guard let value = section.optionalString(setting.name, bytes: 1...1024, doc: doc) else { continue }
                constants.append(Named(setting.name, value))
                if case .recipe(let recipe) = auth, recipe.settings.contains(where: { $0.name == setting.name }) {
                    continue
                }
                section.mistake(setting.name, "only with a recipe in auth that has it")
            }
            return constants
        } ?? []
    }

    private static func recipes(with name: String) -> String {
        AuthRecipe.allCases.filter { $0.settings.contains { $0.name == name } }.map(\.rawValue).joined(separator: ", ")
    }

    private static func names(_ recipe: AuthRecipe) -> String { recipe.settings.map(\.name).joined(separator: ", ") }
}
