internal import SluicePolicy
internal import SluiceTLS

extension ServerConfiguration {
    /// What the command line says in place of the file.
    package struct Overrides: Sendable, Equatable {
        /// Not empty: plain listeners in place of all of the file's.
        package var listen: [ListenAddress] = []
        /// Of these listeners.
        package var trust = ListenerConfiguration.Trust.auto
        package var admin: ListenAddress?
        package var workers: Int?
        /// Merged into the file, one after the other (RFC 7396); each is an object.
        package var settings: [ConfigValue] = []
        package init() {}
    }

    /// Reads a configuration file, or without one what holds by default.
    ///
    /// - Throws: every mistake. What ran before goes on running.
    package static func load(
        file path: String?, overrides: Overrides = Overrides(), environment: ConfigEnvironment = .process
    ) throws(ConfigErrors) -> ConfigOutcome<ServerConfiguration> {
        try LayeredConfiguration.load(file: path, overrides: overrides, environment: environment, units: [:]).outcome
    }

    package static func load(
        text: [UInt8], overrides: Overrides = Overrides(), environment: ConfigEnvironment = .process,
        adaptersBeside: String? = nil
    ) throws(ConfigErrors) -> ConfigOutcome<ServerConfiguration> {
        try ConfigReader.read(overrides.applied(to: ConfigReader.parse(text)), environment: environment) { section in
            read(section, adaptersBeside: adaptersBeside)
        }
    }

    /// - Parameter adaptersBeside: the folder of adapters beside the configuration file, if there is such a file.
    package static func read(_ section: ConfigSection, adaptersBeside: String? = nil) -> Self {
        var server = Self()
        server.readListeners(section)
        server.secrets = section.optionalSection(
            "secrets", doc: "The master keys that open sealed values, here and wherever secrets are stored. null: none.",
            SecretsConfiguration.read)
        if let secrets = server.secrets { section.adopt(secrets.keys) }
        server.readAdapters(section, beside: adaptersBeside)
        server.readProviders(section)
        server.limits = section.section("limits", doc: "How much of everything is accepted.", LimitsConfiguration.read)
        server.timeouts = section.section("timeouts", doc: "How long anything may take.", TimeoutsConfiguration.read)
        server.retries = section.section(
            "retries", doc: "How a request goes on after an attempt that failed.", RetrySettings.read)
        server.breakers = section.section(
            "breakers", doc: "When a target is left alone, and how it comes back.", BreakersConfiguration.read)
        server.hedging = section.section(
            "hedging", doc: "A second attempt beside one that is slow to be answered.", HedgeSettings.read)
        server.streams = section.section(
            "streams", doc: "What is done about streams whose provider fails, or whose application goes.",
            StreamSettings.read)
        server.media = section.section("media", doc: "Images that requests name by URL.", MediaConfiguration.read)
        server.log = section.section("log", doc: "What is logged, and where to.", LogConfiguration.read)
        let providers = server.providers.map(\.name)
        server.concurrency = section.optionalSection(
            "concurrency", doc: "How many requests a model or a provider is sent at one time, and who waits. null: all that come."
        ) { ConcurrencyConfiguration.read($0, providers: providers) }
        server.degraded = section.optionalSection(
            "degraded", doc: "What is answered when no provider does. null: the error.", DegradedConfiguration.read)
        server.cache = section.optionalSection(
            "cache", doc: "Answers that are kept and given again. Without this section nothing is.", CacheConfiguration.read)
        server.idempotency = section.section(
            "idempotency", doc: "Requests with an `Idempotency-Key`, whose work is done once.",
            IdempotencyConfiguration.read)
        server.drain = section.section("drain", doc: "How the process ends.", DrainConfiguration.read)
        server.redis = section.optionalSection(
            "redis", doc: "Redis, for what several Sluices share. null: none.", RedisConfiguration.read)
        server.audit = section.section(
            "audit", doc: "The audit log: changes, uses of secrets, and refused access, each line chained to the one before.",
            AuditConfiguration.read)
        server.readLimits(section)
        server.storage = section.optionalSection(
            "storage", doc: "Where what has to last is kept. null: nothing is.", StorageConfiguration.read)
        server.control = section.section("control", doc: controlDoc, ControlConfiguration.read)
        server.checkControl(section)
        server.records = section.optionalSection(
            "records", doc: "What is kept of every request to a model. Without this section nothing is.",
            RecordsConfiguration.read)
        server.checkRecords(section)
        server.metrics = section.section(
            "metrics", doc: "What becomes of metrics, beside being there to be scraped.", MetricsConfiguration.read)
        server.telemetry = section.optionalSection(
            "telemetry", doc: "Traces, and what is sent to OpenTelemetry. Without this section nobody traces.",
            TelemetryConfiguration.read)
        server.checkTelemetry(section)
        server.access = section.optionalSection(
            "access", doc: "Who may come in, and what for. null: whoever can connect may do everything.",
            AccessConfiguration.read)
        server.checkAccess(section)
        server.secrets?.sealedSettings = section.sealedSettings
        return server
    }

