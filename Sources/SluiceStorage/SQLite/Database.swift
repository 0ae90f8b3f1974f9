internal import CSQLite
internal import SluiceCore
internal import SluiceNet

/// One connection to one SQLite file: WAL, foreign keys enforced, a schema that is not trusted.
///
/// Not `Sendable`: a connection belongs to one thread, and blocks it. Nothing of it may run on a worker.
@safe package final class Database {
    package struct Options: Sendable {
        package var isReadOnly = false
        /// How long a statement waits for another process or connection that writes.
        package var busyTimeout = Duration.seconds(5)
        /// Pages that SQLite may keep in memory, in KiB.
        package var cacheKiB = 2048
        /// The file does not grow beyond so many bytes (`nil`: as the disk allows): writing says `full` then.
        package var byteCountMax: Int?

        package init() {}
    }

    package let path: String
    let handle: OpaquePointer
    /// Prepared statements that nobody uses at the moment, by their text.
    private var idle: [String: OpaquePointer] = unsafe [:]
    private static let idleMax = 64
    /// Instructions of SQLite's machine between two looks at the clock, some tens of microseconds.
    private static let instructionsPerLook: Int32 = 1000
    private let alarm = Alarm()

    /// When the statement under way is to end; read from SQLite's callback.
    private final class Alarm {
        var deadline: Instant?
    }

    /// Opens the file, and makes it, and its directory, if it is not there: for its owner alone.
    package init(_ path: String, _ options: Options = Options()) throws(DatabaseError) {
        self.path = path
        if !options.isReadOnly { try DatabaseFile.prepare(path) }
        var opened: OpaquePointer?
        let flags = (options.isReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX
        let code = unsafe sqlite3_open_v2(path, &opened, flags, nil)
        guard let opened = unsafe opened, code == SQLITE_OK else {
            defer { unsafe sqlite3_close_v2(opened) }
            throw DatabaseError(code: code, path: path, reason: unsafe String(cString: sqlite3_errstr(code)))
        }
        unsafe handle = unsafe opened
        try configure(options)
    }

    deinit {
        for unsafe (_, statement) in unsafe idle { unsafe sqlite3_finalize(statement) }
        unsafe sqlite3_close_v2(handle)
    }

    private func configure(_ options: Options) throws(DatabaseError) {
        unsafe sqlite3_extended_result_codes(handle, 1)
        unsafe sqlite3_busy_timeout(handle, Int32(clamping: options.busyTimeout.nanoseconds / 1_000_000))
        for (option, value) in [
            (SQLITE_DBCONFIG_DEFENSIVE, 1), (SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0), (SQLITE_DBCONFIG_ENABLE_FKEY, 1),
            (SQLITE_DBCONFIG_DQS_DML, 0), (SQLITE_DBCONFIG_DQS_DDL, 0), (SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0),
        ] as [(Int32, Int32)] {
            set(option, value)
        }
        unsafe sqlite3_progress_handler(
            handle, Self.instructionsPerLook,
            { context in
                guard let context = unsafe context else { return 0 }
                let alarm = unsafe Unmanaged<Alarm>.fromOpaque(context).takeUnretainedValue()
                guard let deadline = alarm.deadline else { return 0 }
                return EventLoop.readClock() >= deadline ? 1 : 0
            }, Unmanaged.passUnretained(alarm).toOpaque())
        try execute("PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -\(options.cacheKiB)")
        if options.isReadOnly { return try execute("PRAGMA query_only = ON") }
        // Takes effect in a file that has no table yet.
        try execute("PRAGMA auto_vacuum = INCREMENTAL")
        try execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = 67108864")
        if let byteCountMax = options.byteCountMax { try limit(byteCount: byteCountMax) }
    }

    private func set(_ option: Int32, _ value: Int32) {
        let code = unsafe sluice_sqlite_configure(handle, option, value)
        precondition(code == SQLITE_OK, "SQLite does not know its option \(option)")
    }

    /// The file does not grow beyond so many bytes, or beyond what it has if that is more.
    package func limit(byteCount: Int) throws(DatabaseError) {
        let pageSize = max(try integer("PRAGMA page_size"), 512)
        try execute("PRAGMA max_page_count = \(max(byteCount / pageSize, 1))")
    }

    // MARK: Statements

    /// A statement of this text, with nothing bound: one that was prepared before, if there is one.
    package func prepare(_ text: String) throws(DatabaseError) -> Statement {
        if let known = unsafe idle.removeValue(forKey: text) { return unsafe Statement(known, text, self) }
        var prepared: OpaquePointer?
        var text = text
        let code = text.withUTF8 { bytes in
            unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
                unsafe sqlite3_prepare_v3(
                    handle, characters.baseAddress, Int32(clamping: characters.count),
                    UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
            }
        }
        try check(code)
        guard let prepared = unsafe prepared else {
            throw DatabaseError(.other, path: path, reason: "a statement with nothing in it")
        }
        return unsafe Statement(prepared, text, self)
    }

    /// Takes a statement back that its user has done with.
    @unsafe func takeBack(_ statement: OpaquePointer, _ text: String) {
        unsafe sqlite3_reset(statement)
        unsafe sqlite3_clear_bindings(statement)
        if unsafe idle.count >= Self.idleMax || idle[text] != nil {
            unsafe sqlite3_finalize(statement)
        } else {
            unsafe idle[text] = statement
        }
    }

    /// Runs statements that give no rows and take no values.
    package func execute(_ text: String) throws(DatabaseError) {
        try check(unsafe sqlite3_exec(handle, text, nil, nil, nil))
    }

    /// The first column of the first row; 0 if there is none.
    package func integer(_ text: String) throws(DatabaseError) -> Int {
        var statement = try prepare(text)
        return try statement.step() ? statement.integer(0) : 0
    }

    /// How many rows the last INSERT, UPDATE or DELETE changed.
    package var changeCount: Int { Int(unsafe sqlite3_changes64(handle)) }
    package var lastRowID: Int { Int(unsafe sqlite3_last_insert_rowid(handle)) }

    // MARK: Units of work

    /// Everything that `body` writes, or nothing of it.
    package func transaction<Value>(
        _ body: () throws(DatabaseError) -> Value
    ) throws(DatabaseError) -> Value {
        // Immediate: two writers wait for one another here, and not half-way, where neither could go on.
        try execute("BEGIN IMMEDIATE")
        do throws(DatabaseError) {
            let value = try body()
            try execute("COMMIT")
            return value
        } catch {
            // After some errors SQLite has rolled back already.
            if unsafe sqlite3_get_autocommit(handle) == 0 { try? execute("ROLLBACK") }
            throw error
        }
    }

    /// Ends statements with `timeout` if they have not finished by then.
    package func within<Value>(
        _ time: Duration, _ body: () throws(DatabaseError) -> Value
    ) throws(DatabaseError) -> Value {
        alarm.deadline = EventLoop.readClock() + time
        defer { alarm.deadline = nil }
        return try body()
    }

    func check(_ code: Int32) throws(DatabaseError) {
        if code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE { return }
        throw DatabaseError(code: code, path: path, reason: unsafe String(cString: sqlite3_errmsg(handle)))
    }
}
