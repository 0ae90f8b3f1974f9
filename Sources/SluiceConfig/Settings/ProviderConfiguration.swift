package import SluiceCore

/// An AI platform, or a server that speaks like one.
package struct ProviderConfiguration: Sendable, Equatable {
    package enum Dialect: String, Sendable, CaseIterable {
        case openai, anthropic, gemini, vertex, bedrock, ernie, dashscope
        case sparkWebSocket = "spark-ws"
        case hunyuan
    }
    /// Who makes responses (`/v1/responses`) of a provider that speaks OpenAI's dialect.
    package enum Responses: String, Sendable, CaseIterable { case native, translated }
    /// What becomes of an answer whose application has gone.
    package enum ClientGone: String, Sendable, CaseIterable { case close, drain }
    package enum HTTPVersion: String, Sendable, CaseIterable { case auto, http1, http2 }

    /// How it is addressed in configuration, metrics and `provider/model`.
    package var name: String
    /// What it varies a dialect by; `nil`: nothing.
    package var adapter: Adapter?
    /// Default openai.
    package var dialect = Dialect.openai
    /// Default native. Providers of other dialects have none of their own.
    package var responses = Responses.native
    /// What becomes of an answer whose application has gone. Default: its connection is closed.
    package var onClientGone = ClientGone.close
    /// What a path such as `/chat/completions` is appended to.
    package var baseURL: BaseURL
    /// None, one, or several to take turns.
    package var apiKeys: [Secret] = []
    /// Default bearer. Without a key no credential is sent.
    package var auth = Authentication.bearer
    /// What the recipe of `auth` is told.
    package var authSettings = AuthSettings()
    /// Constants of the query.
    package var query: [Named<String>] = []
    /// What models here can do, where it differs from what the adapter says.
    package var capabilities: [CapabilityRules] = []
    /// Sent with every request, after the application's own were filtered.
    package var headers: [Header] = []
    /// Whether the application's Authorization is passed on, where it sends one, in place of `apiKeys`. Default false.
    package var forwardAuthorization = false
    package var tls = UpstreamTLSSettings()
    /// Default environment.
    package var proxy = EgressProxy.environment
    /// `user:password` for the proxy.
    package var proxyCredentials: Secret?
    /// Default auto: what ALPN agrees on, and HTTP/1.1 without TLS.
    package var httpVersion = HTTPVersion.auto
    package var pool = Pool()
    /// Models that are known to be here: names, and beginnings of names that end in `*`. Empty: unknown.
    package var models: [String] = []

    package init(name: String, baseURL: BaseURL) {
        self.name = name
        self.baseURL = baseURL
    }

    package struct Header: Sendable, Equatable {
        /// In lower case.
        package var name: String
        package var value: Secret

        package init(name: String, value: Secret) {
            self.name = name
            self.value = value
        }
    }

    package struct Pool: Sendable, Equatable {
        /// Connections of a worker. 1 to 65536. As many as exchanges are let in (`limits.in_flight_max`): what is let in finds one.
        package var connectionsMax = 10_000
        /// How long an unused connection is kept. 0 to a day. Servers close theirs after 60 s and more.
        package var idle = Duration.seconds(60)
        /// How long a connection is used, so that changes of DNS are followed. 0 (for ever) to a day.
        package var ageMax = Duration.seconds(3600)
        /// Requests that may wait for a connection, a worker. 0 to 1000000; more are 503.
        package var waitersMax = 1024
        /// How long one may wait. 0 to 10 min; then 503.
        package var wait = Duration.seconds(5)
        package init() {}
    }

    /// The models that are known by their whole name.
    package var namedModels: [String] { models.filter { !$0.hasSuffix("*") } }

    /// Whether `models` has this name, or the beginning of it.
    package func knows(model: String) -> Bool {
        models.contains { $0.hasSuffix("*") ? model.hasPrefix($0.dropLast()) : $0 == model }
    }
}

/// How a provider is told who asks.
package enum Authentication: Sendable, Equatable, CustomStringConvertible {
    /// `Authorization: Bearer KEY` (RFC 6750 §2.1).
    case bearer
    /// The key alone in a field of this name, in lower case.
    case header(String)
    /// The key alone in the query, under this name.
    case query(String)
    /// By a recipe that makes the credential.
    case recipe(AuthRecipe)
    case none

    /// `bearer`, `none`, `header:NAME`, `query:NAME` or `recipe:NAME`; `nil` for anything else.
    package init?(_ text: String) {
        switch text {
        case "bearer": self = .bearer
        case "none": self = .none
        case _ where text.hasPrefix("header:"):
            let name = text.dropFirst(7).lowercased()
            if !HeaderRules.isName(name) || HeaderRules.isReserved(name) { return nil }
            self = .header(name)
        case _ where text.hasPrefix("query:"):
            let name = String(text.dropFirst(6))
            if !ConfigNames.queryName.isAllowed(name) { return nil }
            self = .query(name)
        case _ where text.hasPrefix("recipe:"):
            guard let recipe = AuthRecipe(rawValue: String(text.dropFirst(7))) else { return nil }
            self = .recipe(recipe)
        default: return nil
        }
    }

    package var description: String {
        switch self {
        case .bearer: "bearer"
        case .header(let name): "header:\(name)"
        case .query(let name): "query:\(name)"
        case .recipe(let recipe): "recipe:\(recipe.rawValue)"
        case .none: "none"
        }
    }
}

extension ConfigRule where Value == Authentication {
    static var authentication: ConfigRule {
        text(
            "authentication", allowed: "bearer, none, header:NAME, query:NAME or recipe:NAME with one of \(recipes)",
            placeholder: .none, show: \.description
        ) {
            Authentication($0)
        }
    }

    private static var recipes: String { AuthRecipe.allCases.map(\.rawValue).joined(separator: ", ") }
}
