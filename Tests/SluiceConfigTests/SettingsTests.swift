import SluiceConfig
import SluiceCore
import Testing

@Suite struct `The proxy's settings` {
    static func load(
        _ text: String = "{}", _ variables: [String: String] = [:], overrides: ServerConfiguration.Overrides = .init()
    ) throws -> ConfigOutcome<ServerConfiguration> {
        try ServerConfiguration.load(
            text: Array(text.utf8), overrides: overrides, environment: .fixed(variables: variables))
    }

    @Test func `are the defaults of the structures when nothing is said`() throws {
        #expect(try Self.load().value == ServerConfiguration())
    }

    @Test func `can be said again from what holds in effect`() throws {
        let first = try Self.load("{providers: {a: {base_url: 'http://a'}}, models: {m: {provider: 'a'}}}")
        let second = try Self.load(first.effective.json())
        #expect(first.value == second.value)
        #expect(first.effective == second.effective)
    }

    @Test func `are overridden by the command line`() throws {
        var overrides = ServerConfiguration.Overrides()
        overrides.listen = [.ip4("127.0.0.1", port: 1), .unix("/x")]
        overrides.admin = .ip6("::1", port: 2)
        overrides.workers = 3
        let outcome = try Self.load("{listeners: [{address: '*:9'}], admin: null}", overrides: overrides)
        #expect(outcome.value.listeners.map(\.address) == overrides.listen)
        #expect(outcome.value.admin == overrides.admin)
        #expect(outcome.value.workers == .count(3))
        #expect(outcome.effective["workers"] == ConfigValue(.integer(3)))
    }

    @Test func `come from a file that is watched with the files it names`() throws {
        let files: [String: [UInt8]] = [
            "/c": Array("{providers: {a: {base_url: 'http://a', api_key: 'file:/k'}}}".utf8), "/k": Array("k".utf8),
        ]
        let outcome = try ServerConfiguration.load(file: "/c", environment: .fixed(files: files))
        #expect(outcome.files == ["/c", "/adapters", "/k"])
        #expect(outcome.value.provider(named: "a")?.apiKeys == [Secret("k")])
        let error = #expect(throws: ConfigErrors.self) {
            try ServerConfiguration.load(file: "/d", environment: .fixed())
        }
        #expect(error?.description == "/d: there is no such file")
    }

    @Test(arguments: [
        ("127.0.0.1:4010", "127.0.0.1:4010", true), ("0.0.0.0:0", "0.0.0.0:0", false), ("[::1]:80", "[::1]:80", true),
        ("localhost:80", "127.0.0.1:80", true), ("*:80", "[::]:80", false), ("unix:/a/b", "unix:/a/b", true),
    ])
    func `know addresses to listen on`(text: String, spelling: String, isLocal: Bool) {
        #expect(ListenAddress(text)?.description == spelling)
        #expect(ListenAddress(text)?.isLocal == isLocal)
    }

    @Test(arguments: [
        "", ":80", "80", "1.2.3.4", "1.2.3.4:", "1.2.3.4:99999", "1.2.3:80", "::1:80", "[::1]", "h:80", "unix:",
        "unix:a", "unix:/a\0", "http://1.2.3.4:80",
    ])
    func `know what is no address to listen on`(text: String) {
        #expect(ListenAddress(text) == nil)
    }

    @Test func `name models and beginnings of models`() throws {
        var provider = ProviderConfiguration(name: "p", baseURL: try BaseURL("http://p"))
        #expect(!provider.knows(model: "gpt-5"))
        provider.models = ["gpt-*", "sonar"]
        for (model, isKnown) in [
            ("gpt-5", true), ("gpt-", true), ("gpt", false), ("sonar", true), ("sonar-pro", false), ("", false),
        ] {
            #expect(provider.knows(model: model) == isKnown, "\(model)")
        }
        #expect(provider.namedModels == ["sonar"])
    }
}

@Suite struct `Providers in the environment` {
    static func found(_ variables: [String: String], _ listeners: [ListenAddress] = [])
        -> EnvironmentProviders.Discovery
    {
        EnvironmentProviders.discover(.fixed(variables: variables), listeners: listeners)
    }

    @Test func `are none without a variable`() {
        #expect(Self.found([:]) == .init())
        #expect(Self.found(["OPENAI_API_KEY": "", "SLUICE_GROQ_BASE_URL": "http://x"]) == .init())
    }

    @Test func `are known by their key, every one in the catalogue`() throws {
        let entries = AdapterLibrary.builtIn.adapters
        #expect(entries.count >= 34)
        for entry in entries where entry.baseURL != nil {
            for variable in entry.keyVariables {
                let found = Self.found([variable: "k\n"])
                #expect(found.providers.map(\.name) == [entry.name])
                #expect(found.providers.first?.baseURL == entry.baseURL)
                #expect(found.providers.first?.apiKeys == [Secret("k")])
                #expect(found.providers.first?.models == entry.models)
            }
            #expect(entry.baseURL?.scheme.isSecure == true || entry.isUsableWithoutKey)
        }
        let variables = entries.flatMap { $0.keyVariables + $0.baseURLVariables }
        #expect(Set(variables).count == variables.count, "a variable belongs to one provider")
    }

    @Test func `come in the catalogue's order, whatever else is set`() {
        let found = Self.found([
            "GROQ_API_KEY": "g", "OPENAI_API_KEY": "o", "GOOGLE_API_KEY": "x", "GEMINI_API_KEY": "y",
        ])
        #expect(found.providers.map(\.name) == ["openai", "gemini", "groq"])
        #expect(found.providers[1].apiKeys == [Secret("y")])
    }

