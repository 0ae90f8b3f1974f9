package import SluiceCore
internal import SluiceJSON
internal import SluiceNet
package import SluiceTLS

/// One record as it is read: with what its name is, and what was kept of it.
package struct HistoryEntry {
    package var key = RecordKey(0)
    package var id = RecordID(high: 0, low: 0)
    /// Which node made it; empty for this one.
    package var origin = ""
    package var record = InvocationRecord()
    /// JSON.
    package var attempts = ByteBuffer(capacity: 16)
    package var parameters: ByteBuffer?
    package var hasBodies = false
}

/// Some records, newest first.
package struct HistoryPage {
    package var entries: [HistoryEntry] = []
    /// Where to go on; `nil` if there are no more.
    package var next: HistoryCursor?
    /// Whether the page ends because its time was over, and not because it is full.
    package var isCut = false
}

/// Reads what was recorded, on a connection and a thread of its own: it never holds up the writer, and no worker.
///
/// A page takes the index that has the fewest records for what is asked, and walks it from the newest on. It walks for
/// a bounded time: a question that few records answer gets a short page, and the cursor to go on from where it stopped.
package final class RecordHistory {
    package static let pageMax = 1000
    /// How long a page looks for records.
    package static let timeMax = Duration.milliseconds(40)
    /// An index with more records than this for what is asked counts as large, however large.
    private static let countMax = 4000
    private static let rowsPerLook = 256

    private let database: Database
    let names: NameReader
    let vault: SecretVault
    /// For questions about names.
    private let table: NameTable

    package init(_ settings: RecordStoreSettings, vault: SecretVault) throws(DatabaseError) {
        var options = Database.Options()
        options.isReadOnly = true
        options.cacheKiB = 16_384
        database = try Database(settings.path, options)
        _ = try RecordSchema.migrations.check(database)
        names = NameReader(database)
        table = NameTable(database)
        self.vault = vault
    }

    /// On a connection that somebody else uses, too.
    init(_ database: Database, vault: SecretVault) {
        self.database = database
        self.vault = vault
        names = NameReader(database)
        table = NameTable(database)
    }

    var connection: Database { database }

    // MARK: Pages

    /// - Parameter time: how long may be looked.
    package func page(
        _ filter: HistoryFilter, after cursor: HistoryCursor? = nil, count: Int, within time: Duration = timeMax
    ) throws(DatabaseError) -> HistoryPage {
        try database.within(.seconds(5)) { () throws(DatabaseError) in
            let deadline = EventLoop.readClock() + time
            guard let search = try HistorySearch(filter, after: cursor, table) else { return HistoryPage() }
            var page = HistoryPage()
            let index = try smallestIndex(search)
            var row = try database.prepare(search.statement(index))
            try search.bind(index, to: &row)
            var seen = 0
            var last: Int?
            while try row.step() {
                let key = row.integer(0)
                seen += 1
                if seen % Self.rowsPerLook == 0 || search.text != nil, seen > 1, EventLoop.readClock() >= deadline {
                    page.next = last.map(HistoryCursor.init(key:))
                    page.isCut = true
                    return page
                }
                if search.matches(row), let entry = try entry(RecordKey(key), search) {
                    page.entries.append(entry)
                    if page.entries.count == count {
                        page.next = HistoryCursor(key: key)
                        return page
                    }
                }
                last = key
            }
            return page
        }
    }

    /// The index with the fewest records for what is asked; `nil`: all records in order.
    private func smallestIndex(_ search: HistorySearch) throws(DatabaseError) -> HistorySearch.Index? {
        if search.indexes.count < 2 { return search.indexes.first }
        var best: HistorySearch.Index?
        var fewest = Int.max
        for index in search.indexes {
            var count = try database.prepare(search.countStatement(index))
            try search.bind(index, to: &count)
            try count.bind(4, Self.countMax)
            let found = try count.step() ? count.integer(0) : 0
            if found < fewest { (best, fewest) = (index, found) }
        }
        return best
    }

    // MARK: Records

    /// - Returns: `nil` if there is no such record, or the filter's principal may not see it.
    package func record(_ id: RecordID, for principal: String? = nil) throws(DatabaseError) -> HistoryEntry? {
        let bytes = id.bytes
        var find = try database.prepare("SELECT key FROM invocations WHERE id = ?")
        try find.bind(1, blob: bytes.span)
        guard try find.step() else { return nil }
        guard let entry = try entry(RecordKey(find.integer(0)), nil) else { return nil }
        if let principal, entry.record.principalID != principal { return nil }
        return entry
    }

    func entry(_ key: RecordKey, _ search: HistorySearch?) throws(DatabaseError) -> HistoryEntry? {
        var row = try database.prepare(
            """
            SELECT i.id, i.origin, i.user, i.principal, i.team, i.model, i.provider, i.outcome, i.http_status, i.start_time,
                i.end_time, i.duration_us, i.first_byte_us, i.input_tokens, i.output_tokens, i.cached_tokens,
                i.reasoning_tokens, i.total_tokens, i.cost_micros, i.usage_source, i.is_stream, d.request_id,
                d.business_line, d.credential, d.scene, d.upstream_model, d.route, d.cache_state, d.error_code,
                d.error_owner, d.error_message, d.attempts, d.parameters,
                EXISTS (SELECT 1 FROM bodies b WHERE b.key = i.key)
            FROM invocations i JOIN details d ON d.key = i.key WHERE i.key = ?
            """)
        try row.bind(1, key.number)
        // Retention may have been here since.
        guard try row.step(), let id = RecordID(bytes: row.bytes(0)) else { return nil }
        var entry = HistoryEntry()
        entry.key = key
        entry.id = id
        entry.origin = try names.name(row.integer(1))
        entry.record = try record(row)
        entry.attempts = ByteBuffer(copying: row.bytes(31))
        if !row.isNull(32) { entry.parameters = ByteBuffer(copying: row.bytes(32)) }
        entry.hasBodies = row.bool(33)
        guard let search else { return entry }
        return try search.matches(entry, self) ? entry : nil
    }

    private func record(_ row: borrowing Statement) throws(DatabaseError) -> InvocationRecord {
        var record = InvocationRecord()
        record.userID = try names.name(row.integer(2))
        record.principalID = try names.name(row.integer(3))
        record.team = try names.name(row.integer(4))
        record.modelID = try names.name(row.integer(5))
        record.provider = try names.name(row.integer(6))
        record.outcome = InvocationRecord.Outcome(rawValue: UInt8(clamping: row.integer(7))) ?? .complete
        record.httpStatus = row.integer(8)
        record.startTime = row.integer(9)
        record.endTime = row.integer(10)
        record.durationMicros = row.integer(11)
        record.firstByteMicros = row.integer(12)
        record.inputTokens = row.integer(13)
        record.outputTokens = row.integer(14)
        record.cachedTokens = row.integer(15)
        record.reasoningTokens = row.integer(16)
        record.totalTokens = row.integer(17)
        record.costMicros = row.integer(18)
        record.usageSource = InvocationRecord.UsageSource(rawValue: UInt8(clamping: row.integer(19))) ?? .unknown
        record.isStream = row.bool(20)
        record.requestID = row.string(21)
        record.businessLine = try names.name(row.integer(22))
        record.key = try names.name(row.integer(23))
        record.scene = try names.name(row.integer(24))
        record.upstreamModel = try names.name(row.integer(25))
        record.route = try names.name(row.integer(26))
        record.cacheState = try names.name(row.integer(27))
        record.errorCode = try names.name(row.integer(28))
        record.errorOwner = try names.name(row.integer(29))
        record.errorMessage = row.string(30)
        return record
    }
}
