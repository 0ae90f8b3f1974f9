/// What applications are answered when no provider does.
package struct DegradedPolicy: Sendable {
    /// Where such an answer comes from: what `x-sluice-degraded` says.
    package enum Kind: String, Sendable {
        /// The configuration.
        case fixed = "static"
        /// The cache, which has had it for too long.
        case stale
    }

    package enum Reply: Sendable {
        case text(String)
        /// A chat completion, which has been validated.
        case completion(String)
    }

    package var status: UInt16 = 200
    /// Whether what the cache has goes before the rest.
    package var usesStale = true
    /// For models that `models` does not name.
    package var reply: Reply?
    /// By the name that applications ask for.
    package var models: [String: Reply] = [:]

    package init() {}
}
