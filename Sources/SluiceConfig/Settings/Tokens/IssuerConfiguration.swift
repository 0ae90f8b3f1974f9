package import SluiceCore
package import SluiceTLS

/// One issuer of tokens.
package struct IssuerConfiguration: Sendable, Equatable {
    package enum Keys: Sendable, Equatable {
        case url(String)
        case file(String)
        /// Of HS256.
        case secret(Secret)
        case discovery
    }

    package var issuer = ""
    package var keys = Keys.discovery
    /// At least one.
    package var audiences: [String] = []
    /// Default: all but HS256, which goes with a secret alone.
    package var algorithms: [SignatureAlgorithm] = Self.publicAlgorithms
    /// Empty: `typ` is not looked at.
    package var tokenTypes: [String] = []
    /// 0 to 10 min.
    package var clockSkew = Duration.seconds(60)
    /// Claims that have to be there; `nil`: with any value.
    package var requiredClaims: [Named<String?>] = []
    package var claims = ClaimsConfiguration()
    package var connection = IdentityConnectionConfiguration()
    /// 30 s to 1 day.
    package var keysMaxAge = Duration.seconds(3600)
    /// 0 to 7 days.
    package var keysStaleMax = Duration.seconds(86_400)
    /// 1 s to 1 h.
    package var unknownKeyInterval = Duration.seconds(30)

    package init() {}

    static let publicAlgorithms = SignatureAlgorithm.allCases.filter { $0 != .hs256 }
    static let secretByteCountMin = 32

    static func read(_ section: ConfigSection, _ roles: Set<String>, isDiscovered: Bool) -> Self {
        var issuer = Self()
        issuer.issuer = section.requiredString(
            "issuer", bytes: 1...1024,
            doc: isDiscovered
                ? "The provider's issuer URL, character by character as its tokens have it in `iss`."
                : "`iss` of its tokens, character by character.")
        issuer.audiences = section.strings(
            "audiences", bytes: 1...1024, count: 1...32,
            doc: "Tokens have to be for one of these (`aud`): what this Sluice is called by the issuer. At least one.")
        if issuer.audiences.isEmpty, !section.has("audiences") {
            section.mistake("audiences", "required: a token for somebody else must not count here")
        }
        issuer.connection = .read(section)
        issuer.readKeys(section, isDiscovered: isDiscovered)
        issuer.readRules(section)
        issuer.claims = .read(section, roles)
        return issuer
    }

    private mutating func readKeys(_ section: ConfigSection, isDiscovered: Bool) {
        if isDiscovered {
            connection.check("issuer", issuer, section)
        } else {
            let url = section.optionalString(
                "jwks_url", bytes: 1...2048, doc: "Where the issuer's keys are (a JSON Web Key Set, RFC 7517).")
            let file = section.optionalFile(
                "jwks_file", doc: "A file with the issuer's keys; loaded again when it changes.")
            let secret = section.optional(
                "secret",
                .secret(allowed: "a secret of at least \(Self.secretByteCountMin) bytes") {
                    $0.count >= Self.secretByteCountMin
                }, doc: "The secret that the issuer signs with (HS256): 32 bytes or more.")
            if [url != nil, file != nil, secret != nil].count(where: { $0 }) != 1 {
                section.mistake("exactly one of jwks_url, jwks_file and secret")
            }
            if let url { connection.check("jwks_url", url, section) }
            keys = url.map(Keys.url) ?? file.map(Keys.file) ?? secret.map(Keys.secret) ?? keys
        }
        keysMaxAge = section.duration(
            "keys_max_age_ms", default: keysMaxAge, in: 30_000...86_400_000,
            doc: "Keys are fetched again after so long, or sooner if the issuer says so (`cache-control`).")
        keysStaleMax = section.duration(
            "keys_stale_max_ms", default: keysStaleMax, in: 0...604_800_000,
            doc: "For so long after they came keys are used while the issuer does not answer. Then its tokens are refused.")
        unknownKeyInterval = section.duration(
            "unknown_key_interval_ms", default: unknownKeyInterval, in: 1000...3_600_000,
            doc: "A token whose key is not known has the keys fetched, once within this time.")
    }

    private mutating func readRules(_ section: ConfigSection) {
        var isSecret = false
        if case .secret = keys { isSecret = true }
        algorithms = section.values(
            "algorithms", .choice(of: SignatureAlgorithm.self), default: isSecret ? [.hs256] : Self.publicAlgorithms,
            count: 1...16, doc: "Signature algorithms that the issuer uses. HS256 goes with `secret`, and with nothing else.")
        if !section.isDescribing, algorithms.contains(where: { ($0 == .hs256) != isSecret }) {
            section.mistake(
                "algorithms", isSecret ? "HS256 alone, where there is a secret" : "no HS256, where there is no secret")
        }
        tokenTypes = section.strings(
            "token_types", bytes: 1...64, count: 0...16,
            doc: "`typ` of its tokens has to be one of these, as `at+jwt` (RFC 9068). []: it is not looked at.")
        clockSkew = section.duration(
            "clock_skew_ms", default: clockSkew, in: 0...600_000, doc: "How far the issuer's clock may be from this one.")
        requiredClaims = section.dictionary(
            "required_claims", of: .string(bytes: 1...1024), names: .claim, count: 0...32,
            doc: "Claims that tokens must have, with these values; \"*\" is any value. A name that begins with a slash is a JSON pointer."
        ).map { Named($0.name, $0.value == "*" ? nil : $0.value) }
    }
}

extension ConfigNames {
    static let claim = ConfigNames("the name of a claim, of 1 to 256 bytes") { 1...256 ~= $0.utf8.count }
}
