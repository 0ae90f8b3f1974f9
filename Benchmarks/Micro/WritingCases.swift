internal import Glibc
internal import SluiceCore
internal import SluiceStorage
internal import SluiceTLS

/// How fast what is kept gets onto the disk: records and lines of the audit log, in a second of this machine.
func measureWriting(_ measure: Measure) {
    guard let directory = temporaryDirectory() else { return }
    if "writing/records".hasPrefix(measure.prefix) { writeRecords(directory, 50_000) }
    if "writing/audit".hasPrefix(measure.prefix) { writeAudit(directory, 5000) }
    // It takes a while: only when it is asked for.
    if measure.prefix.hasPrefix("history") { readHistory(directory, 1_000_000) }
    for name in ["records.db", "records.db-wal", "records.db-shm", "records.lock", "audit.jsonl", "audit.head"] {
        unsafe unlink("\(directory)/\(name)")
    }
    unsafe rmdir(directory)
}

private func temporaryDirectory() -> String? {
    let path = "/tmp/sluice-micro-\(getpid())"
    return unsafe mkdir(path, 0o700) == 0 ? path : nil
}

private func record(_ number: Int) -> InvocationRecord {
    var record = InvocationRecord()
    record.requestID = "req_0123456789abcdef\(number)"
    record.userID = "user \(number % 500)"
    record.principalID = "key:app-\(number % 50)"
    record.team = "team \(number % 20)"
    record.modelID = "gpt-\(number % 7)"
    record.upstreamModel = record.modelID
    record.provider = "provider \(number % 5)"
    record.route = "/v1/chat/completions"
    record.httpStatus = 200
    if number % 50 == 0 {
        record.outcome = .providerError
        record.httpStatus = 502
    }
    record.startTime = 1_790_000_000_000 + number
    record.endTime = record.startTime + 900
    record.inputTokens = 300
    record.outputTokens = 120
    record.costMicros = 77
    return record
}

/// Hands records over as workers do, and waits until all are written.
private func fill(_ store: RecordStore, _ count: Int) {
    let buffer = ByteBuffer(capacity: 1024)
    let content = RecordedContent()
    for number in 0..<count {
        // A queue that is full drops: the writer is to be measured, not that.
        while store.snapshot.waiting > 40_000 { _ = usleep(500) }
        buffer.removeAll()
        RecordCoding.append(record(number), content, to: buffer)
        store.append(buffer.span, at: Instant(nanoseconds: 0))
    }
    while store.snapshot.written < count { _ = usleep(500) }
}

private func opened(_ directory: String) -> (RecordStore, RecordStoreSettings) {
    var settings = RecordStoreSettings(directory: directory)
    settings.queueMax = 100_000
    settings.retention = .seconds(100 * 365 * 86_400)
    settings.byteCountMax = 1 << 40
    let store = RecordStore(vault: SecretVault())
    store.adopt(settings)
    return (store, settings)
}

private func writeRecords(_ directory: String, _ count: Int) {
    let (store, _) = opened(directory)
    let took = ContinuousClock().measure { fill(store, count) }
    print("writing/records: \(Int(Double(count) / (took / .seconds(1)))) a second, \(store.snapshot.commits) commits")
    store.finish()
}

private func writeAudit(_ directory: String, _ count: Int) {
    let audit = AuditLog()
    do throws(AuditKey.Unusable) {
        try audit.start(AuditLog.Settings(directory: directory), SecretVault())
    } catch {
        return print("writing/audit: \(error)")
    }
    let took = ContinuousClock().measure {
        for number in 0..<count {
            audit.append(AuditEvent(.keyCreated, actor: "key:root", subject: "app-\(number)", details: []))
        }
        audit.finish()
    }
    print("writing/audit: \(Int(Double(count) / (took / .seconds(1)))) lines a second, each on the disk")
}

private func readHistory(_ directory: String, _ count: Int) {
    let (store, settings) = opened(directory)
    fill(store, count)
    store.finish()
    guard let history = try? RecordHistory(settings, vault: SecretVault()) else { return }
    var one = HistoryFilter()
    one.user = "user 17"
    var two = one
    two.model = "gpt-3"
    two.isFailure = true
    for (name, filter) in [("all", HistoryFilter()), ("a user", one), ("a user's failures of a model", two)] {
        var worst = Duration.zero
        for _ in 0..<50 {
            let took = ContinuousClock().measure { keep((try? history.page(filter, count: 50))?.entries.count ?? 0) }
            worst = max(worst, took)
        }
        print("history of \(count): a page of \(name), the slowest of 50: \(worst)")
    }
}
