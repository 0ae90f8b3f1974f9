internal import SluiceConfig
internal import SluiceCore
internal import SluiceIdentity
internal import SluicePipeline
internal import SluicePolicy
internal import SluiceTLS

/// Turns what the configuration says of tokens and certificates into what tells who shows them.
struct TokensBuilder {
    let configuration: TokensConfiguration
    let state: IdentityState
    /// API keys that the configuration does not name.
    let keys: KeyTable

    /// - Returns: `nil` where nothing is said.
    func build() throws(ConfigErrors) -> (verifier: TokenVerifier, office: TokenOffice?)? {
        if configuration.isEmpty { return nil }
        var issuers: [TokenIssuer] = []
        for (section, list) in [("jwt", configuration.jwt), ("oidc", configuration.oidc)] {
            for (index, issuer) in list.enumerated() {
                issuers.append(try self.issuer(issuer, "access.\(section)[\(index)]"))
            }
        }
        var remotes: [RemoteIssuer] = []
        if let introspection = configuration.introspection { remotes.append(try remote(introspection)) }
        if let kubernetes = configuration.kubernetes {
            switch kubernetes.verification {
            case .keys: issuers.append(try cluster(kubernetes))
            case .tokenReview: remotes.append(try review(kubernetes))
            }
        }
        let office = try configuration.tokenEndpoint.map(office)
        if let office { issuers.append(Self.own(office.mint)) }
        let verifier = TokenVerifier(
            issuers: issuers, remotes: remotes, certificates: configuration.mtls.map(Self.rules),
            verdictsMax: configuration.verdictsMax, freshMax: configuration.verdictTime,
            keyHolder: Self.keyHolder(office, keys))
        return (verifier, office)
    }

    // MARK: Issuers

    private func issuer(
        _ issuer: IssuerConfiguration, _ path: String
    ) throws(ConfigErrors) -> TokenIssuer {
        var bounds = KeySourceState.Bounds()
        bounds.freshMax = issuer.keysMaxAge
        bounds.freshUsual = min(bounds.freshUsual, issuer.keysMaxAge)
        bounds.staleMax = max(issuer.keysStaleMax, issuer.keysMaxAge)
        bounds.unknownKeyInterval = issuer.unknownKeyInterval
        let keys: KeySource
        switch issuer.keys {
        case .secret(let secret): keys = KeySource(fixed: KeySet([VerificationKey(id: nil, .secret(secret))]))
        case .file(let file): keys = KeySource(fixed: try Self.keys(inFile: file, path))
        case .url(let url): keys = try source(.keys(url: url), issuer.connection, bounds, path)
        case .discovery:
            keys = try source(.discovery(issuer: issuer.issuer), issuer.connection, bounds, path)
        }
        var rules = TokenRules()
        rules.issuer = issuer.issuer
        rules.audiences = issuer.audiences
        rules.skewSeconds = Self.seconds(issuer.clockSkew)
        rules.required = issuer.requiredClaims.map { ($0.name, $0.value) }
        rules.types = issuer.tokenTypes.map(JSONWebToken.canonicalType)
        return TokenIssuer(
            name: issuer.issuer, keys: keys, rules: rules,
            algorithms: Set(issuer.algorithms),
            claims: Self.mapping(issuer.claims))
    }

    private func source(
        _ place: KeySource.Place, _ connection: IdentityConnectionConfiguration, _ bounds: KeySourceState.Bounds,
        _ path: String, tokenFile: String? = nil
    ) throws(ConfigErrors) -> KeySource {
        let client = try client(connection, path, keepsConnections: false)
        // Of the authorities it is what they are that counts, not where they stand.
        let identity = "\(place) \(connection) \(bounds) \(tokenFile ?? "") \(client.tlsIdentity)"
        return state.source(identity) {
            KeySource(place, client: client, bounds: bounds, tokenFile: tokenFile, notices: state.notices)
        }
    }

