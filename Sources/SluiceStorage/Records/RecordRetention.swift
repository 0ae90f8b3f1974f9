internal import SluiceCore
internal import SluiceNet

/// Lets records go that are too old, or too many: a few at a time, between commits. One process at a time does it for a
/// file.
final class RecordRetention {
    private let database: Database
    private let lockPath: String
    private var lock: DirectoryLock?
    private let startedAt: Instant
    private let wallAtStart: Int
    /// A step deletes so many records; about 10 ms.
    private static let stepMax = 500
    /// Pages that are given back to the file system in a step.
    private static let pagesPerStep = 512
    /// A clock that has gone ahead by more than this while the process ran is not believed.
    private static let slack = Duration.seconds(3600)

    init(_ database: Database, lockPath: String) {
        self.database = database
        self.lockPath = lockPath
        startedAt = EventLoop.readClock()
        wallAtStart = Self.wallMilliseconds
    }

    private static var wallMilliseconds: Int { Int(EventLoop.readWallClock() / 1_000_000) }

    /// The time by which records are too old: a clock that jumps ahead deletes nothing.
    private var now: Int {
        let elapsed = EventLoop.readClock() - startedAt + Self.slack
        return min(Self.wallMilliseconds, wallAtStart + Int(elapsed.nanoseconds / 1_000_000))
    }

    /// What a step let go.
    struct Gone {
        var count = 0
        /// That no stream has got, though there is one.
        var unshipped = 0
    }

    /// What is old goes when the stream has it, where there is one. What there is no room for goes in any case, the oldest first.
    ///
    /// - Returns: nothing if there is nothing to do, or another process does it.
    func step(_ settings: RecordStoreSettings) throws(DatabaseError) -> Gone {
        if lock == nil { lock = try DirectoryLock(lockPath) }
        if lock == nil { return Gone() }
        let oldest = RecordKey.first(ofMilliseconds: now - Int(settings.retention.nanoseconds / 1_000_000))
        let shipped = settings.isShipped ? try shippedMark() : .max
        var gone = try delete(before: min(oldest, shipped == .max ? .max : shipped + 1), shipped)
        if gone.count == 0, try byteCount() > settings.byteCountMax { gone = try delete(before: .max, shipped) }
        let day = (now - Int(settings.usageRetention.nanoseconds / 1_000_000)) / 86_400_000
        try database.execute("DELETE FROM usage_by_day WHERE day < \(day)")
        try database.execute("PRAGMA incremental_vacuum(\(Self.pagesPerStep))")
        return gone
    }

    /// Up to which key the stream has everything.
    private func shippedMark() throws(DatabaseError) -> Int {
        try database.integer("SELECT coalesce((SELECT value FROM marks WHERE name = '\(RecordStore.shippedMark)'), 0)")
    }

    /// What records take: pages in use, without those that are free again.
    private func byteCount() throws(DatabaseError) -> Int {
        let pages = try database.integer("PRAGMA page_count") - database.integer("PRAGMA freelist_count")
        return try pages * database.integer("PRAGMA page_size")
    }

    private func delete(before key: Int, _ shipped: Int) throws(DatabaseError) -> Gone {
        var find = try database.prepare(
            "SELECT max(key) FROM (SELECT key FROM invocations WHERE key < ? ORDER BY key LIMIT ?)")
        try find.bind(1, key)
        try find.bind(2, Self.stepMax)
        guard try find.step(), let last = find.optionalInteger(0) else { return Gone() }
        find.reset()
        return try database.transaction { () throws(DatabaseError) in
            var gone = Gone()
            if last > shipped { gone.unshipped = try unshipped(through: last, after: shipped) }
            for table in ["bodies", "details", "invocations"] {
                var delete = try database.prepare("DELETE FROM \(table) WHERE key <= ?")
                try delete.bind(1, last)
                try delete.run()
                gone.count = database.changeCount
            }
            return gone
        }
    }

    /// Of this node: those of others came from the stream.
    private func unshipped(through last: Int, after shipped: Int) throws(DatabaseError) -> Int {
        var count = try database.prepare(
            "SELECT count(*) FROM invocations WHERE key <= ? AND key > ? AND origin = 0")
        try count.bind(1, last)
        try count.bind(2, shipped)
        return try count.step() ? count.integer(0) : 0
    }
}
