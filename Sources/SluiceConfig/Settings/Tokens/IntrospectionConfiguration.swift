package import SluiceCore

/// An authorization server that is asked about tokens (RFC 7662).
package struct IntrospectionConfiguration: Sendable, Equatable {
    package enum ClientAuthentication: String, Sendable, CaseIterable { case basic, post }

    package var url = ""
    package var clientID = ""
    package var clientSecret = Secret("")
    package var clientAuthentication = ClientAuthentication.basic
    /// `nil`: whatever it is.
    package var issuer: String?
    /// Empty: they are not looked at.
    package var audiences: [String] = []
    package var clockSkew = Duration.seconds(60)
    /// 0 to 10 min.
    package var cacheTime = Duration.seconds(30)
    /// 0 to 10 min.
    package var negativeCacheTime = Duration.seconds(10)
    /// 1 to 10,000.
    package var questionsMax = 64
    package var claims = ClaimsConfiguration()
    package var connection = IdentityConnectionConfiguration()

    package init() {}

    static func read(_ section: ConfigSection, _ roles: Set<String>) -> Self {
        var it = Self()
        it.url = section.requiredString("url", bytes: 1...2048, doc: "The introspection endpoint.")
        it.connection = .read(section)
        it.connection.check("url", it.url, section)
        it.clientID = section.requiredString("client_id", bytes: 1...256, doc: "What Sluice is called there.")
        it.clientSecret = section.secret("client_secret", doc: "What proves it.")
        it.clientAuthentication = section.choice(
            "client_authentication", default: it.clientAuthentication,
            doc: "How that is sent (RFC 6749 §2.3.1): in `Authorization`, or in the form.")
        it.issuer = section.optionalString(
            "issuer", bytes: 1...1024, doc: "`iss` of its answers has to be this. null: it is not looked at.")
        it.audiences = section.strings(
            "audiences", bytes: 1...1024, count: 0...32,
            doc: "Answers have to name one of these (`aud`). []: they are not looked at: the server tells whom it is asked by.")
        it.clockSkew = section.duration(
            "clock_skew_ms", default: it.clockSkew, in: 0...600_000, doc: "How far its clock may be from this one.")
        it.cacheTime = section.duration(
            "cache_ms", default: it.cacheTime, in: 0...600_000,
            doc: "For how long an answer is believed: a token that is revoked there works for so long here.")
        it.negativeCacheTime = section.duration(
            "negative_cache_ms", default: it.negativeCacheTime, in: 0...600_000,
            doc: "The same for a token that is worth nothing.")
        it.questionsMax = section.integer(
            "questions_max", default: it.questionsMax, in: 1...10_000,
            doc: "Questions under way at one time; what comes beyond that is refused with 503.")
        it.claims = .read(section, roles)
        return it
    }
}
