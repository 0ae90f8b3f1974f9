package import SluiceCore

/// An API key of the configuration.
package struct AccessKeyConfiguration: Sendable, Equatable {
    package enum Proof: Sendable, Equatable {
        /// As `sluice key hash` prints it.
        case hash(String)
        /// The key itself, which is hashed as it is read.
        case secret(Secret)
    }

    package var proof = Proof.hash("")
    /// The key before it was rotated.
    package var previous: Proof?
    /// Until when that is taken, in seconds since 1970.
    package var previousUntil: Int?
    package var isDisabled = false
    /// Seconds since 1970.
    package var expiresAt: Int?
    /// `nil`: those of the user.
    package var roles: [String]?
    package var user: String?
    package var team: String?
    package var businessLine: String?
    /// `nil`: as the roles have it.
    package var models: [String]?
    /// `nil`: as the roles have it.
    package var mayClaim: Bool?

    package init() {}

    /// Shorter ones could be guessed.
    static let secretByteCountMin = 20

    static func read(_ section: ConfigSection, _ roles: Set<String>, _ users: Set<String>) -> Self {
        var key = Self()
        key.readProofs(section)
        key.isDisabled = section.boolean("disabled", default: key.isDisabled, doc: "It is not accepted.")
        key.expiresAt = section.optional("expires", .time, doc: "When it ends to be accepted. null: never.")
        key.user = section.optionalString("user", bytes: 1...128, doc: "Whose it is: one of `users`, or any name.")
        let isKnown = key.user.map(users.contains) ?? false
        let given = AccessConfiguration.roles(
            section, roles, doc: "What it may do: roles, all of which count. Without: those of the user, or `app`.")
        key.roles = section.has("roles") ? given : isKnown ? nil : ["app"]
        key.team = section.optionalString("team", bytes: 1...128, doc: "The team that it counts to. null: the user's.")
        key.businessLine = section.optionalString(
            "business_line", bytes: 1...128, doc: "The business line that it counts to. null: the user's.")
        let models = section.strings(
            "models", bytes: 1...256, doc: "No other models than these, names with one `*` allowed, whatever the roles allow. Without: no such bound."
        )
        key.models = section.has("models") ? models : nil
        key.mayClaim = section.optional(
            "may_claim", .boolean,
            doc:
                "Believes what requests say of users, teams and roles: for applications that speak for their users. null: as the roles have it."
        )
        return key
    }

    private mutating func readProofs(_ section: ConfigSection) {
        let hash = section.optional("hash", .keyHash, doc: "The hash of the key, as `sluice key` prints it.")
        let secret = section.optional("secret", .apiKey, doc: "In its place the key itself: `env:NAME` or `file:/path`.")
        switch (hash, secret) {
        case (let hash?, nil): proof = .hash(hash)
        case (nil, let secret?): proof = .secret(secret)
        default:
            section.mistake("one of hash and secret, found \(hash == nil ? "none" : "both")")
        }
        let oldHash = section.optional(
            "previous_hash", .keyHash, doc: "After a rotation: the hash of the old key, which is accepted for a while.")
        let oldSecret = section.optional("previous_secret", .apiKey, doc: "In its place the old key itself.")
        previousUntil = section.optional("previous_until", .time, doc: "Until when the old key is accepted.")
        previous = oldHash.map(Proof.hash) ?? oldSecret.map(Proof.secret)
        if oldHash != nil, oldSecret != nil { section.mistake("previous_secret", "not beside previous_hash") }
        if (previous == nil) != (previousUntil == nil) {
            section.mistake("previous_until", "together with previous_hash or previous_secret")
        }
    }
}

extension ConfigRule where Value == String {
    /// `hs256:`, 8 hex digits, `:`, 64 hex digits.
    static var keyHash: ConfigRule {
        text("key hash", allowed: "what `sluice key` prints: hs256:…", placeholder: "", show: { $0 }) { text in
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            let areDigits = parts.dropFirst().allSatisfy { $0.utf8.allSatisfy { $0.hexDigitValue != nil } }
            return parts.count == 3 && parts[0] == "hs256" && parts[1].utf8.count == 8 && parts[2].utf8.count == 64
                && areDigits ? text.lowercased() : nil
        }
    }
}

extension ConfigRule where Value == Int {
    /// An RFC 3339 time; seconds since 1970.
    static var time: ConfigRule {
        ConfigRule(type: "time", allowed: "a time as 2027-01-31T00:00:00Z", placeholder: 0) {
            value, context throws(ConfigRefusal) in
            let text = try context.text(of: value)
            guard let milliseconds = CivilDate.milliseconds(rfc3339: text.utf8Span.span) else { throw .notAllowed }
            return milliseconds / 1000
        } show: {
            .integer($0)
        }
    }
}

extension ConfigRule where Value == Secret {
    /// A key that applications show in a field of their requests.
    static var apiKey: ConfigRule {
        secret(allowed: "a key of 20 to 512 printable characters, \"file:/path\" or \"env:NAME\"") { bytes in
            guard AccessKeyConfiguration.secretByteCountMin...512 ~= bytes.count else { return false }
            for index in bytes.indices where !(0x21...0x7E ~= bytes[index]) { return false }
            return true
        }
    }
}
