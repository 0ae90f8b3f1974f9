package import SluiceCore

/// Somebody to whom metrics, traces or logs are sent over HTTP, and what he is shown.
package struct TelemetryReceiverConfiguration: Sendable, Equatable {
    package enum Credentials: Sendable, Equatable {
        case none
        case bearer(Secret)
        case basic(user: String, password: Secret)
    }

    /// What metrics and log lines call it.
    package var name = ""
    package var url = BaseURL(scheme: .http, host: "localhost", port: 80)
    /// 100 ms to 60 s. Default 10 s.
    package var timeout = Duration.seconds(10)
    /// 1 s to 1 h. Default 60 s.
    package var backoffMax = Duration.seconds(60)
    /// 64 KiB to 256 MiB. Default 4 MiB.
    package var queueByteCountMax = 4 << 20
    package var credentials = Credentials.none
    /// Sent with every message; names in lower case.
    package var headers: [Named<Secret>] = []
    package var tls = UpstreamTLSSettings()

    package init() {}

    /// - Parameters:
    ///   - section: of its own, or one that says more.
    ///   - name: what it is called if it has no name of its own.
    package static func read(_ section: ConfigSection, name: String, urlDoc: String) -> Self {
        read(section, name: name) { $0.url("url", doc: urlDoc) }
    }

    /// - Parameter url: reads it, where it need not be in the section.
    package static func read(_ section: ConfigSection, name: String, url: (ConfigSection) -> BaseURL) -> Self {
        var it = Self()
        it.name = section.optional(
            "name", .receiverName, doc: "What metrics (`receiver`) and log lines call it. null: after its kind.") ?? name
        it.url = url(section)
        it.timeout = section.duration(
            "timeout_ms", default: it.timeout, in: 100...60_000,
            doc: "How long one message may take, from the connection to the last byte of the answer.")
        it.backoffMax = section.duration(
            "backoff_max_ms", default: it.backoffMax, in: 1000...3_600_000,
            doc: "A receiver that fails is tried again after a second, then after twice as long each time, up to this.")
        it.queueByteCountMax = section.integer(
            "queue_bytes_max", default: it.queueByteCountMax, in: 65_536...268_435_456,
            doc: "What waits to be sent while it does not answer. Beyond that the oldest is dropped, and counted.")
        it.readCredentials(section)
        it.tls = section.section(
            "tls", doc: "Whom to trust where `url` is https, and what to show.", UpstreamTLSSettings.read)
        return it
    }

    private mutating func readCredentials(_ section: ConfigSection) {
        let token = section.optional(
            "bearer_token", .fieldValue, doc: "Sent as `Authorization: Bearer`: itself, `env:NAME` or `file:/path`.")
        let user = section.optionalString("username", bytes: 1...256, doc: "With `password`: basic authentication.")
        let password = section.optionalSecret("password", doc: "With `username`: itself, `env:NAME` or `file:/path`.")
        headers =
            section.dictionary(
                "headers", of: .fieldValue, names: HeaderRules.names, count: 0...32,
                doc: "Fields to send with every message. Values may be secrets, and are never shown."
            ).map { Named($0.name.lowercased(), $0.value) }
        if section.isDescribing { return }
        if Set(headers.map(\.name)).count < headers.count { section.mistake("headers", "each field once, whatever its case") }
        if (user == nil) != (password == nil) {
            section.mistake(user == nil ? "password" : "username", "username together with password")
        }
        if token != nil, user != nil { section.mistake("bearer_token", "either bearer_token or username and password") }
        if let user, user.utf8.contains(UInt8(ascii: ":")) { section.mistake("username", "a name without \":\"") }
        let hasAuthorization = headers.contains { $0.name == "authorization" }
        if hasAuthorization, token != nil || user != nil {
            section.mistake("headers", "no authorization beside bearer_token or username")
        }
        if let token { credentials = .bearer(token) }
        if let user, let password { credentials = .basic(user: user, password: password) }
    }

    /// Notes a mistake where two of a list have one name: their metrics could not be told apart.
    static func check(_ receivers: [Self], _ key: String, _ section: ConfigSection) {
        var taken: Set<String> = []
        for receiver in receivers where !taken.insert(receiver.name).inserted {
            section.mistake(key, "receivers of different names, found \(ConfigPath.quoted(receiver.name)) again: give them `name`")
        }
    }
}

extension ConfigRule where Value == String {
    /// A word that metrics may have as a label.
    static var receiverName: ConfigRule {
        text("string", allowed: ConfigNames.identifier.allowed, placeholder: "name") { $0 } _: { text in
            ConfigNames.identifier.isAllowed(text) ? text : nil
        }
    }
}
