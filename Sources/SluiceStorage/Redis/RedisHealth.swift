internal import SluiceCore
internal import Synchronization

/// What the process knows of its Redis servers. Outlives configurations; one for all workers.
package final class RedisHealth: Sendable {
    /// As seen from outside: one word for an informational member of a health report.
    package enum Overall: String, Sendable {
        /// No Redis is configured.
        case off
        case up
        /// Some servers of a cluster are unavailable.
        case degraded
        case down
    }

    private let table = Mutex<[RedisAddress: RedisNode]>([:])
    /// Clients that are open: without any, Redis is not configured.
    private let clients = Atomic(0)
    /// What tells of servers (sentinels, a cluster as a whole) and cannot be reached, and since when.
    private let silent = Mutex<[String: Instant]>([:])
    /// By the name that sentinels know them by; names come from the configuration alone.
    private let masters = Mutex<[String: RedisAddress]>([:])
    private let listener = Listener()
    /// Servers that are remembered though nobody uses them; a fleet that changes its addresses all the time stays within it.
    private static let nodesMax = 1024

    package init() {}

    /// Who is told of changes. Servers refer to it, and it to nothing of theirs.
    private final class Listener: Sendable {
        let report = Mutex<@Sendable (RedisEvent) -> Void>({ _ in })

        func tell(_ event: RedisEvent) {
            let report = report.withLock { $0 }
            report(event)
        }
    }

    /// Has changes told to `report`, from any thread.
    package func onEvent(_ report: @escaping @Sendable (RedisEvent) -> Void) {
        listener.report.withLock { $0 = report }
    }

    func node(_ address: RedisAddress, at now: Instant) -> RedisNode {
        table.withLock { nodes in
            if let node = nodes[address] { return node }
            if nodes.count >= Self.nodesMax { nodes = nodes.filter { $0.value.isUsed } }
            let node = RedisNode(address, at: now, report: listener.tell)
            nodes[address] = node
            return node
        }
    }

    /// A worker has found out who the master is. Told when it is another than the last one found.
    func found(master address: RedisAddress, of name: String) {
        let last = masters.withLock { $0.updateValue(address, forKey: name) }
        if let last, last != address { listener.tell(.masterChanged(from: "\(last)", to: "\(address)")) }
    }

    /// Nobody was found who knows the servers of `group`, or somebody was. Told when that changes.
    func asked(_ group: String, answered: Bool, at now: Instant) {
        let since = silent.withLock { silent -> Instant? in
            let since = silent[group]
            silent[group] = answered ? nil : since ?? now
            return since
        }
        if !answered, since == nil {
            listener.tell(.unavailable(address: group, reason: "nobody answers who knows its servers"))
        } else if answered, let since {
            listener.tell(.available(address: group, after: now - since))
        }
    }

    func clientOpened() { clients.add(1, ordering: .relaxed) }
    func clientClosed() { clients.subtract(1, ordering: .relaxed) }

    /// Those in use, by address.
    package var nodes: [RedisNode.Snapshot] {
        let used = table.withLock { $0.values.filter { $0.isUsed } }
        return used.map(\.snapshot).sorted { $0.address < $1.address }
    }

    package var overall: Overall {
        if clients.load(ordering: .relaxed) == 0 { return .off }
        let nodes = nodes
        let available = nodes.count { $0.isAvailable }
        return available == 0 ? .down : available == nodes.count ? .up : .degraded
    }
}
