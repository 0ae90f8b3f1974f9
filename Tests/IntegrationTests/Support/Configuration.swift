/// A configuration in the making: what tests have in common, and room for what they are about.
struct Configuration {
    /// JSON5, each an object.
    var listeners = [#"{address: "127.0.0.1:0"}"#]
    /// JSON5, each `name: {…}`.
    var providers: [String] = []
    var defaultProvider: String?
    /// One, so that two requests in a row find the same connection pool.
    var workers = 1
    /// The members of these sections.
    var models = ""
    var limits = ""
    var timeouts = ""
    var drain = "lame_duck_ms: 0"
    var log = ""
    var media = ""
    /// Other sections, each `name: {…}`.
    var others: [String] = []
    /// Nothing is sent twice, and no target is left alone, unless a test is about that.
    var retries = "same_target_max: 0"
    var breakers = "enabled: false"
    var hedging = ""
    init() {}

    /// - Parameter members: of the provider `mock`, beside its URL and key.
    init(_ upstream: ScriptedUpstream, _ members: String = "") { add("mock", upstream, members) }

    mutating func add(
        _ name: String, _ upstream: ScriptedUpstream, key: String = Secrets.provider, _ members: String = ""
    ) {
        providers.append(
            #""\#(name)": {base_url: "http://127.0.0.1:\#(upstream.port)/v1", api_key: "\#(key)", \#(members)}"#)
    }

    var text: String {
        var sections = [
            "listeners: [\(listeners.joined(separator: ", "))]", #"admin: "127.0.0.1:0""#, "workers: \(workers)",
            #"environment_providers: "never""#, "providers: {\(providers.joined(separator: ", "))}",
            "models: {\(models)}",
            "limits: {\(limits)}", "timeouts: {\(timeouts)}", "drain: {\(drain)}", "log: {\(log)}", "media: {\(media)}",
            "retries: {\(retries)}", "breakers: {\(breakers)}", "hedging: {\(hedging)}",
        ]
        if let defaultProvider { sections.append(#"default_provider: "\#(defaultProvider)""#) }
        sections += others
        return "{\n  " + sections.joined(separator: ",\n  ") + "\n}\n"
    }
}
