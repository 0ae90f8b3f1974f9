package import SluiceNet
package import SluiceTLS
internal import Synchronization

/// What outlives a configuration of what is known about issuers: their keys, and Sluice's own. Shared by all workers.
package final class IdentityState: Sendable {
    private struct State: Sendable {
        var sources: [String: Source] = [:]
        var mints: [Mint] = []

        func mint(_ settings: TokenMint.Settings) -> TokenMint? {
            for held in mints {
                if let mint = held.mint, mint.settings == settings { return mint }
            }
            return nil
        }
    }

    // Held by the configurations that name them: one that was only looked at, or refused, takes nothing away from the one in force.

    private struct Source: Sendable {
        weak let keys: KeySource?
    }

    private struct Mint: Sendable {
        weak let mint: TokenMint?
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

    /// What issues tokens: the same as before, with its keys, if the same is said of it.
    package func mint(_ settings: TokenMint.Settings) throws(TLSError) -> TokenMint {
        if let known = state.withLock({ $0.mint(settings) }) { return known }
        let fresh = try TokenMint(settings)
        return state.withLock { state in
            if let known = state.mint(settings) { return known }
            state.mints = state.mints.filter { $0.mint != nil }
            state.mints.append(Mint(mint: fresh))
            return fresh
        }
    }
}
