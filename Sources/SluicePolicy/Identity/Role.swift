/// What somebody may do, under a name.
package struct Role: Sendable, Equatable {
    /// Names and patterns with one `*`, by what they are names of.
    package struct Names: Sendable, Equatable {
        /// Paths as templates: `/v1/chat/completions`, `/v1/*`.
        package var endpoints: [String] = []
        /// As applications ask for them, and as aliases and routes lead on.
        package var models: [String] = []
        package var providers: [String] = []
        /// `prompt_id` of the platform's API. A request without one has the empty name, which only `*` is for.
        package var scenes: [String] = []
        package var actions: [String] = []

        package init() {}

        package init(
            endpoints: [String] = [], models: [String] = ["*"], providers: [String] = ["*"], scenes: [String] = ["*"],
            actions: [String] = []
        ) {
            self.endpoints = endpoints
            self.models = models
            self.providers = providers
            self.scenes = scenes
            self.actions = actions
        }
    }

    package var name: String
    package var allow: Names
    /// Goes before everything that this or another role of the principal allows.
    package var deny: Names
    /// Whether who has it may speak for others.
    package var mayClaim: Bool

    package init(name: String, allow: Names, deny: Names = Names(), mayClaim: Bool = false) {
        self.name = name
        self.allow = allow
        self.deny = deny
        self.mayClaim = mayClaim
    }
}

// MARK: Built in

extension Role {
    package static let builtIn = [admin, `operator`, auditor, developer, app]

    private static let inference = ["/v1/*", "/api/v1/chat/completions", "/api/v1/models"]
    private static let listing = ["/v1/models", "/v1/models/*", "/api/v1/models"]

    /// Everything.
    package static let admin = Role(
        name: "admin", allow: Names(endpoints: ["*"], actions: ["*"]), mayClaim: true)

    /// Runs Sluice, without reading what was asked and answered, and without saying who may do what.
    package static let `operator` = Role(
        name: "operator",
        allow: Names(
            endpoints: listing,
            actions: [
                "config.read", "config.write", "models.*", "keys.read", "users.read", "roles.read", "limits.*",
                "history.read_own", "usage.*", "cache.purge", "targets.reset", "status.read",
            ]))

    /// Reads everything, changes nothing.
    package static let auditor = Role(
        name: "auditor",
        allow: Names(
            endpoints: listing,
            actions: [
                "config.read", "models.read", "keys.read", "users.read", "roles.read", "limits.read", "history.*",
                "usage.*", "audit.read", "status.read",
            ]))

    /// Asks models, and sees how that went.
    package static let developer = Role(
        name: "developer",
        allow: Names(
            endpoints: inference,
            actions: [
                "models.read", "limits.read", "history.read_own", "usage.read_own", "status.read",
            ]))

    /// An application: asks models.
    package static let app = Role(
        name: "app",
        allow: Names(
            endpoints: inference, actions: ["models.read", "history.read_own", "usage.read_own"]))
}