    static let controlDoc = "What may be set through the management API, and what several Sluices share of it."

    private func checkControl(_ section: ConfigSection) {
        // Not a master key: each node rotates those when it likes, and others have to read what it has written.
        if control.isFleet, control.sharedSecret == nil {
            section.mistake("control", "`fleet` needs `shared_secret`, with which what is shared is sealed")
        }
        if control.isFleet, redis == nil { section.mistake("control", "`fleet` needs `redis`, by which it is shared") }
    }

    private func checkRecords(_ section: ConfigSection) {
        guard let records else { return }
        if storage == nil { section.mistake("records", "`records` needs `storage`, where they are kept") }
        if records.stream != nil, redis == nil { section.mistake("records", "`records.stream` needs `redis`") }
    }

    /// Receivers of one name could not be told apart in metrics.
    private func checkTelemetry(_ section: ConfigSection) {
        guard let name = telemetry?.otlp?.receiver.name, metrics.push.contains(where: { $0.receiver.name == name }) else { return }
        section.mistake("telemetry", "a name for `otlp` that no receiver in `metrics.push` has")
    }

    /// Whoever can connect from elsewhere has to show who he is, unless somebody has said that he need not.
    private func checkAccess(_ section: ConfigSection) {
        // Keys may be made through the management API as well.
        let authenticates = access.map { $0.authenticates || storage != nil } ?? false
        if let access, !authenticates, access.local == nil, !listeners.contains(where: { $0.trust == .everyone }) {
            section.mistake("access", "a way to come in: `keys` (`sluice key new` makes one) or `local`, found none")
        }
        if authenticates { return }
        let open = listeners.filter {
            !$0.address.isLocal && $0.trust == .auto && $0.tls?.clientCertificate != .required
        }.map { "\($0.address)" }
        if open.isEmpty { return }
        section.mistake(
            "listeners",
            "addresses of this machine alone, found \(open.joined(separator: ", ")): other machines can connect there, and nothing tells who they are. Give `access` a way to tell (`access.keys`; `sluice key new` makes one), or say \"trust\": \"everyone\" in the listener (--trust-everyone beside --listen); tls.client_certificate \"required\" will do as well"
        )
    }

    private mutating func readListeners(_ section: ConfigSection) {
        var taken: Set<ListenAddress> = []
        listeners = section.list(
            "listeners", count: 1...64, countWhenAbsent: 1, doc: "Where applications connect."
        ) { section in
            let listener = ListenerConfiguration.read(section)
            if listener.address.port != 0, !taken.insert(listener.address).inserted {
                section.mistake(
                    "address", "an address that no other listener has, found \(section.written("address")) again")
            }
            return listener
        }
        admin = section.optional(
            "admin", .listenAddress, default: admin,
            doc: "Where health is served. null: nowhere.")
        if let admin, admin.port != 0, taken.contains(admin) {
            section.mistake("admin", "an address that no listener has, found \(section.written("admin")) again")
        }
        adminMetrics = section.choice(
            "admin_metrics", default: adminMetrics,
            doc:
                "Who may read `/metrics` on the admin port: `operators`, as everything else there, or `everyone` who can connect, without a credential: a Prometheus that scrapes a fleet of sidecars."
        )
        workers = section.value(
            "workers", .workers, default: workers, doc: "Event loops. `auto`: one for each core granted to the process."
        )
    }

