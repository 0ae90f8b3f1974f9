/// What Sluice is configured with for a row, beside its providers. Other proxies have no such things: they do the same work without.
enum Policies {
    case none
    /// A cache in the process.
    case memoryCache
    /// A cache in Redis, and as little as possible in the process.
    case redisCache
    /// Everything that a request can pass, with limits that none reaches.
    case all
    /// What a platform has on all day: records on disk, a cache, limits and a budget, retries and breakers, and one trace in ten
    /// sent by OTLP; metrics and the log of exchanges are on in any case.
    case production
    /// A cache and limits in a Redis that is not there.
    case deadRedis
    /// A model whose targets cut one stream in four after two thirds.
    case cutting
    /// A model with three targets, all well.
    case threeTargets
    /// The same, one of which is not there.
    case oneDead
    /// A model whose first target fails for ten requests, is well for ten, and again.
    case flapping

    /// What the mock is asked for where it flaps. The names of benchmarks (`bench-…`) take no further words.
    static let flappingModel = "flapping+tokens=12+status=503+flap=10:10"

    /// What the mock is asked for where it cuts one stream in four.
    static let cutModel = "cut+burst+tokens=50+cut=0.66+every=4"

    /// Members of the configuration, each with a comma after it.
    func members(_ site: Site) -> String {
        switch self {
        case .none: ""
        case .memoryCache: "cache: { nondeterministic: true },"
        case .redisCache: "\(redis(site)) cache: { nondeterministic: true, memory_bytes: 0 },"
        case .all: all(site)
        case .production: production(site)
        case .deadRedis: deadRedis(site)
        case .threeTargets, .oneDead, .flapping, .cutting: models
        }
    }

    /// The cache is small, so that it is full, and its memory taken, before anything is measured. The provider to practise against
    /// takes no spans, and says so: they are made and sent all the same.
    private func production(_ site: Site) -> String {
        """
        storage: { directory: "\(site.directory)/storage" }, records: {},
        cache: { nondeterministic: true, memory_bytes: 4194304 },
        rate_limits: [
          { name: "key", by: ["key"], limit: 1000000000 },
          { name: "tokens", by: ["user", "model"], unit: "total_tokens", limit: 1000000000 },
        ],
        budgets: [{ name: "team", by: ["team"], unit: "total_tokens", limit: 1000000000 }],
        retries: {}, breakers: {},
        telemetry: { otlp: { url: "http://127.0.0.1:\(site.upstreamPort)" }, traces: { ratio: 0.1 } },
        """
    }

    private func deadRedis(_ site: Site) -> String {
        """
        redis: { url: "redis://127.0.0.1:\(site.deadPort)" },
        cache: { nondeterministic: true },
        rate_limits: [{ name: "key", by: ["key"], limit: 1000000000, scope: "fleet" }],
        """
    }

    private func redis(_ site: Site) -> String {
        "redis: { url: \"redis://127.0.0.1:\(site.redisPort ?? site.deadPort)\" },"
    }

    private func all(_ site: Site) -> String {
        """
        \(redis(site))
        models: {
          "bench-plain": {
            strategy: "fastest",
            targets: [{ provider: "mock" , upstream_model: "bench-plain" }, { provider: "spare", upstream_model: "bench-plain" }],
          },
        },
        routes: [{ name: "large", when: { body_bytes_min: 1000000 }, prefer: ["spare"] }],
        rate_limits: [
          { name: "key", by: ["key"], limit: 1000000000, scope: "fleet" },
          { name: "user", by: ["user", "model"], unit: "total_tokens", limit: 1000000000 },
          { name: "open", by: ["key"], unit: "concurrency", limit: 100000 },
        ],
        budgets: [{ name: "team", by: ["team"], unit: "total_tokens", limit: 1000000000, scope: "fleet" }],
        concurrency: { models: { "bench-plain": { max_concurrency: 10000 } }, providers: { mock: { max_concurrency: 10000 } } },
        cache: { nondeterministic: true }, retries: {}, breakers: {}, hedging: { enabled: true }, streams: {},
        """
    }

    private var models: String {
        switch self {
        case .flapping:
            """
            models: {
              "bench-plain": {
                targets: [
                  { provider: "mock", upstream_model: "\(Self.flappingModel)" },
                  { provider: "spare", upstream_model: "bench-plain", priority: 1 },
                ],
              },
            },
            retries: {}, breakers: {},
            """
        case .cutting:
            """
            models: {
              "bench-burst-50": {
                targets: [
                  { provider: "mock", upstream_model: "\(Self.cutModel)" },
                  { provider: "spare", upstream_model: "\(Self.cutModel)" },
                ],
                rescue: ["splice"],
              },
            },
            retries: {}, breakers: { enabled: false },
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
        case .none, .memoryCache, .redisCache, .production, .deadRedis: ""
        default:
            [("spare", site.upstreamPort), ("third", site.upstreamPort), ("dead", site.deadPort)].map { name, port in
                "\(name): { dialect: \"openai\", base_url: \"http://127.0.0.1:\(port)/v1\", api_key: \"sk-bench\" },"
            }.joined(separator: "\n")
        }
    }
}
