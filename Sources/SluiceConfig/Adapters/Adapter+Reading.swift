internal import SluiceCore

extension Adapter {
    /// The largest file that is read, in bytes.
    package static let fileByteCountMax = 1 << 20

    /// Reads one adapter's text.
    ///
    /// - Parameter file: what mistakes name; `nil`: built in.
    package static func read(
        text: [UInt8], file: String? = nil, environment: ConfigEnvironment
    ) throws(ConfigErrors) -> Adapter {
        do throws(ConfigErrors) {
            var adapter = try ConfigReader.read(text: text, environment: environment, read).value
            adapter.file = file
            adapter.text = text
            return adapter
        } catch {
            guard let file else { throw error }
            throw error.inFile(file)
        }
    }

    /// Whether a configuration text is an adapter's, and not a server's.
    package static func isAdapter(_ value: ConfigValue) -> Bool { value["dialect"] != nil || value["title"] != nil }

    package static func read(_ section: ConfigSection) -> Adapter {
        let name = section.required("name", .identifier, doc: "What configurations call it.")
        let title = section.requiredString("title", bytes: 1...128, doc: "For people.")
        let dialect = section.choice(
            "dialect", default: ProviderConfiguration.Dialect.openai, doc: "The wire format that is varied.")
        let baseURL = section.optionalURL(
            "base_url", schemes: [.http, .https, .ws, .wss],
            doc: "What paths are appended to. null: each provider says its own.")
        var adapter = Adapter(
            name: name, title: title, dialect: dialect, baseURL: baseURL,
            keyVariables: section.strings(
                "key_variables", bytes: 1...128, count: 0...8,
                doc: "Environment variables; the first that is set holds the key."),
            baseURLVariables: section.strings(
                "base_url_variables", bytes: 1...128, count: 0...8,
                doc: "Environment variables; the first that is set replaces `base_url`."),
            isUsableWithoutKey: section.boolean(
                "usable_without_key", default: false, doc: "A base URL in a variable is enough to be used."),
            auth: section.value("auth", .authentication, default: .bearer, doc: "How the key is sent."),
            authSettings: [], takesOpenAIFields: false, paths: nil, query: [], headers: [], request: [],
            reply: ReplyRules(),
            errors: ErrorRules(), models: [], capabilities: [], health: nil, unverified: [], notes: [])
        adapter.readAddress(section)
        adapter.readRules(section)
        return adapter
    }

    private mutating func readAddress(_ section: ConfigSection) {
        authSettings = AuthSettings.readPublic(section, auth)
        takesOpenAIFields = section.boolean(
            "openai_headers", default: false,
            doc: "Header fields that only OpenAI knows are passed on: `openai-organization`, `x-stainless-*`.")
        paths = Self.readPaths(section)
        query = section.dictionary(
            "query", of: .queryValue, names: .queryName, count: 0...16, doc: "Constants of the query: `api-version`."
        ).map { Named($0.name, $0.value) }
        headers = section.dictionary(
            "headers", of: .fieldValue, names: HeaderRules.names, count: 0...64,
            doc: "Fields to send with every request."
        ).map { ProviderConfiguration.Header(name: $0.name.lowercased(), value: $0.value) }
    }

    private mutating func readRules(_ section: ConfigSection) {
        request = section.list(
            "request", count: 0...16,
            doc:
                "What is changed in requests: one set of rules, or several, of which those that fit hold one after the other.",
            RequestRules.read)
        reply = section.section("reply", doc: "How replies differ from OpenAI's.", ReplyRules.read)
        errors = section.section("errors", doc: "How the platform says that something went wrong.", ErrorRules.read)
        models = section.strings(
            "models", bytes: 1...256, count: 0...10_000,
            doc: "Models that are here: names, and beginnings that end in `*`.")
        capabilities = section.list(
            "capabilities", count: 0...1000,
            doc: "What models can do, by pattern. What a model lacks is adapted, refused or dropped.",
            CapabilityRules.read)
        health = section.optionalSection(
            "health", doc: "How a probe finds out whether the platform is well.", Self.readHealth)
        unverified = section.strings(
            "unverified", bytes: 1...512, count: 0...100, doc: "What here no document confirmed.")
        notes = section.strings(
            "notes", bytes: 1...512, count: 0...32, doc: "What who uses the platform has to know.")
        if reply.normalises, dialect != .openai {
            section.mistake("reply", "without normalise: only the dialect openai needs it")
        }
    }

