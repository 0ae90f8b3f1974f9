internal import SluiceCore
internal import SluicePipeline
internal import SluiceStorage

/// How recording goes, read when somebody asks.
enum RecordMetrics {
    private static let events = MetricFamily(
        "sluice_records", .counter, labels: ["event"], help: "What became of records of requests.")
    private static let waiting = MetricFamily("sluice_records_waiting", .gauge, help: "Records that wait to be written.")
    private static let lag = MetricFamily(
        "sluice_records_lag_seconds", .gauge, unit: "seconds", scale: 1e-6,
        help: "How old the oldest record of the last commit was when it was on the disk.")
    private static let stopped = MetricFamily(
        "sluice_records_stopped", .gauge, help: "Whether recording has stopped for want of space or a working disk.")

    static func register(_ shared: Shared) {
        shared.lasting.metrics.registry.addSource { [unowned shared] collection in
            let records = shared.lasting.records.snapshot
            if !records.isOpen { return }
            for (event, count) in [
                ("written", records.written), ("dropped", records.dropped), ("without_bodies", records.bodiesDropped),
                ("commit", records.commits), ("failure", records.failures), ("expired", records.expired),
                ("expired_unshipped", records.expiredUnshipped),
                ("shipped", records.shipped), ("collected", records.collected), ("unreadable", records.unreadable),
            ] {
                collection.add(events, [event], count)
            }
            collection.add(waiting, [], records.waiting)
            collection.add(lag, [], records.lagMicros)
            collection.add(stopped, [], records.stopped == nil ? 0 : 1)
        }
    }
}
