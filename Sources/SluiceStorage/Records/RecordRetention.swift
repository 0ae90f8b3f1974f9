internal import SluiceCore
internal import SluiceNet

/// Lets records go that are too old, or too many: a few at a time, between commits. One process at a time does it for a file.
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

    /// - Returns: how many records went; 0 if there is nothing to do, or another process does it.
    func step(_ settings: RecordStoreSettings) throws(DatabaseError) -> Int {
        if lock == nil { lock = try DirectoryLock(lockPath) }
        if lock == nil { return 0 }
        let oldest = now - Int(settings.retention.nanoseconds / 1_000_000)
        var count = try delete(before: RecordKey.first(ofMilliseconds: oldest))
        if count == 0, try byteCount() > settings.byteCountMax { count = try delete(before: Int.max) }
        let day = (now - Int(settings.usageRetention.nanoseconds / 1_000_000)) / 86_400_000
        try database.execute("DELETE FROM usage_by_day WHERE day < \(day)")
        try database.execute("PRAGMA incremental_vacuum(\(Self.pagesPerStep))")
        return count
    }

    /// What records take: pages in use, without those that are free again.
    private func byteCount() throws(DatabaseError) -> Int {
        let pages = try database.integer("PRAGMA page_count") - database.integer("PRAGMA freelist_count")
        return try pages * database.integer("PRAGMA page_size")
    }

    private func delete(before key: Int) throws(DatabaseError) -> Int {
        var find = try database.prepare("SELECT max(key) FROM (SELECT key FROM invocations WHERE key < ? ORDER BY key LIMIT ?)")
        try find.bind(1, key)
        try find.bind(2, Self.stepMax)
        guard try find.step(), let last = find.optionalInteger(0) else { return 0 }
        find.reset()
        return try database.transaction { () throws(DatabaseError) in
            var count = 0
            for table in ["bodies", "details", "invocations"] {
                var delete = try database.prepare("DELETE FROM \(table) WHERE key <= ?")
                try delete.bind(1, last)
                try delete.run()
                count = database.changeCount
            }
            return count
        }
    }
}
