internal import Foundation

/// Three masters of a cluster, which share the slots evenly, and a replica of the first.
package final class RedisCluster: Sendable {
    package let masters: [RedisProcess]
    package let replica: RedisProcess

    package init() throws {
        var nodes: [RedisProcess] = []
        var busPorts: [UInt16] = []
        for _ in 0..<4 {
            busPorts.append(FreePort.next())
            nodes.append(
                try RedisProcess([
                    "--cluster-enabled", "yes", "--cluster-port", "\(busPorts[nodes.count])", "--cluster-node-timeout",
                    "1000", "--cluster-replica-validity-factor", "0",
                ]))
        }
        masters = Array(nodes[..<3])
        replica = nodes[3]
        for (index, range) in ["0 5460", "5461 10922", "10923 16383"].enumerated() {
            nodes[index].ask("CLUSTER ADDSLOTSRANGE \(range)")
        }
        for index in 1..<4 { nodes[0].ask("CLUSTER MEET 127.0.0.1 \(nodes[index].port) \(busPorts[index])") }
        try wait("a cluster") { nodes.allSatisfy { $0.ask("CLUSTER INFO").contains("cluster_known_nodes:4") } }
        try wait("a replica") { nodes[3].ask("CLUSTER REPLICATE \(id(of: nodes[0]))").hasPrefix("+OK") }
        try wait("a cluster that works") {
            nodes.allSatisfy { $0.ask("CLUSTER INFO").contains("cluster_state:ok") }
                && nodes[3].ask("INFO replication").contains("master_link_status:up")
        }
    }

    /// What the nodes call a node.
    package func id(of node: RedisProcess) -> String {
        node.ask("CLUSTER MYID").split(separator: "\r\n").last.map(String.init) ?? ""
    }
}

/// A master and its replica, watched by three sentinels who call it `main`.
package final class RedisSentinels: Sendable {
    package let master: RedisProcess
    package let replica: RedisProcess
    package let sentinels: [RedisProcess]

    /// - Parameter password: of the servers; `sentinelPassword`: of the sentinels.
    package init(password: String? = nil, sentinelPassword: String? = nil) throws {
        let master = try RedisProcess(password: password)
        let replica = try RedisProcess(["--replicaof", "127.0.0.1 \(master.port)"], password: password)
        self.master = master
        self.replica = replica
        try wait("a replica") { replica.ask("INFO replication").contains("master_link_status:up") }
        var sentinels: [RedisProcess] = []
        for _ in 0..<3 {
            var lines = [
                "sentinel monitor main 127.0.0.1 \(master.port) 2", "sentinel down-after-milliseconds main 1000",
                "sentinel failover-timeout main 1000",
            ]
            if let password { lines.append("sentinel auth-pass main \(password)") }
            if let sentinelPassword {
                lines += ["requirepass \(sentinelPassword)", "sentinel sentinel-pass \(sentinelPassword)"]
            }
            sentinels.append(try RedisProcess(["--sentinel"], file: lines, password: sentinelPassword))
        }
        self.sentinels = sentinels
        try wait("sentinels that know each other and the replica") {
            sentinels.allSatisfy {
                $0.ask("INFO sentinel").contains("slaves=1,sentinels=3")
            }
        }
    }
}

private func wait(_ what: String, _ condition: () -> Bool) throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while .now < deadline {
        if condition() { return }
        usleep(10_000)
    }
    throw RedisProcess.Failure(message: "there is not \(what) within a minute")
}
