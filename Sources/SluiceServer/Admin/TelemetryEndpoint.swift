internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON

/// `/telemetry` of the admin port: how sending to each receiver of telemetry goes, and what it said last when it did not take something.
final class TelemetryEndpoint: AdminRoute {
    let name = "/telemetry"
    private let statuses: TelemetryStatuses

    init(_ statuses: TelemetryStatuses) { self.statuses = statuses }

    func answer(_ exchange: DownstreamExchange) -> Bool {
        let head = exchange.head
        if !head.path.equals("/telemetry") { return false }
        read(exchange) { Self.report(statuses.all) }
        return true
    }

    static func report(_ receivers: [(name: String, counts: TelemetryStatus.Counts)]) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: 1024)
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.key("receivers")
            json.array { json in for (name, counts) in receivers { write(name, counts, &json) } }
        }
        return buffer
    }

    private static func write(_ name: String, _ counts: TelemetryStatus.Counts, _ json: inout JSONWriter) {
        json.object { json in
            json.member("name", name)
            json.member("up", counts.isUp)
            json.member("accepted", counts.accepted)
            json.member("refused", counts.refused)
            json.member("failed", counts.failed)
            json.member("items", counts.itemsSent)
            json.member("dropped", counts.dropped)
            json.member("waiting_bytes", counts.waitingBytes)
            json.key("last_success")
            if let time = counts.lastSuccess { json.int(Int(time)) } else { json.null() }
            json.key("last_error")
            if let error = counts.lastError { json.string(error) } else { json.null() }
        }
    }
}
