internal import SluiceConfig
internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet
internal import SluicePipeline
internal import SluicePolicy
internal import SluiceProviders
internal import SluiceTLS
internal import SluiceUpstream

/// Turns a validated configuration into what the workers use.
enum SnapshotBuilder {
    static func build(
        _ configuration: ServerConfiguration, revision: Int, environment: ConfigEnvironment,
        lasting: LastingState = LastingState()
    ) throws(ConfigErrors) -> Generation {
        var mistakes: [ConfigMistake] = []
        var providers: [Provider] = []
        for provider in configuration.providers {
            do throws(ConfigErrors) {
                providers.append(try Self.provider(provider, environment))
            } catch {
                mistakes += error.mistakes
            }
        }
        if !mistakes.isEmpty { throw ConfigErrors(mistakes) }
        return Generation(
            snapshot: try snapshot(configuration, providers, revision, lasting), downstream: downstream(configuration),
            aliases: configuration.metrics.aliases, telemetry: try TelemetryBuilder.plans(configuration))
    }

    private static func snapshot(
        _ configuration: ServerConfiguration, _ providers: [Provider], _ revision: Int, _ lasting: LastingState
    ) throws(ConfigErrors) -> ConfigSnapshot {
        let byName = Dictionary(providers.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var limits = ConfigSnapshot.Limits()
        limits.bodyBytesMax = configuration.limits.bodyByteCountMax
        limits.uploadBytesMax = configuration.limits.uploadByteCountMax
        limits.replyBytesBufferedMax = configuration.limits.replyBufferedByteCountMax
        limits.eventBytesMax = configuration.limits.eventByteCountMax
        limits.inFlightMax = configuration.limits.inFlightMax
        limits.outputTokensReserved = configuration.limits.outputTokensReserved
        var recovery = ConfigSnapshot.Recovery()
        recovery.retries = configuration.retries
        recovery.breakers = configuration.breakers.isEnabled ? configuration.breakers.settings : nil
        recovery.hedging = configuration.hedging
        let redis = try configuration.redis.map(RedisBuilder.settings)
        let access = try AccessBuilder.policy(configuration.access, lasting)
        return ConfigSnapshot(
            revision: revision, providers: providers,
            models: RouteSettings.models(configuration.models, byName, rescue: configuration.streams.rescue),
            aliases: RouteSettings.aliases(configuration.aliases), rules: configuration.routes,
            defaultProvider: configuration.defaultProvider.flatMap { byName[$0] },
            showsTarget: RouteSettings.display(configuration.replyHeaders),
            unsupported: mode(configuration.unsupported),
            limits: limits, timeouts: configuration.timeouts, recovery: recovery,
            streams: configuration.streams, media: try media(configuration.media),
            hasOpenMetrics: configuration.adminMetrics == .everyone,
            cache: CachingBuilder.cache(configuration, lasting),
            idempotency: CachingBuilder.idempotency(configuration, lasting),
            logsExchanges: configuration.log.access, lasting: lasting,
            asksWhoCalls: CachingBuilder.asksWhoCalls(configuration),
            concurrency: configuration.concurrency.map { concurrency in
                ConcurrencyPolicy(
                    settings: concurrency.gates, priorities: concurrency.priorities, shedStatus: concurrency.shedStatus,
                    in: lasting.gates)
            },
            degraded: try DegradedBuilder.policy(configuration.degraded),
            rateLimits: lasting.limits.adopt(LimitSettings.rules(configuration), at: EventLoop.readClock()),
            redis: redis, access: access.policy, records: try RecordsBuilder.settings(configuration),
            tokenOffice: access.office, tracing: TracingBuilder.settings(configuration.telemetry))
    }

    static func mode(_ unsupported: ServerConfiguration.Unsupported) -> FieldReport.Mode {
        switch unsupported {
        case .strict: .strict
        case .warn: .warn
        case .drop: .drop
        }
    }

    private static func media(_ configuration: MediaConfiguration) throws(ConfigErrors) -> MediaPolicy {
        var policy = MediaPolicy()
        policy.fetches = configuration.fetchesURLs
        policy.hosts = configuration.hosts
        policy.allowsPrivateAddresses = configuration.allowsPrivateAddresses
        policy.byteCountMax = configuration.byteCountMax
        policy.countMax = configuration.countMax
        policy.timeout = configuration.timeout
        if !policy.fetches { return policy }
        var tls = UpstreamTLSConfiguration()
        tls.applicationProtocols = [.http1]
        do throws(TLSError) {
            policy.tls = try TLSContext(upstream: tls)
        } catch {
            throw ConfigErrors([ConfigMistake(path: "media", location: nil, message: error.message)])
        }
        return policy
    }

    private static func downstream(_ configuration: ServerConfiguration) -> DownstreamConfiguration {
        let limits = configuration.limits
        let timeouts = configuration.timeouts
        var downstream = DownstreamConfiguration()
        downstream.head.headBytesMax = limits.headByteCountMax
        downstream.head.fieldCountMax = limits.headerFieldsMax
        downstream.head.targetBytesMax = limits.targetByteCountMax
        downstream.headTimeout = timeouts.head
        downstream.bodyStall = timeouts.bodyStall
        downstream.bodyTotal = timeouts.bodyTotal
        downstream.idle = timeouts.idle
        downstream.stall = timeouts.downstreamStall
        downstream.streamBufferByteCount = limits.streamBufferByteCountMax
        downstream.http2.concurrentStreams = limits.streamsMax
        downstream.http2.streamWindowByteCount = limits.streamWindowByteCount
        downstream.http2.connectionWindowByteCount = limits.connectionWindowByteCount
        downstream.http2.headerListByteCount = limits.headByteCountMax
        downstream.http2.headerFieldCount = limits.headerFieldsMax
        downstream.http2.targetByteCount = limits.targetByteCountMax
        downstream.http2.prematureResetsPerSecond = limits.prematureResetsMax
        downstream.http2.glitchCount = limits.glitchesMax
        downstream.http2.continuationFrameCount = limits.continuationFramesMax
        return downstream
    }

    // MARK: Providers

    private static func provider(
        _ configuration: ProviderConfiguration, _ environment: ConfigEnvironment
    ) throws(ConfigErrors) -> Provider {
        guard let dialect = ProviderDialect(rawValue: configuration.dialect.rawValue) else {
            let known = ProviderDialect.allCases.map(\.rawValue).joined(separator: ", ")
            throw mistake(
                configuration, "dialect",
                "one of \(known): this version of Sluice does not speak \(configuration.dialect.rawValue)")
        }
        return Provider(
            name: configuration.name, dialect: dialect,
            adaptation: Adaptation(
                configuration.adapter, query: configuration.query, capabilities: configuration.capabilities),
            endpoint: try endpoint(configuration, environment),
            basePath: configuration.baseURL.path, keys: KeyRing(try credentials(configuration, environment)),
            extraFields: configuration.headers.map { ($0.name, $0.value) },
            forwardsAuthorization: configuration.forwardAuthorization,
            takesOpenAIFields: configuration.adapter?.takesOpenAIFields ?? true,
            hasResponses: configuration.responses == .native,
            drainsAbandoned: configuration.onClientGone == .drain, models: configuration.namedModels,
            modelPrefixes: configuration.models.filter { $0.hasSuffix("*") }.map { String($0.dropLast()) })
    }

    private static func credentials(
        _ configuration: ProviderConfiguration, _ environment: ConfigEnvironment
    ) throws(ConfigErrors) -> [Credential] {
        try CredentialBuilder(configuration: configuration).credentials { (url) throws(ConfigErrors) in
            // Reached as the provider is, but for the name that its certificate must have.
            var place = configuration
            place.baseURL = url
            place.tls.serverName = nil
            return try endpoint(place, environment)
        }
    }

    private static func mistake(_ configuration: ProviderConfiguration, _ key: String, _ message: String)
        -> ConfigErrors
    {
        ConfigErrors([ConfigMistake(path: "providers.\(configuration.name).\(key)", location: nil, message: message)])
    }

    private static func endpoint(
        _ configuration: ProviderConfiguration, _ environment: ConfigEnvironment
    ) throws(ConfigErrors) -> Endpoint {
        let url = configuration.baseURL
        var limits = Endpoint.PoolLimits()
        limits.connectionsMax = configuration.pool.connectionsMax
        limits.idle = configuration.pool.idle
        limits.age = configuration.pool.ageMax == .zero ? .seconds(1 << 32) : configuration.pool.ageMax
        limits.waitersMax = configuration.pool.waitersMax
        limits.wait = configuration.pool.wait
        let http: Endpoint.HTTPChoice =
            switch configuration.httpVersion {
            // A WebSocket needs a connection of its own (RFC 6455 §4.1).
            case .auto: configuration.dialect == .sparkWebSocket ? .http1 : .automatic
            case .http1: .http1
            case .http2: .http2
            }
        return Endpoint(
            isTLS: url.scheme.isSecure, host: url.host, port: UInt16(clamping: url.port),
            tls: url.scheme.isSecure ? try tls(configuration, http) : nil, tlsName: configuration.tls.serverName,
            tlsIdentity: tlsIdentity(configuration), http: http, proxy: try proxy(configuration, environment),
            limits: limits)
    }

    /// What tells two TLS configurations apart when connections are kept across a reload.
    private static func tlsIdentity(_ configuration: ProviderConfiguration) -> String {
        let tls = configuration.tls
        return [tls.caFile, tls.clientCertificateFile, tls.clientKeyFile, tls.serverName].map { $0 ?? "" }.joined(
            separator: " ")
    }

    private static func tls(
        _ configuration: ProviderConfiguration, _ http: Endpoint.HTTPChoice
    ) throws(ConfigErrors) -> TLSContext {
        var tls = UpstreamTLSConfiguration()
        tls.authoritiesFile = configuration.tls.caFile
        if let certificate = configuration.tls.clientCertificateFile {
            tls.identity = TLSIdentityFiles(
                certificateFile: certificate, privateKeyFile: configuration.tls.clientKeyFile ?? certificate)
        }
        tls.applicationProtocols =
            switch http {
            case .automatic: [.http2, .http1]
            case .http1: [.http1]
            case .http2: [.http2]
            }
        do throws(TLSError) {
            return try TLSContext(upstream: tls)
        } catch {
            throw ConfigErrors([
                ConfigMistake(path: "providers.\(configuration.name).tls", location: nil, message: error.message)
            ])
        }
    }

    private static func proxy(
        _ configuration: ProviderConfiguration, _ environment: ConfigEnvironment
    ) throws(ConfigErrors) -> TunnelProxy? {
        guard
            let route = try configuration.proxy.route(
                to: configuration.baseURL, credentials: configuration.proxyCredentials, environment: environment)
        else { return nil }
        if route.url.scheme.isSecure {
            throw ConfigErrors([
                ConfigMistake(
                    path: "providers.\(configuration.name).proxy", location: nil,
                    message: "an http URL: a proxy is spoken to without TLS; what goes through its tunnel has its own")
            ])
        }
        let authorization = route.credentials.map { secret in
            Secret("Basic " + secret.withExposed { Base64.encode($0) })
        }
        return TunnelProxy(host: route.url.host, port: UInt16(clamping: route.url.port), authorization: authorization)
    }
}