    private func client(
        _ connection: IdentityConnectionConfiguration, _ path: String, keepsConnections: Bool = true
    ) throws(ConfigErrors) -> IdentityClient {
        var tls = UpstreamTLSConfiguration()
        tls.authoritiesFile = connection.caFile
        tls.applicationProtocols = [.http1]
        do throws(TLSError) {
            let context = try TLSContext(upstream: tls)
            return IdentityClient(
                resolver: state.resolver, timeout: connection.timeout, tls: context, tlsIdentity: context.filesIdentity,
                trustsNetwork: connection.trustsNetwork, pools: keepsConnections ? IdentityPools() : nil)
        } catch {
            throw Self.mistake("\(path).ca_file", error.message)
        }
    }

    private static func keys(inFile file: String, _ path: String) throws(ConfigErrors) -> KeySet {
        do {
            let bytes = try FileBytes(path: file)
            let set = try KeySet(fileBytes: bytes)
            if set.keys.isEmpty { throw KeySet.Malformed("none of its keys can be used: \(set.notes.joined(separator: "; "))") }
            return set
        } catch let error as KeySet.Malformed {
            throw mistake("\(path).jwks_file", error.message)
        } catch {
            throw mistake("\(path).jwks_file", "\(error)")
        }
    }

    private func cluster(_ kubernetes: KubernetesConfiguration) throws(ConfigErrors) -> TokenIssuer {
        var rules = TokenRules()
        rules.issuer = kubernetes.issuer
        rules.audiences = kubernetes.audiences
        rules.skewSeconds = Self.seconds(kubernetes.clockSkew)
        let keys = try source(
            .cluster(server: kubernetes.server, issuer: kubernetes.issuer), connection(kubernetes), .init(),
            "access.kubernetes", tokenFile: tokenFile(kubernetes))
        return TokenIssuer(
            name: "kubernetes", kind: .serviceAccounts(Self.rules(kubernetes)), keys: keys, rules: rules,
            algorithms: Set(SignatureAlgorithm.allCases).subtracting([.hs256]))
    }

    /// Of what a pod has mounted, what the configuration does not name.
    private func connection(_ kubernetes: KubernetesConfiguration) -> IdentityConnectionConfiguration {
        var connection = kubernetes.connection
        let mounted = KubernetesConfiguration.mounted + "ca.crt"
        if connection.caFile == nil, (try? FileBytes(path: mounted)) != nil { connection.caFile = mounted }
        return connection
    }

    private func tokenFile(_ kubernetes: KubernetesConfiguration) -> String? {
        if let file = kubernetes.tokenFile { return file }
        let mounted = KubernetesConfiguration.mounted + "token"
        return (try? FileBytes(path: mounted)) != nil ? mounted : nil
    }

    private static func own(_ mint: TokenMint) -> TokenIssuer {
        var rules = TokenRules()
        rules.issuer = mint.settings.issuer
        rules.audiences = [mint.settings.audience]
        rules.types = [TokenMint.type]
        return TokenIssuer(
            name: "sluice", kind: .own, keys: mint.verification, rules: rules, algorithms: [.es256, .edDSA])
    }

    // MARK: Those who are asked

    private func remote(_ configuration: IntrospectionConfiguration) throws(ConfigErrors) -> RemoteIssuer {
        let path = "access.introspection"
        let client = try client(configuration.connection, path)
        var introspection = Introspection(
            name: configuration.issuer ?? configuration.url, clientID: configuration.clientID,
            clientSecret: configuration.clientSecret)
        introspection.authentication = configuration.clientAuthentication == .post ? .post : .basic
        introspection.rules.issuer = configuration.issuer
        introspection.rules.audiences = configuration.audiences
        introspection.rules.skewSeconds = Self.seconds(configuration.clockSkew)
        introspection.claims = Self.mapping(configuration.claims)
        var bounds = RemoteIssuer.Bounds()
        bounds.fresh = configuration.cacheTime
        bounds.refusedFresh = configuration.negativeCacheTime
        bounds.questionsMax = configuration.questionsMax
        return RemoteIssuer(
            .introspection(introspection), name: "introspection", url: configuration.url, client: client, bounds: bounds,
            notices: state.notices)
    }

