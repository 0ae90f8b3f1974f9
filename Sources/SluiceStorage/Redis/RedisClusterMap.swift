/// Who serves which slots.
struct RedisClusterMap: Equatable {
    /// The masters.
    private(set) var nodes: [RedisAddress] = []
    /// For each slot an index of `nodes`, or `nobody`.
    private var owners = [UInt16](repeating: nobody, count: RedisSlot.count)

    private static let nobody = UInt16.max
    /// Redis recommends clusters of up to 1000 nodes.
    private static let nodesMax = 4096

    /// Reads the reply to `CLUSTER SLOTS`: `[[first, last, [host, port, …], replicas …], …]`.
    ///
    /// - Parameter sender: whose host is meant where none is named.
    /// - Returns: `nil` if nothing of it makes sense.
    init?(_ reply: RedisReply, from sender: RedisAddress) {
        var indexes: [RedisAddress: UInt16] = [:]
        // No slot belongs to two: a reply that says so is not worth the time.
        var slotsLeft = RedisSlot.count
        for range in reply.array ?? [] {
            guard let parts = range.array, parts.count >= 3, let first = parts[0].integer, let last = parts[1].integer,
                0 <= first, first <= last, last < RedisSlot.count, last - first < slotsLeft,
                let node = parts[2].array, node.count >= 2, let port = node[1].integer,
                let address = Self.address(node[0].text ?? "", port, from: sender)
            else { continue }
            guard let index = indexes[address] ?? add(address) else { continue }
            indexes[address] = index
            slotsLeft -= last - first + 1
            for slot in first...last { owners[slot] = index }
        }
        if nodes.isEmpty { return nil }
    }

    init() {}

    func owner(of slot: Int) -> RedisAddress? {
        let index = owners[slot]
        return index == Self.nobody ? nil : nodes[Int(index)]
    }

    mutating func set(_ slot: Int, to address: RedisAddress) {
        guard let index = nodes.firstIndex(of: address).map(UInt16.init) ?? add(address) else { return }
        owners[slot] = index
    }

    private mutating func add(_ address: RedisAddress) -> UInt16? {
        if nodes.count >= Self.nodesMax { return nil }
        nodes.append(address)
        return UInt16(nodes.count - 1)
    }

    static func address(_ host: String, _ port: Int, from sender: RedisAddress) -> RedisAddress? {
        guard let port = UInt16(exactly: port), port > 0, host != "?" else { return nil }
        if !host.isEmpty { return .host(host, port) }
        guard case .host(let same, _) = sender else { return nil }
        return .host(same, port)
    }
}
