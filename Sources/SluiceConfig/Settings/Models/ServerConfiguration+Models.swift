internal import SluicePolicy

extension ServerConfiguration {
    /// When a reply's head says which model of which provider gave it.
    package enum ReplyHeaders: String, Sendable, CaseIterable {
        /// Where there was a choice.
        case auto
        case always, never
    }

    /// Reads which names there are for models, and what answers them.
    mutating func readModels(_ section: ConfigSection) {
        let names = providers.map(\.name)
        var references: [ModelNames.Reference] = []
        models = section.dictionary(
            "models", names: .modelPattern,
            doc: "Names that applications ask for, and what answers them. One `*` in a name stands for any text."
        ) { name, section in
            let model = ModelConfiguration.read(section, name: name, providers: names)
            if !model.fallbacks.isEmpty, !section.isDescribing {
                let (path, location) = section.place(of: "fallbacks")
                references.append(
                    ModelNames.Reference(name: name, to: model.fallbacks, path: path, location: location))
            }
            return model
        }
        aliases = section.dictionary(
            "aliases", of: .string(bytes: 1...256), names: .model, doc: "Other names for models."
        ).map { Named($0.name, $0.value) }
        routes = section.list(
            "routes", count: 0...1000, doc: "Rules that take some requests elsewhere. The first that matches counts."
        ) { RouteRule.read($0, providers: names) }
        replyHeaders = section.choice(
            "reply_headers", default: replyHeaders,
            doc:
                "When the head of a reply says in `x-sluice-provider` and `x-sluice-model` who gave it. `auto`: for models with several targets."
        )
        checkNames(section, references)
    }

    private func checkNames(_ section: ConfigSection, _ references: [ModelNames.Reference]) {
        let names = ModelNames(models: models, aliases: aliases, providers: providers)
        for mistake in names.mistakes(in: references) { section.mistake(mistake) }
        if section.isDescribing { return }
        let (path, location) = section.place(of: "aliases")
        for alias in aliases {
            var message: String?
            if names.resolved(alias.name) == nil { message = "an alias has to end in a model, found a circle" }
            if models.contains(where: { $0.name == alias.name }) { message = "an alias cannot be a model as well" }
            guard let message else { continue }
            let path = ConfigPath.child(of: path, alias.name)
            section.mistake(ConfigMistake(path: path, location: location, message: message))
        }
    }
}
