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
        read(exchange, report)
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
            json.member("in_use", gate.inUse)
            json.member("waiting", gate.waiting.reduce(0, +))
            json.key("waiting_by_class")
            json.array { json in
                for rank in 0..<max(1, priorities.classes.count) { json.int(gate.waiting[rank]) }
            }
            json.member("queue_max", gate.settings.queueMax)
            json.member("queue_ms", Int(gate.settings.patience.milliseconds))
            json.member("mean_hold_ms", Int(gate.meanHold.milliseconds))
            json.member("queued", gate.counts.queued)
            json.key("shed")
            json.object { json in
                json.member("full", gate.counts.full)
                json.member("displaced", gate.counts.displaced)
                json.member("timeout", gate.counts.timedOut)
            }
            json.member("left", gate.counts.gone)
        }
    }

    private func write(_ entry: PriorityClasses.Class, _ rank: Int, _ json: inout JSONWriter) {
        json.object { json in
            json.member("name", entry.name)
            json.member("in_flight_max", shared.current.snapshot.limits.inFlightMax * entry.inFlightPercent / 100)
            json.member("shed", shared.gauge.shedCount(rank: rank))
        }
    }
}
