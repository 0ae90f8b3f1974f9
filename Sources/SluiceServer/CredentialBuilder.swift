internal import SluiceConfig
internal import SluiceCore
internal import SluiceJSON
internal import SluiceProviders
internal import SluiceUpstream

/// Turns what a provider's configuration says of its credentials into what shows them.
struct CredentialBuilder {
    let configuration: ProviderConfiguration

    /// - Parameter endpoint: makes the endpoint of a token's origin.
    func credentials(_ endpoint: (BaseURL) throws(ConfigErrors) -> Endpoint) throws(ConfigErrors) -> [Credential] {
        let keys = configuration.apiKeys
        switch configuration.auth {
        case .bearer: return keys.map(Credential.bearer)
        case .header(let name): return keys.map { .field(name: name, value: $0) }
        case .query(let name): return keys.map { .signer(QueryKeySigner(name: name, key: $0)) }
        case .none: return []
        case .recipe(.zhipuJWT): return keys.map { .signer(ZhipuSigner(key: $0)) }
        case .recipe(let recipe): return [.signer(try signer(recipe, endpoint))]
        }
    }

    private func signer(
        _ recipe: AuthRecipe, _ endpoint: (BaseURL) throws(ConfigErrors) -> Endpoint
    ) throws(ConfigErrors) -> any RequestSigner {
        switch recipe {
        case .zhipuJWT: return ZhipuSigner(key: try secret("api_key"))
        case .sparkURLHMAC:
            return IflytekSigner(
                apiKey: try secret("api_key"), apiSecret: try secret("api_secret"), applicationID: setting("app_id"))
        case .tencentTC3:
            return DerivedKeySigner(
                tencent: TencentSignature.Credentials(
                    secretID: try text("secret_id"), secretKey: try secret("secret_key")),
                service: setting("service") ?? "hunyuan")
        case .awsSigV4:
            return DerivedKeySigner(
                aws: AWSSignature.Credentials(
                    accessKeyID: try text("access_key_id"), secretAccessKey: try secret("secret_access_key"),
                    sessionToken: configuration.authSettings["session_token"]),
                region: try text("region"), service: setting("service") ?? "bedrock")
        case .bceV1: return BaiduSigner(accessKeyID: try text("access_key"), secretKey: try secret("secret_key"))
        case .baiduOAuth:
            let url = try url("https://aip.baidubce.com")
            let source = TokenSource(
                .baidu(apiKey: try secret("client_id"), secretKey: try secret("client_secret"), path: path(of: url)),
                endpoint: try endpoint(url))
            return TokenSigner(source, in: .query("access_token"))
        case .azureClientCredentials:
            let url = try url("https://login.microsoftonline.com")
            let recipe = TokenSource.Recipe.azure(
                tenant: try text("tenant_id"), clientID: try text("client_id"),
                clientSecret: try secret("client_secret"),
                scope: setting("scope") ?? "https://cognitiveservices.azure.com/.default", path: path(of: url))
            return TokenSigner(TokenSource(recipe, endpoint: try endpoint(url)), in: .bearer)
        case .googleServiceAccount:
            let account = try serviceAccount()
            return TokenSigner(
                TokenSource(.google(account), endpoint: try endpoint(try url(account.tokenURL))), in: .bearer)
        }
    }

    private func serviceAccount() throws(ConfigErrors) -> GoogleServiceAccount {
        let bytes = try secret("service_account").withExposed { ByteBuffer(copying: $0) }
        let tape = JSONTape()
        do {
            try tape.scan(bytes.span)
            return try GoogleServiceAccount(tape.root(over: bytes.span))
        } catch {
            throw mistake("service_account", "the JSON of a service account: \(error)")
        }
    }

    // MARK: Settings

    private func setting(_ name: String) -> String? { configuration.authSettings[name]?.exposedText }

    private func text(_ name: String) throws(ConfigErrors) -> String { try secret(name).exposedText }

    /// What is required has been checked where the configuration was read.
    private func secret(_ name: String) throws(ConfigErrors) -> Secret {
        if let secret = configuration.authSettings[name] { return secret }
        throw mistake(name, "required by \(configuration.auth)")
    }

    /// Where tokens are: what is configured, else what is usual.
    private func url(_ usual: String) throws(ConfigErrors) -> BaseURL {
        do throws(BaseURL.Malformed) {
            return try BaseURL(setting("token_url") ?? usual)
        } catch {
            throw mistake("token_url", error.message)
        }
    }

    /// A URL without a path names the server alone: where tokens are there is the recipe's affair.
    private func path(of url: BaseURL) -> String? { url.path.isEmpty ? nil : url.path }

    private func mistake(_ name: String, _ message: String) -> ConfigErrors {
        ConfigErrors([
            ConfigMistake(
                path: "providers.\(configuration.name).auth_settings.\(name)", location: nil, message: message)
        ])
    }
}
