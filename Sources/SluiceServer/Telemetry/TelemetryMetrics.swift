internal import SluiceCore
internal import SluicePipeline

/// How sending to receivers of telemetry goes, read when somebody asks.
enum TelemetryMetrics {
    private static let requests = MetricFamily(
        "sluice_push_requests", .counter, labels: ["receiver", "result"],
        help: "Requests to receivers of telemetry: accepted, refused (not sent again), failed (sent again).")
    private static let items = MetricFamily(
        "sluice_push_items", .counter, labels: ["receiver"],
        help: "Samples, spans and log lines that receivers of telemetry have taken.")
    private static let bytes = MetricFamily(
        "sluice_push_bytes", .counter, unit: "bytes", labels: ["receiver"],
        help: "What receivers of telemetry have taken, as it was sent.")
    private static let dropped = MetricFamily(
        "sluice_push_dropped", .counter, labels: ["receiver", "reason"],
        help: "Samples, spans and log lines that were not sent: no room (full), refused, the process ended (exit).")
    private static let waiting = MetricFamily(
        "sluice_push_waiting_bytes", .gauge, unit: "bytes", labels: ["receiver"],
        help: "What waits to be sent to receivers of telemetry.")
    private static let up = MetricFamily(
        "sluice_push_up", .gauge, labels: ["receiver"], help: "Whether the last request to the receiver was accepted.")
    private static let lastSuccess = MetricFamily(
        "sluice_push_last_success_timestamp_seconds", .gauge, unit: "seconds", labels: ["receiver"],
        help: "When a request to the receiver was accepted last, since the epoch; 0: never.")
    private static let lastDuration = MetricFamily(
        "sluice_push_last_duration_seconds", .gauge, unit: "seconds", scale: 1e-9, labels: ["receiver"],
        help: "What the last request to the receiver took.")

    static let families = [requests, items, bytes, dropped, waiting, up, lastSuccess, lastDuration]

    static func register(_ shared: Shared) {
        shared.lasting.metrics.registry.addSource(families) { [unowned shared] collection in
            for (name, counts) in shared.telemetry.all { add(name, counts, to: &collection) }
        }
    }

    private static func add(_ name: String, _ counts: TelemetryStatus.Counts, to collection: inout MetricCollection) {
        collection.add(requests, [name, "accepted"], counts.accepted)
        collection.add(requests, [name, "refused"], counts.refused)
        collection.add(requests, [name, "failed"], counts.failed)
        collection.add(items, [name], counts.itemsSent)
        collection.add(bytes, [name], counts.bytesSent)
        collection.add(dropped, [name, "full"], counts.droppedFull)
        collection.add(dropped, [name, "refused"], counts.droppedRefused)
        collection.add(dropped, [name, "exit"], counts.droppedAtExit)
        collection.add(waiting, [name], counts.waitingBytes)
        collection.add(up, [name], counts.isUp ? 1 : 0)
        collection.add(lastSuccess, [name], .number(counts.lastSuccess ?? 0))
        collection.add(lastDuration, [name], Int(counts.lastDuration.nanoseconds))
    }
}
