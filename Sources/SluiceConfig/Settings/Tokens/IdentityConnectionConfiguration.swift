/// How a server is asked that knows about identities.
package struct IdentityConnectionConfiguration: Sendable, Equatable {
    /// PEM; `nil`: the system's authorities.
    package var caFile: String?
    /// 100 ms to 30 s.
    package var timeout = Duration.seconds(3)
    package var trustsNetwork = false

    package init() {}

    static func read(_ section: ConfigSection) -> Self {
        var connection = Self()
        connection.caFile = section.optionalFile(
            "ca_file", doc: "PEM file: the authorities that its certificate may be from. null: the system's.")
        connection.timeout = section.duration(
            "timeout_ms", default: connection.timeout, in: 100...30_000,
            doc: "How long one question may take, from the connection to the last byte of the answer.")
        connection.trustsNetwork = section.boolean(
            "trusts_network", default: connection.trustsNetwork,
            doc:
                "Allows http to other machines, and keys at private addresses of another host than the one that is named here. Off: https, but for this machine."
        )
        return connection
    }

    /// Notes a mistake if the URL is none, or not encrypted although it leaves this machine.
    func check(_ key: String, _ url: String, _ section: ConfigSection) {
        if section.isDescribing || url.isEmpty { return }
        let front = url.split(separator: "?", maxSplits: 1).first.map(String.init) ?? url
        do throws(BaseURL.Malformed) {
            let parsed = try BaseURL(front, schemes: [.http, .https])
            let isHere = parsed.host == "localhost" || parsed.host == "::1" || parsed.host.hasPrefix("127.")
            if !parsed.scheme.isSecure, !isHere, !trustsNetwork {
                section.mistake(key, "an https URL: what is read over http anybody on the way can write")
            }
        } catch {
            section.mistake(key, error.message)
        }
    }
}
