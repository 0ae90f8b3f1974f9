/// What Sluice is configured with for a row, beside its providers. Other proxies have no such things: they do the same work without.
enum Policies {
    case none
    /// A cache in the process.
    case memoryCache
    /// A cache in Redis and none in the process.
    case redisCache
    /// Everything that a request can pass, with limits that none reaches.
    case all
    /// A model with three targets, all well.
    case threeTargets
    /// The same, one of which is not there.
    case oneDead
    /// A model whose first target fails for ten requests, is well for ten, and again.
    case flapping

    /// What the mock is asked for where it flaps; where it does not, the answer is that of the same request.
    static let flappingModel = "bench-flapping+status=503+flap=10:10"

    /// Members of the configuration, each with a comma after it.
    func members(_ site: Site) -> String {
        switch self {
        case .none: ""
        case .memoryCache: "cache: { rules: [{ model: \"*\", ttl_ms: 600000 }] },"
        case .redisCache: "\(redis(site)) cache: { memory_bytes: 0, rules: [{ model: \"*\", ttl_ms: 600000 }] },"
        case .all: all(site)
        case .threeTargets, .oneDead, .flapping: models
        }
    }

    private func redis(_ site: Site) -> String {
        "redis: { address: \"127.0.0.1:\(site.redisPort ?? site.deadPort)\" },"
    }

    private func all(_ site: Site) -> String {
        """
        \(redis(site))
        models: {
          "bench-plain": {
            targets: [{ provider: "mock", upstream_model: "bench-plain" }],
            fallbacks: [{ provider: "spare", upstream_model: "bench-plain" }],
          },
        },
        retries: {}, breakers: {}, streams: {}, concurrency: {},
        rate_limits: [], budgets: [], cache: {},
        """
    }

    private var models: String {
        switch self {
        case .flapping:
            """
            models: {
              "bench-plain": {
                targets: [{ provider: "mock", upstream_model: "\(Self.flappingModel)" }],
                fallbacks: [{ provider: "spare", upstream_model: "bench-plain" }],
              },
            },
            retries: {}, breakers: {},
            """
        default:
            """
            models: {
              "bench-delay-10": {
                targets: [
                  { provider: "mock", upstream_model: "bench-delay-10" },
                  { provider: "spare", upstream_model: "bench-delay-10" },
                  { provider: "\(self == .oneDead ? "dead" : "third")", upstream_model: "bench-delay-10" },
                ],
              },
            },
            retries: {}, breakers: {},
            """
        }
    }

    /// More providers than one, where targets are to be told apart; with a comma after each.
    func providers(_ site: Site) -> String {
        switch self {
        case .none, .memoryCache, .redisCache: ""
        default:
            [("spare", site.upstreamPort), ("third", site.upstreamPort), ("dead", site.deadPort)].map { name, port in
                "\(name): { dialect: \"openai\", base_url: \"http://127.0.0.1:\(port)/v1\", api_key: \"sk-bench\" },"
            }.joined(separator: "\n")
        }
    }
}
