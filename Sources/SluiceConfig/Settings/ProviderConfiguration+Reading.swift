internal import SluiceCore

extension ProviderConfiguration {
    /// - Parameter library: the adapters that the provider may name.
    package static func read(_ section: ConfigSection, name: String, library: AdapterLibrary = .builtIn) -> Self {
        let adapter = readAdapter(section, name, library)
        let dialect = section.choice(
            "dialect", default: adapter?.dialect ?? Dialect.openai,
            doc: "The wire format that the provider speaks. Default: the adapter's.")
        var provider = ProviderConfiguration(name: name, baseURL: readBaseURL(section, dialect, adapter))
        provider.adapter = adapter
        provider.dialect = dialect
        provider.responses = section.choice(
            "responses", default: provider.responses,
            doc:
                "Who makes responses (`/v1/responses`): the provider itself, or Sluice out of its chat completions. Dialects other than openai have none of their own."
        )
        provider.onClientGone = section.choice(
            "on_client_gone", default: provider.onClientGone,
            doc:
                "What becomes of a stream whose application has gone: it is closed, and what it cost estimated, or it is read on (`drain`), within `streams.drain_ms` and its like, for what the provider says that it cost. For providers that charge for all of it anyway."
        )
        provider.auth = adapter?.auth ?? .bearer
        provider.readCredentials(section)
        provider.query = section.dictionary(
            "query", of: .queryValue, names: .queryName, count: 0...16,
            doc: "Constants of the query, beside the adapter's: `api-version`."
        ).map { Named($0.name, $0.value) }
        for constant in adapter?.query ?? [] where !provider.query.contains(where: { $0.name == constant.name }) {
            provider.query.append(constant)
        }
        provider.capabilities = section.list(
            "capabilities", count: 0...1000,
            doc: "What models can do, by pattern: what is given here goes before what the adapter says.",
            CapabilityRules.read)
        provider.readConnection(section)
        provider.tls = section.section("tls", doc: "How the provider is verified, and what it is shown.", UpstreamTLSSettings.read)
        provider.pool = section.section("pool", doc: "Connections that are kept, each worker its own.", readPool)
        // Another server than the adapter's has other models.
        let known = adapter?.baseURL == provider.baseURL ? adapter?.models ?? [] : []
        provider.models = section.strings(
            "models", default: known, bytes: 1...256, count: 0...10_000,
            doc:
                "Models that are here: names, and beginnings of names that end in `*`. Empty: not known. Default: the adapter's, at its base URL."
        )
        return provider
    }

    private static func readAdapter(_ section: ConfigSection, _ name: String, _ library: AdapterLibrary) -> Adapter? {
        let doc =
            "What the provider is: `sluice adapters` lists them. Default: the one of the provider's own name, if there is one; null: none."
        let wanted = section.optional("adapter", .identifier, default: library.has(name) ? name : nil, doc: doc)
        guard let wanted else { return nil }
        if let adapter = library[wanted] { return adapter }
        let question = Suggestion.nearest(to: wanted, among: library.names).map { ", did you mean \"\($0)\"?" } ?? ";"
        section.mistake(
            "adapter",
            "unknown adapter \(section.written("adapter"))\(question) adapters: \(library.names.joined(separator: ", "))"
        )
        return nil
    }

    private static func readBaseURL(_ section: ConfigSection, _ dialect: Dialect, _ adapter: Adapter?) -> BaseURL {
        let rule = ConfigRule.url(dialect == .sparkWebSocket ? [.http, .https, .ws, .wss] : [.http, .https])
        let url = section.optional(
            "base_url", rule, default: adapter?.baseURL,
            doc:
                "What paths as `/chat/completions` are appended to: `https://api.openai.com/v1`. Required, unless the adapter has one."
        )
        if let url { return url }
        section.mistake("base_url", "required: \(rule.allowed)")
        return .placeholder
    }

    private mutating func readCredentials(_ section: ConfigSection) {
        apiKeys = section.values(
            "api_key", .fieldValue, count: 0...64,
            doc: "The key, or several that take turns: itself, `${NAME}`, `env:NAME` or `file:/path`.")
        auth = section.value(
            "auth", .authentication, default: auth,
            doc:
                "How the key is sent: as `Authorization: Bearer`, alone in a field of its own or in the query, by a recipe, or not at all. Default: the adapter's."
        )
        if auth == .none, !apiKeys.isEmpty { section.mistake("auth", "bearer or header:NAME with an api_key") }
        authSettings = AuthSettings.read(section, auth, adapter: adapter)
        if case .recipe(let recipe) = auth, recipe.usesKey, apiKeys.isEmpty {
            section.mistake("api_key", "required by \(recipe.rawValue)")
        }
        let given = section.dictionary(
            "headers", of: .fieldValue, names: HeaderRules.names, count: 0...64,
            doc: "Fields to send with every request. Values may be secrets as with `api_key`, and are never shown.")
        headers = given.map { Header(name: $0.name.lowercased(), value: $0.value) }
        let names = headers.map(\.name)
        if Set(names).count < names.count { section.mistake("headers", "each field once, whatever its case") }
        for header in adapter?.headers ?? [] where !names.contains(header.name) { headers.append(header) }
        forwardAuthorization = section.boolean(
            "forward_authorization", default: forwardAuthorization,
            doc: "Passes the application's own Authorization on, where it sends one, in place of `api_key`.")
    }

    private mutating func readConnection(_ section: ConfigSection) {
        proxy = section.value(
            "proxy", .egressProxy, default: proxy,
            doc: "The way out: an HTTP proxy, `none`, or `env` for what HTTPS_PROXY and NO_PROXY say.")
        proxyCredentials = section.optional(
            "proxy_credentials", .secret(), doc: "`user:password` for the proxy in `proxy`.")
        if proxyCredentials != nil, proxy == .environment || proxy == .none {
            section.mistake("proxy_credentials", "without effect unless proxy is a URL")
        }
        httpVersion = section.choice(
            "protocol", default: httpVersion,
            doc: "The HTTP version: `auto` is what ALPN agrees on, and HTTP/1.1 without TLS.")
        if dialect != .sparkWebSocket { return }
        if httpVersion == .http2 {
            section.mistake("protocol", "auto or http1: no WebSocket is opened over HTTP/2, found \(section.written("protocol"))")
        }
        if authSettings["app_id"] == nil, auth != .recipe(.sparkURLHMAC) {
            section.mistake("auth", "recipe:spark-url-hmac: every request of spark-ws carries its app_id")
        }
    }

    private static func readPool(_ section: ConfigSection) -> Pool {
        var pool = Pool()
        pool.connectionsMax = section.integer(
            "connections_max", default: pool.connectionsMax, in: 1...65536,
            doc: "Connections of a worker. Over HTTP/1.1 a stream holds one for as long as it lasts.")
        pool.idle = section.duration(
            "idle_ms", default: pool.idle, in: 0...86_400_000,
            doc: "How long an unused connection is kept. Less than the provider keeps it.")
        pool.ageMax = section.duration(
            "age_max_ms", default: pool.ageMax, in: 0...86_400_000,
            doc: "How long a connection is used, so that changes of DNS are followed. 0: for ever.")
        pool.waitersMax = section.integer(
            "waiters_max", default: pool.waitersMax, in: 0...1_000_000,
            doc: "Requests of a worker that may wait for a connection. More are 503.")
        pool.wait = section.duration(
            "wait_ms", default: pool.wait, in: 0...600_000, doc: "How long a request may wait for one. Then 503.")
        return pool
    }
}