    private func review(_ kubernetes: KubernetesConfiguration) throws(ConfigErrors) -> RemoteIssuer {
        let client = try client(connection(kubernetes), "access.kubernetes")
        var bounds = RemoteIssuer.Bounds()
        bounds.fresh = kubernetes.cacheTime
        let review = TokenReview(
            tokenFile: tokenFile(kubernetes), audiences: kubernetes.audiences, rules: Self.rules(kubernetes))
        return RemoteIssuer(
            .tokenReview(review), name: "kubernetes",
            url: kubernetes.server + "/apis/authentication.k8s.io/v1/tokenreviews", client: client, bounds: bounds,
            notices: state.notices)
    }

    // MARK: Sluice's own

    private func office(_ endpoint: TokenEndpointConfiguration) throws(ConfigErrors) -> TokenOffice {
        var settings = TokenMint.Settings()
        settings.issuer = endpoint.issuer
        settings.audience = endpoint.audience
        settings.kind = endpoint.algorithm == .edDSA ? .ed25519 : .p256
        settings.lifetime = endpoint.lifetime
        settings.rotation = endpoint.rotation
        settings.keys = endpoint.signingKeys
        do throws(TLSError) {
            let clients = endpoint.clients.map { client in
                TokenOffice.Client(id: client.id, secret: client.secret, grant: Self.grant(client.grant))
            }
            return TokenOffice(
                mint: try state.mint(settings), clients: clients, requestsPerMinute: endpoint.requestsPerMinute)
        } catch {
            throw Self.mistake("access.token_endpoint.signing_keys", error.message)
        }
    }

    private static func keyHolder(
        _ office: TokenOffice?, _ keys: KeyTable
    ) -> @Sendable (String, AccessPolicy, Int) -> CredentialVerdict {
        { id, policy, now in
            guard id.hasPrefix("key:") else { return office?.holder(id, under: policy) ?? .refused(.unknown, of: id) }
            let name = String(id.dropFirst("key:".utf8.count))
            let own = policy.keys.check(id: name, under: policy, at: now)
            if case .refused(.unknown, _) = own { return keys.check(id: name, under: policy, at: now) }
            return own
        }
    }

    // MARK: From one name to the other

    private static func seconds(_ duration: Duration) -> Int { Int(duration.nanoseconds / 1_000_000_000) }

    private static func mapping(_ claims: ClaimsConfiguration) -> ClaimMapping {
        var mapping = ClaimMapping()
        mapping.user = ClaimPath(claims.user)
        mapping.roles = claims.roles.map(ClaimPath.init)
        mapping.team = claims.team.map(ClaimPath.init)
        mapping.businessLine = claims.businessLine.map(ClaimPath.init)
        mapping.tenant = claims.tenant.map(ClaimPath.init)
        mapping.roleMap = Dictionary(claims.roleMap.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        mapping.scopeRoles = Dictionary(claims.scopeRoles.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        mapping.defaultRoles = claims.defaultRoles
        return mapping
    }

    private static func grant(_ grant: GrantConfiguration) -> Grant {
        Grant(
            roles: grant.roles, user: grant.user, team: grant.team, businessLine: grant.businessLine,
            tenant: grant.tenant)
    }

    private static func rules(_ kubernetes: KubernetesConfiguration) -> ServiceAccountRules {
        ServiceAccountRules(
            kubernetes.rules.map {
                ServiceAccountRules.Rule(namespace: $0.namespace, name: $0.name, grant: grant($0.grant))
            })
    }

    private static func rules(_ certificates: CertificatesConfiguration) -> CertificateRules {
        CertificateRules(
            certificates.rules.map { rule in
                var names: [CertificateRules.Name] = []
                if let uri = rule.uri { names.append(.uri(uri)) }
                if let dns = rule.dns { names.append(.dns(dns)) }
                if let name = rule.commonName { names.append(.commonName(name)) }
                if let fingerprint = rule.fingerprint { names.append(.fingerprint(fingerprint)) }
                return CertificateRules.Rule(names, grant: grant(rule.grant))
            })
    }

    private static func mistake(_ path: String, _ message: String) -> ConfigErrors {
        ConfigErrors([ConfigMistake(path: path, location: nil, message: message)])
    }
}
