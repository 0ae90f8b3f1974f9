/// What is stored of an API key: everything but the key.
package struct KeyRecord: Sendable, Equatable {
    /// A name that stays when the key is rotated; principals are called `key:` and this.
    package var id: String
    package var digest: KeyDigest
    /// The key before it was rotated, and until when it is still taken, in seconds since 1970.
    package var previous: Previous?
    package var isDisabled = false
    /// Seconds since 1970.
    package var expiresAt: Int?
    package var user: String?
    package var team: String?
    package var businessLine: String?
    /// `nil`: those of the user.
    package var roles: [String]?
    /// If given, no other models than these, whatever the roles allow.
    package var models: [String]?
    /// `nil`: as the roles have it.
    package var mayClaim: Bool?

    package struct Previous: Sendable, Equatable {
        package var digest: KeyDigest
        package var until: Int

        package init(digest: KeyDigest, until: Int) {
            self.digest = digest
            self.until = until
        }
    }

    package init(id: String, digest: KeyDigest) {
        self.id = id
        self.digest = digest
    }
}

/// What many keys have in common, kept once.
struct KeyGrant: Hashable {
    var team: String?
    var businessLine: String?
    var roles: [String]?
    var models: [String]?
    var mayClaim: Bool?

    init(_ record: KeyRecord) {
        team = record.team
        businessLine = record.businessLine
        roles = record.roles
        models = record.models
        mayClaim = record.mayClaim
    }
}
