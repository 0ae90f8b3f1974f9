package import SluiceNet
package import SluiceUpstream

/// One worker's connection pools, by endpoint. Those whose endpoint is the same after a reload keep their connections.
package final class PoolTable {
    let loop: EventLoop
    private let resolver: Resolver
    private var pools: [String: ConnectionPool] = [:]

    package init(loop: EventLoop, resolver: Resolver) {
        self.loop = loop
        self.resolver = resolver
    }

    package func pool(for endpoint: Endpoint) -> ConnectionPool {
        if let pool = pools[endpoint.identity] { return pool }
        let pool = ConnectionPool(endpoint: endpoint, loop: loop, resolver: resolver)
        pools[endpoint.identity] = pool
        return pool
    }

    func keep(only endpoints: [Endpoint]) {
        let kept = Set(endpoints.map(\.identity))
        for (identity, pool) in pools where !kept.contains(identity) {
            pools[identity] = nil
            pool.drain()
            retired.append(pool)
        }
        retired.removeAll { $0.openCount == 0 }
    }

    /// Pools whose last requests are still under way: their connections refer to them.
    private var retired: [ConnectionPool] = []

    package func drain() { for pool in pools.values { pool.drain() } }
}
