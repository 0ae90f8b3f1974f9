internal import SluiceCore
internal import SluicePipeline
internal import SluiceStorage

/// How recording and the audit log go, read when somebody asks.
enum RecordMetrics {
    private static let events = MetricFamily(
        "sluice_records", .counter, labels: ["event"], help: "What became of records of requests.")
    private static let waiting = MetricFamily("sluice_records_waiting", .gauge, help: "Records that wait to be written.")
    private static let lag = MetricFamily(
        "sluice_records_lag_seconds", .gauge, unit: "seconds", scale: 1e-6,
        help: "How old the oldest record of the last commit was when it was on the disk.")
    private static let stopped = MetricFamily(
        "sluice_records_stopped", .gauge, help: "Whether recording has stopped for want of space or a working disk.")

    private static let commits = MetricFamily(
        "sluice_records_commit_seconds", .histogram(HistogramScale(RecordStoreSnapshot.commitBounds, scale: 1e-6)),
        unit: "seconds", scale: 1e-6, help: "How long SQLite took to commit a batch of records.")
    private static let auditOn = MetricFamily(
        "sluice_audit_failing", .gauge, help: "Whether the audit log cannot be written.")
    private static let auditWaiting = MetricFamily(
        "sluice_audit_waiting_events", .gauge, help: "Events that wait to be written into the audit log.")
    private static let auditLost = MetricFamily(
        "sluice_audit_lost_events", .counter, help: "Events that are not in the audit log for want of room.")
    static let families = [events, waiting, lag, stopped, commits, auditOn, auditWaiting, auditLost]

    static func register(_ shared: Shared) {
        shared.lasting.metrics.registry.addSource(families) { [unowned shared] collection in
            addAudit(shared.lasting.audit.snapshot, &collection)
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
            collection.add(
                commits, [], .histogram(counts: records.commitCounts, sum: Double(records.commitMicros) / 1e6))
        }
    }

    private static func addAudit(_ audit: AuditLog.Snapshot, _ collection: inout MetricCollection) {
        if !audit.isOn { return }
        collection.add(auditOn, [], audit.failure == nil ? 0 : 1)
        collection.add(auditWaiting, [], audit.queued)
        collection.add(auditLost, [], audit.lost)
    }
}
