package import SluiceNet
package import SluiceTLS
internal import Synchronization

/// What outlives a configuration of what is known about issuers: their keys, and Sluice's own. Shared by all workers.
package final class IdentityState: Sendable {
    private struct State: Sendable {
        var sources: [String: Source] = [:]
        /// The latest first: a configuration that is only looked at takes no keys from the one in force.
        var mints: [TokenMint] = []
    }

    /// Held by the configurations that name it: one that was only looked at, or refused, takes nothing away from the one in force.
    private struct Source: Sendable {
        weak let keys: KeySource?
    }

    private let state = Mutex(State())
    package let resolver = Resolver()
    package let notices = IdentityNotices()

    package init() {}

    /// Where an issuer's keys come from: the same as before, if the same is said of it.
    ///
    /// - Parameter identity: all that is said.
    package func source(_ identity: String, _ make: () -> KeySource) -> KeySource {
        if let known = state.withLock({ $0.sources[identity]?.keys }) { return known }
        let fresh = make()
        return state.withLock { state in
            if let known = state.sources[identity]?.keys { return known }
            state.sources = state.sources.filter { $0.value.keys != nil }
            state.sources[identity] = Source(keys: fresh)
            return fresh
        }
    }

    package func mint(_ settings: TokenMint.Settings) throws(TLSError) -> TokenMint {
        if let known = state.withLock({ $0.mints.first { $0.settings == settings } }) { return known }
        let fresh = try TokenMint(settings)
        state.withLock { state in state.mints = [fresh] + state.mints.prefix(Self.mintsMax - 1) }
        return fresh
    }

    private static let mintsMax = 4
}
