package import SluiceCore

/// What the management API may change, and how several Sluices come to agree on it.
package struct ControlConfiguration: Sendable, Equatable {
    package enum Source: String, Sendable, CaseIterable {
        /// The file, and over what it leaves open the API.
        case layered
        /// The file alone: the API changes nothing.
        case file
    }

    /// Default layered.
    package var source = Source.layered
    /// `nil`: whatever the file does not say.
    package var managed: [String]?
    /// Whether what is set through the API may name variables and files of this machine. Default false.
    package var allowsReferences = false
    /// Whether Sluices with the same Redis share what the API sets. Default false.
    package var isFleet = false
    /// What its documents are sealed with on the way through Redis; 32 bytes or more.
    package var sharedSecret: Secret?
    /// 100 ms to 60 s. Default 500 ms.
    package var poll = Duration.milliseconds(500)
    /// Revisions that can be gone back to. 10 to 100000. Default 1000.
    package var revisionsMax = 1000

    static let secretByteCountMin = 32

    package init() {}

    package static func read(_ section: ConfigSection) -> Self {
        var control = Self()
        control.source = section.choice(
            "source", default: control.source,
            doc:
                "`layered`: the file, and what it leaves open may be set through the API. `file`: the file alone, and the API only shows.")
        let managed = section.strings(
            "managed", bytes: 1...64, count: 0...64,
            doc:
                "Sections that may be set through the API: \(ConfigUnit.manageable.map { "`\($0)`" }.joined(separator: ", ")). None: all of them. What the file says is the file's in any case.")
        if !managed.isEmpty { control.managed = managed }
        for name in managed where !ConfigUnit.manageable.contains(name) {
            section.mistake("managed", "sections that may be set through the API, found \(ConfigPath.quoted(name))")
        }
        control.allowsReferences = section.boolean(
            "allow_references", default: control.allowsReferences,
            doc:
                "Whether values that are set through the API may be `env:NAME`, `file:/path` or `${NAME}`: whoever may write them can then read variables and files of this machine.")
        control.isFleet = section.boolean(
            "fleet", default: control.isFleet,
            doc: "Whether all Sluices with the same `redis` and prefix share what is set through the API.")
        control.sharedSecret = section.optional(
            "shared_secret", .secret(allowed: "at least \(secretByteCountMin) bytes") { $0.count >= secretByteCountMin },
            doc: "What is shared is sealed with it, so that Redis can neither read nor change it; the same on every node.")
        control.poll = section.duration(
            "poll_ms", default: control.poll, in: 100...60_000,
            doc: "How often Redis is asked for a newer revision, beside its notices.")
        control.revisionsMax = section.integer(
            "revisions_max", default: control.revisionsMax, in: 10...100_000, doc: "Revisions that can be gone back to.")
        return control
    }
}

extension ConfigUnit {
    /// Sections that the API may set. Everything else says how the process is reached, where it keeps what it knows, and whom it
    /// obeys, and is the file's alone.
    package static let manageable = [
        "providers", "models", "aliases", "routes", "default_provider", "unsupported", "reply_headers", "limits",
        "rate_limits", "budgets", "timeouts", "retries", "breakers", "hedging", "streams", "media", "drain", "concurrency",
        "degraded", "cache", "idempotency", "access.roles", "access.users", "access.keys",
    ]
}
