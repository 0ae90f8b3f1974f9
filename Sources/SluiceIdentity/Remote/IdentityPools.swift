internal import SluiceNet
internal import SluiceUpstream
internal import Synchronization

/// Connections that are kept between questions, each on the loop that opened it. Shared by all workers; what it keeps
/// is closed when nobody asks through it any more.
package final class IdentityPools: Sendable {
    private struct Place: Hashable {
        let loop: ObjectIdentifier
        let endpoint: String
    }

    /// `@unchecked Sendable`: the pool is touched on its loop alone; it is only carried here.
    private struct Kept: @unchecked Sendable {
        let loop: EventLoop
        let pool: ConnectionPool
    }

    private let kept = Mutex<[Place: Kept]>([:])

    package init() {}

    deinit {
        for entry in kept.withLock({ $0 }).values { entry.loop.execute { entry.pool.drain() } }
    }

    /// - Parameter loop: the one that this is called on.
    func pool(for endpoint: Endpoint, on loop: EventLoop, _ resolver: Resolver) -> ConnectionPool {
        let place = Place(loop: ObjectIdentifier(loop), endpoint: endpoint.identity)
        if let known = kept.withLock({ $0[place] }) { return known.pool }
        let pool = ConnectionPool(endpoint: endpoint, loop: loop, resolver: resolver)
        // No other loop has this place, and this one is here.
        let fresh = Kept(loop: loop, pool: pool)
        kept.withLock { $0[place] = fresh }
        return pool
    }
}
