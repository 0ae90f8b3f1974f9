package import SluiceCore

/// Redis, which lets several Sluices share limits, cache and hints. Without the section there is none.
package struct RedisConfiguration: Sendable, Equatable {
    package enum Servers: Sendable, Equatable {
        case single(RedisServer)
        case sentinel([RedisServer], master: String)
        case cluster([RedisServer])
    }

    package var servers = Servers.single(.host("invalid", port: 1))
    /// Default: the default user.
    package var username: String?
    package var password: Secret?
    package var sentinelUsername: String?
    package var sentinelPassword: Secret?
    /// 0 to 65535. Default 0.
    package var database = 0
    /// `nil`: plain.
    package var tls: UpstreamTLSSettings?
    /// What every key begins with. Default `sluice:`.
    package var prefix = "sluice:"
    /// 1 to 1000 ms.
    package var timeout = Duration.milliseconds(5)
    /// 10 ms to 10 s.
    package var connect = Duration.milliseconds(500)
    /// Of one connection, 1 to 65536.
    package var inFlightMax = 1024
    package var breaker = Breaker()

    package struct Breaker: Sendable, Equatable {
        /// 1 to 1000.
        package var failuresMax = 5
        /// 1 to 100.
        package var failurePercentMax = 50
        /// 10 ms to 1 s.
        package var probeEvery = Duration.milliseconds(100)
        package init() {}
    }

    static let databases = 0...65535

    package init() {}

    package static func read(_ section: ConfigSection) -> Self {
        var redis = Self()
        let url = redis.readServers(section)
        redis.readCredentials(section, url)
        redis.tls = section.optionalSection(
            "tls", doc: "TLS to the servers and sentinels. null: none, unless `url` begins with `rediss`.", UpstreamTLSSettings.read)
        if url?.isTLS == true { redis.tls = redis.tls ?? UpstreamTLSSettings() }
        if let url, !url.isTLS, redis.tls != nil {
            section.mistake("tls", "null, unless url begins with rediss")
        }
        redis.prefix = section.string(
            "prefix", default: redis.prefix, bytes: 1...64, doc: "What every key and channel of Sluice begins with.")
        redis.timeout = section.duration(
            "timeout_ms", default: redis.timeout, in: 1...1000,
            doc: "How long a command may take. After it, Sluice goes on without Redis.")
        redis.connect = section.duration(
            "connect_ms", default: redis.connect, in: 10...10_000,
            doc: "How long it may take to make a connection. No request waits for that.")
        redis.inFlightMax = section.integer(
            "in_flight_max", default: redis.inFlightMax, in: 1...65536,
            doc: "Commands of one worker's connection that wait for their replies. More are not sent.")
        redis.breaker = section.section(
            "breaker", doc: "When Redis is left alone, and how it is found to be back.", readBreaker)
        return redis
    }

    private mutating func readServers(_ section: ConfigSection) -> RedisURL? {
        let url = section.optional(
            "url", .redisURL, doc: "One server: `\(RedisURL.allowed)`. May be a secret: `env:REDIS_URL`."
        ).flatMap(\.self)
        let sentinels = section.values(
            "sentinels", .redisServer(defaultPort: 26379), count: 0...64,
            doc: "In place of `url`: sentinels, who know which server is the master.")
        let master = section.optionalString(
            "master", bytes: 1...256, doc: "With `sentinels`: the name that they know the master by.")
        let cluster = section.values(
            "cluster", .redisServer(defaultPort: 6379), count: 0...256,
            doc: "In place of `url`: some nodes of a cluster, who know the others.")
        let forms = [section.has("url"), !sentinels.isEmpty, !cluster.isEmpty].count(where: \.self)
        if forms != 1 {
            section.mistake("one of url, sentinels and cluster, found \(forms == 0 ? "none" : "\(forms)")")
        }
        if !sentinels.isEmpty, master == nil { section.mistake("master", "required with sentinels") }
        if sentinels.isEmpty, master != nil { section.mistake("master", "without effect unless sentinels are given") }
        if !sentinels.isEmpty {
            servers = .sentinel(sentinels, master: master ?? "")
        } else if !cluster.isEmpty {
            servers = .cluster(cluster)
        } else if let url {
            servers = .single(url.server)
        }
        return url
    }

    private mutating func readCredentials(_ section: ConfigSection, _ url: RedisURL?) {
        username = section.optionalString("username", bytes: 1...256, doc: "The ACL user. null: the default user.")
        password = section.optionalSecret("password", doc: "The password: itself, `env:NAME` or `file:/path`.")
        if url?.password != nil, username != nil || password != nil {
            section.mistake(password != nil ? "password" : "username", "not here, since url has credentials")
        }
        if let secret = url?.password {
            username = url?.username
            password = secret
        }
        if username != nil, password == nil { section.mistake("username", "together with password") }
        sentinelUsername = section.optionalString(
            "sentinel_username", bytes: 1...256, doc: "With `sentinels`: the user there.")
        sentinelPassword = section.optionalSecret("sentinel_password", doc: "With `sentinels`: the password there.")
        if sentinelUsername != nil, sentinelPassword == nil {
            section.mistake("sentinel_username", "together with sentinel_password")
        }
        if case .sentinel = servers {
        } else if sentinelPassword != nil {
            section.mistake("sentinel_password", "without effect unless sentinels are given")
        }
        database = section.integer(
            "database", default: url?.database ?? 0, in: Self.databases,
            doc: "The number of the database. A cluster has 0 only.")
        if let written = url?.database, section.has("database"), written != database {
            section.mistake("database", "not here, since url has one")
        }
        if case .cluster = servers, database != 0 { section.mistake("database", "0: a cluster has one database") }
    }

    private static func readBreaker(_ section: ConfigSection) -> Breaker {
        var breaker = Breaker()
        breaker.failuresMax = section.integer(
            "failures_max", default: breaker.failuresMax, in: 1...1000,
            doc: "So many replies in a row that do not come in time open it.")
        breaker.failurePercentMax = section.integer(
            "failure_percent_max", default: breaker.failurePercentMax, in: 1...100,
            doc: "So many percent of at least 20 replies within two seconds open it too.")
        breaker.probeEvery = section.duration(
            "probe_every_ms", default: breaker.probeEvery, in: 10...1000,
            doc: "While it is open, a probe is sent so often; two in a row that are answered in time close it.")
        return breaker
    }
}
