internal import SluiceConfig
internal import SluiceCore
internal import SluiceStorage
internal import SluiceTLS

/// Turns the configuration of Redis into what the workers use.
enum RedisBuilder {
    static func settings(_ configuration: RedisConfiguration) throws(ConfigErrors) -> RedisSettings {
        var settings = RedisSettings(topology: topology(configuration.servers))
        settings.credentials = credentials(configuration.username, configuration.password)
        settings.sentinelCredentials = credentials(configuration.sentinelUsername, configuration.sentinelPassword)
        settings.database = configuration.database
        settings.tls = try configuration.tls.map(tls)
        settings.prefix = configuration.prefix
        settings.timeout = configuration.timeout
        settings.connect = configuration.connect
        settings.inFlightMax = configuration.inFlightMax
        settings.breaker.failuresMax = configuration.breaker.failuresMax
        settings.breaker.failurePercentMax = configuration.breaker.failurePercentMax
        settings.breaker.probeEvery = configuration.breaker.probeEvery
        return settings
    }

    private static func topology(_ servers: RedisConfiguration.Servers) -> RedisSettings.Topology {
        switch servers {
        case .single(let server): .single(address(server))
        case .sentinel(let sentinels, let master): .sentinel(sentinels.map(address), master: master)
        case .cluster(let nodes): .cluster(nodes.map(address))
        }
    }

    private static func address(_ server: RedisServer) -> RedisAddress {
        switch server {
        case .host(let host, let port): .host(host, port)
        case .unix(let path): .unix(path)
        }
    }

    private static func credentials(_ username: String?, _ password: Secret?) -> RedisSettings.Credentials? {
        password.map { RedisSettings.Credentials(username: username, password: $0) }
    }

    private static func tls(_ configuration: UpstreamTLSSettings) throws(ConfigErrors) -> RedisSettings.TLS {
        var tls = UpstreamTLSConfiguration()
        tls.authoritiesFile = configuration.caFile
        tls.applicationProtocols = []
        if let certificate = configuration.clientCertificateFile, let key = configuration.clientKeyFile {
            tls.identity = TLSIdentityFiles(certificateFile: certificate, privateKeyFile: key)
        }
        do throws(TLSError) {
            return RedisSettings.TLS(context: try TLSContext(upstream: tls), serverName: configuration.serverName)
        } catch {
            throw ConfigErrors([ConfigMistake(path: "redis.tls", location: nil, message: error.message)])
        }
    }
}
