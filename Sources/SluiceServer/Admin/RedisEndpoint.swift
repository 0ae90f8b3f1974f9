internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluicePipeline
internal import SluiceStorage

/// `/redis` of the admin port: how each server is, and what was asked of it.
final class RedisEndpoint: AdminRoute {
    let name = "/redis"
    private let shared: Shared

    init(_ shared: Shared) { self.shared = shared }

    func answer(_ exchange: DownstreamExchange) -> Bool {
        let head = exchange.head
        if !head.path.equals("/redis") { return false }
        read(exchange) { Self.report(shared.current.snapshot.redis, shared.lasting.redis) }
        return true
    }

    static func report(_ settings: RedisSettings?, _ health: RedisHealth) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: 1024)
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.member("state", health.overall.rawValue)
            json.key("topology")
            if let settings { json.string(word(settings.topology)) } else { json.null() }
            json.key("servers")
            json.array { json in for node in health.nodes { write(node, &json) } }
        }
        return buffer
    }

    private static func word(_ topology: RedisSettings.Topology) -> String {
        switch topology {
        case .single: "single"
        case .sentinel: "sentinel"
        case .cluster: "cluster"
        }
    }

    private static func write(_ node: RedisNode.Snapshot, _ json: inout JSONWriter) {
        let counts: [(StaticString, Int)] = [
            ("connections", node.connections), ("calls", node.calls), ("timeouts", node.timeouts),
            ("failures", node.failures), ("refused", node.refused), ("errors", node.errors), ("late", node.late),
            ("full", node.full), ("opened", node.opened),
        ]
        json.object { json in
            json.member("address", node.address)
            json.member("available", node.isAvailable)
            json.member("supports_scripts", node.supportsScripts)
            for (name, count) in counts {
                json.key(name)
                json.int(count)
            }
            json.key("latency_us")
            writeLatency(node, &json)
            json.key("last_error")
            if node.lastError.isEmpty { json.null() } else { json.string(node.lastError) }
        }
    }

    /// The mean, and how many replies took at most so long.
    private static func writeLatency(_ node: RedisNode.Snapshot, _ json: inout JSONWriter) {
        let answered = node.latencyCounts.reduce(0, +)
        json.object { json in
            json.member("mean", answered == 0 ? 0 : node.latencyMicroseconds / answered)
            for (index, count) in node.latencyCounts.enumerated() {
                let bound = index < RedisNode.latencyBounds.count ? "\(RedisNode.latencyBounds[index])" : "more"
                json.key(bound.utf8Span.span)
                json.int(count)
            }
        }
    }
}
