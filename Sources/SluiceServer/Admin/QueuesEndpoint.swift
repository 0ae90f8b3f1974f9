internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluicePipeline
internal import SluicePolicy

/// `/queues` of the admin port: how full models and providers are, and who waits.
final class QueuesEndpoint: AdminRoute {
    let name = "/queues"
    private let shared: Shared

    init(_ shared: Shared) { self.shared = shared }

    func answer(_ exchange: DownstreamExchange) -> Bool {
        let head = exchange.head
        if !head.path.equals("/queues") { return false }
        let method = head.method
        guard method == .get || method == .head else {
            AdminEndpoint.send(405, #"{"error":"Use GET."}"#, to: exchange)
            return true
        }
        AdminEndpoint.send(200, report(), to: exchange)
        return true
    }

    private func report() -> ByteBuffer {
        let priorities = shared.current.snapshot.concurrency?.priorities ?? PriorityClasses()
        let buffer = ByteBuffer(capacity: 1024)
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.key("gates")
            json.array { json in
                for gate in shared.lasting.gates.snapshots { write(gate, priorities, &json) }
            }
            json.key("classes")
            json.array { json in
                for (rank, entry) in priorities.classes.enumerated() { write(entry, rank, &json) }
            }
        }
        return buffer
    }

    private func write(_ gate: GateSnapshot, _ priorities: PriorityClasses, _ json: inout JSONWriter) {
        json.object { json in
            json.key(gate.id.kind == .model ? "model" : "provider")
            json.string(gate.id.name)
            json.key("limit")
            // Of a gate that the configuration does not name any more: it is there until the last has left.
            if gate.settings.limit == ConcurrencyGate.slotCountMax { json.null() } else { json.int(gate.settings.limit) }
            json.key("in_use")
            json.int(gate.inUse)
            json.key("waiting")
            json.int(gate.waiting.reduce(0, +))
            json.key("waiting_by_class")
            json.array { json in
                for rank in 0..<max(1, priorities.classes.count) { json.int(gate.waiting[rank]) }
            }
            json.key("queue_max")
            json.int(gate.settings.queueMax)
            json.key("queue_ms")
            json.int(Int(gate.settings.patience.milliseconds))
            json.key("mean_hold_ms")
            json.int(Int(gate.meanHold.milliseconds))
            json.key("queued")
            json.int(gate.counts.queued)
            json.key("shed")
            json.object { json in
                json.key("full")
                json.int(gate.counts.full)
                json.key("displaced")
                json.int(gate.counts.displaced)
                json.key("timeout")
                json.int(gate.counts.timedOut)
            }
            json.key("left")
            json.int(gate.counts.gone)
        }
    }

    private func write(_ entry: PriorityClasses.Class, _ rank: Int, _ json: inout JSONWriter) {
        json.object { json in
            json.key("name")
            json.string(entry.name)
            json.key("in_flight_max")
            json.int(shared.current.snapshot.limits.inFlightMax * entry.inFlightPercent / 100)
            json.key("shed")
            json.int(shared.gauge.shedCount(rank: rank))
        }
    }
}