    private mutating func readAdapters(_ section: ConfigSection, beside: String?) {
        let given = section.optionalString(
            "adapters_directory", bytes: 1...4096,
            doc:
                "A folder of adapters, `*.json5`, which add to those that are built in or replace them. null: `adapters` beside this file, if there is one."
        )
        guard !section.isDescribing, let directory = given ?? beside else { return }
        let reading = AdapterLibrary.read(
            directory: directory, isRequired: given != nil, environment: section.environment)
        for file in reading.files { section.watch(file) }
        for mistake in reading.mistakes { section.mistake(mistake) }
        adapters = reading.library
    }

    private mutating func readProviders(_ section: ConfigSection) {
        let listeners = listeners
        let library = adapters
        providers = section.dictionary(
            "providers", names: .identifier, count: 0...1000, doc: "The AI platforms, by name."
        ) { name, section in
            let provider = ProviderConfiguration.read(section, name: name, library: library)
            if listeners.contains(where: { $0.address.isReached(by: provider.baseURL) }) {
                section.mistake("base_url", "a provider, found one of Sluice's own listeners")
            }
            return provider
        }
        environmentProviders = section.choice(
            "environment_providers", default: environmentProviders,
            doc: "Adds providers whose keys are in known variables as OPENAI_API_KEY. `auto`: if none is named here.")
        addEnvironmentProviders(section)
        readModels(section)
        unsupported = section.choice(
            "unsupported", default: unsupported,
            doc:
                "What happens to a request that asks for more than its model can do: it is refused (`strict`), or goes out without, and a header of the reply says so (`warn`), or only the log (`drop`)."
        )
        defaultProvider = section.optionalString(
            "default_provider", bytes: 1...64,
            doc: "What answers a model that nothing else claims. null: the only provider, if there is one only.")
        if let defaultProvider { ModelConfiguration.checkProvider(defaultProvider, "default_provider", section, providers.map(\.name)) }
    }

    private mutating func addEnvironmentProviders(_ section: ConfigSection) {
        switch environmentProviders {
        case _ where section.isDescribing: return
        case .never: return
        case .auto where section.has("providers") && !providers.isEmpty: return
        case .auto, .always: break
        }
        let found = EnvironmentProviders.discover(
            section.environment, listeners: listeners.map(\.address), library: adapters)
        for mistake in found.mistakes { section.mistake(mistake) }
        notes += found.notes
        providers += found.providers.filter { provider(named: $0.name) == nil }
    }
}

extension ServerConfiguration.Overrides {
    /// The configuration with what was overridden in it, so that it is checked and shown with the rest.
    func applied(to file: ConfigValue) -> ConfigValue {
        guard case .object = file.kind else { return file }
        let value = settings.reduce(file) { $0.merging($1) }
        var members = value.members
        func replace(_ key: String, _ kind: ConfigValue.Kind) {
            members.removeAll { $0.key == key }
            members.append(ConfigMember(key, ConfigValue(kind, at: value.location), at: value.location))
        }
        if !listen.isEmpty {
            let objects = listen.map { address in
                var members = [ConfigMember("address", ConfigValue(.string("\(address)")))]
                if trust != .auto { members.append(ConfigMember("trust", ConfigValue(.string(trust.rawValue)))) }
                return ConfigValue(.object(members))
            }
            replace("listeners", .list(objects))
        }
        if let admin { replace("admin", .string("\(admin)")) }
        if let workers { replace("workers", .integer(workers)) }
        return ConfigValue(.object(members), at: value.location)
    }
}

extension ConfigRule where Value == ServerConfiguration.Workers {
    static var workers: ConfigRule {
        ConfigRule(type: "integer or auto", allowed: "auto or 1 to 256", placeholder: .automatic) {
            value, context throws(ConfigRefusal) in
            if case .string("auto") = value.kind { return .automatic }
            guard let count = try context.integer(of: value), 1...256 ~= count else { throw .notAllowed }
            return .count(count)
        } show: { workers in
            switch workers {
            case .automatic: .string("auto")
            case .count(let count): .integer(count)
            }
        }
    }
}