    @Test func `may be a server of one's own, without a key and with other models`() throws {
        let found = Self.found(["OPENAI_BASE_URL": "http://vllm:8000/v1/"])
        #expect(found.providers.first?.baseURL == (try BaseURL("http://vllm:8000/v1")))
        #expect(found.providers.first?.apiKeys == [])
        #expect(found.providers.first?.models == [])
        let usual = Self.found(["OPENAI_BASE_URL": "https://api.openai.com/v1", "OPENAI_API_KEY": "k"])
        #expect(usual.providers.first?.knows(model: "gpt-9") == true)
    }

    @Test func `do not lead back to Sluice`() {
        let listeners: [ListenAddress] = [.ip6("::", port: 4010), .ip4("127.0.0.1", port: 4012)]
        for url in ["http://127.0.0.1:4010/v1", "http://localhost:4010/v1", "http://[::1]:4012/v1"] {
            let alone = Self.found(["OPENAI_BASE_URL": url], listeners)
            #expect(alone.providers.isEmpty)
            #expect(alone.notes == ["OPENAI_BASE_URL leads to Sluice itself and was passed over"])
            let withKey = Self.found(["OPENAI_BASE_URL": url, "OPENAI_API_KEY": "k"], listeners)
            #expect(withKey.providers.map(\.baseURL.description) == ["https://api.openai.com/v1"])
        }
        #expect(Self.found(["OPENAI_BASE_URL": "http://localhost:4011/v1"], listeners).providers.count == 1)
        #expect(
            Self.found(["OPENAI_BASE_URL": "http://localhost:80/v1"], [.ip4("10.0.0.1", port: 80)]).providers.count == 1
        )
    }

    @Test func `with a broken variable are a mistake that does not repeat it`() throws {
        let error = #expect(throws: ConfigErrors.self) {
            try `The proxy's settings`.load("{}", ["OPENAI_BASE_URL": "secret@x", "GROQ_API_KEY": "a\nsecret"])
        }
        #expect(
            error?.description == """
                $OPENAI_BASE_URL: a URL with a scheme, as https://api.example.com/v1
                $GROQ_API_KEY: a key of visible ASCII characters
                """)
    }

    @Test func `join those of the file only when they are asked to`() throws {
        let variables = ["OPENAI_API_KEY": "k", "GROQ_API_KEY": "k"]
        let names = { (text: String) in
            try `The proxy's settings`.load(text, variables).value.providers.map(\.baseURL.host)
        }
        #expect(try names("{}") == ["api.openai.com", "api.groq.com"])
        #expect(try names("{providers: {openai: {base_url: 'http://own'}}}") == ["own"])
        #expect(
            try names("{environment_providers: 'always', providers: {openai: {base_url: 'http://own'}}}") == [
                "own", "api.groq.com",
            ])
        #expect(try names("{environment_providers: 'never'}") == [])
    }
}

@Suite struct `The way out` {
    static func route(_ url: String, _ variables: [String: String], _ proxy: EgressProxy = .environment) throws
        -> String
    {
        let route = try proxy.route(to: try BaseURL(url), credentials: nil, environment: .fixed(variables: variables))
        return route.map { "\($0.url) \($0.credentials?.exposedText ?? "-")" } ?? "direct"
    }

    @Test func `is what the variables say`() throws {
        #expect(try Self.route("https://a", [:]) == "direct")
        #expect(try Self.route("https://a", ["HTTPS_PROXY": "http://p:3128"]) == "http://p:3128 -")
        #expect(try Self.route("https://a", ["https_proxy": "p:3128"]) == "http://p:3128 -")
        #expect(try Self.route("https://a", ["http_proxy": "p:3128"]) == "direct")
        #expect(try Self.route("http://a", ["http_proxy": "p:3128"]) == "http://p:3128 -")
        #expect(try Self.route("https://a", ["ALL_PROXY": "https://u%40x:p@p:1/"]) == "https://p:1 u@x:p")
        #expect(try Self.route("https://a", ["HTTPS_PROXY": "http://p"], .none) == "direct")
        #expect(try Self.route("https://localhost:1", ["HTTPS_PROXY": "http://p"]) == "direct")
        let own = EgressProxy.url(try BaseURL("http://own"))
        #expect(try Self.route("https://a", ["HTTPS_PROXY": "http://p", "NO_PROXY": "*"], own) == "http://own -")
        let error = #expect(throws: ConfigErrors.self) {
            try Self.route("https://a", ["HTTPS_PROXY": "socks5://u:secret@p"])
        }
        #expect(error?.description == "$HTTPS_PROXY: a URL whose scheme is http or https")
    }

    @Test(arguments: [
        ("*", "https://a.b", true), ("b", "https://a.b", true), (".b", "https://a.b", true),
        ("*.b", "https://a.b", true), ("b", "https://ab", false),
        ("A.B", "https://a.b", true), ("x, a.b", "https://a.b", true), ("a.b:443", "https://a.b", true),
        ("a.b:80", "https://a.b", false),
        ("10.0.0.1", "https://10.0.0.1", true), ("10.0.0.0/8", "https://10.9.9.9", true),
        ("10.0.0.0/8", "https://11.0.0.1", false),
        ("0.0.0.0/0", "https://1.2.3.4", true), ("10.0.0.0/33", "https://10.0.0.1", false),
        ("10.0.0.0/8", "https://a", false),
        ("0.0.1", "https://10.0.0.1", false), ("fd00::1", "https://[fd00::1]", true),
        ("[fd00::1]", "https://[fd00::1]:8", true), ("", "https://a", false),
        (".", "https://a", false), ("/,//,:", "https://a", false),
    ])
    func `does not pass the proxy where NO_PROXY says so`(list: String, url: String, isDirect: Bool) throws {
        #expect(try Self.route(url, ["HTTPS_PROXY": "p", "NO_PROXY": list]) == (isDirect ? "direct" : "http://p -"))
    }
}