    private static func readPaths(_ section: ConfigSection) -> [Operation: String]? {
        let doc =
            "Where each operation is; one that is missing does not exist and is refused before the call. Not given: everything, where OpenAI has it."
        return section.optionalSection("paths", doc: doc) { section in
            var paths: [Operation: String] = [:]
            for operation in Operation.allCases {
                let path = section.optional(
                    operation.rawValue, .pathTemplate,
                    doc: "In place of OpenAI's `\(operation.usualPath)`. `{model}` is the model's name.")
                if let path { paths[operation] = path }
            }
            return paths
        }
    }

    private static func readHealth(_ section: ConfigSection) -> Health {
        Health(
            method: section.value("method", .method, default: "GET", doc: "GET or POST."),
            path: section.required("path", .pathTemplate, doc: "After the base URL's path."),
            body: section.optional("body", .json, doc: "What a POST sends."),
            statuses: section.values(
                "statuses", .integer(in: 200...599), default: [200], count: 1...16, doc: "Statuses that mean well."),
            member: section.optional("member", .fieldPath, doc: "A member that the reply must have."))
    }
}

extension Adapter.Operation {
    /// Where OpenAI has it, after `/v1`.
    package var usualPath: String {
        switch self {
        case .chat: "/chat/completions"
        case .passage: ""
        default: "/" + rawValue
        }
    }
}

extension ConfigRule where Value == String {
    static var identifier: ConfigRule {
        text("name", allowed: ConfigNames.identifier.allowed, placeholder: "x", show: { $0 }) {
            ConfigNames.identifier.isAllowed($0) ? $0 : nil
        }
    }

    /// A path after the base URL's: empty, or one that begins with a slash; `{model}` is filled in.
    static var pathTemplate: ConfigRule {
        text(
            "path", allowed: "a path that begins with /, without query, with no {} but {model}", placeholder: "/",
            show: { $0 }
        ) { text in
            let rest = text.replacing("{model}", with: "m")
            let isPath = rest.isEmpty || rest.hasPrefix("/")
            return isPath && rest.utf8.count <= 1024
                && rest.utf8.allSatisfy { 0x21...0x7E ~= $0 && !"{}?#\"\\<>^`|".utf8.contains($0) } ? text : nil
        }
    }

    static var method: ConfigRule {
        text("method", allowed: "GET or POST", placeholder: "GET", show: { $0 }) {
            $0 == "GET" || $0 == "POST" ? $0 : nil
        }
    }

    /// What may stand in a query as it is (RFC 3986 §3.4, without what separates).
    static var queryValue: ConfigRule {
        text("text", allowed: "letters, digits and any of \"- . _ ~ : / @ , %\"", placeholder: "", show: { $0 }) {
            text in
            text.utf8.count <= 1024
                && text.utf8.allSatisfy { $0.isASCIILetter || $0.isDecimalDigit || "-._~:/@,%".utf8.contains($0) }
                ? text : nil
        }
    }
}

extension ConfigNames {
    static let queryName = ConfigNames(
        "a name of 1 to 64 letters, digits, \".\", \"_\" and \"-\"", identifier.isAllowed)
}

extension ConfigErrors {
    /// The same mistakes, of a file that is not the configuration's own.
    func inFile(_ file: String) -> ConfigErrors {
        ConfigErrors(
            mistakes.map { mistake in
                var mistake = mistake
                mistake.file = file
                return mistake
            })
    }
}
