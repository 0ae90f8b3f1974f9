internal import CSQLite
internal import SluiceCore

/// A prepared statement in use. When it is dropped, its database keeps it for the next who needs the same.
///
/// Parameters count from 1, columns from 0, as in SQL's own interface.
@safe package struct Statement: ~Copyable {
    private let handle: OpaquePointer
    private let text: String
    private let database: Database

    @unsafe init(_ handle: OpaquePointer, _ text: String, _ database: Database) {
        unsafe self.handle = unsafe handle
        self.text = text
        self.database = database
    }

    deinit { unsafe database.takeBack(handle, text) }

    // MARK: Values in

    package mutating func bind(_ parameter: Int, _ value: Int) throws(DatabaseError) {
        try database.check(unsafe sqlite3_bind_int64(handle, Int32(clamping: parameter), Int64(value)))
    }

    package mutating func bind(_ parameter: Int, _ value: Double) throws(DatabaseError) {
        try database.check(unsafe sqlite3_bind_double(handle, Int32(clamping: parameter), value))
    }

    package mutating func bind(_ parameter: Int, _ value: Bool) throws(DatabaseError) {
        try bind(parameter, value ? 1 : 0)
    }

    package mutating func bindNull(_ parameter: Int) throws(DatabaseError) {
        try database.check(unsafe sqlite3_bind_null(handle, Int32(clamping: parameter)))
    }

    package mutating func bind(_ parameter: Int, _ value: String) throws(DatabaseError) {
        try bind(parameter, text: value.utf8Span.span)
    }

    /// NULL for `nil`.
    package mutating func bind(_ parameter: Int, _ value: String?) throws(DatabaseError) {
        if let value { try bind(parameter, value) } else { try bindNull(parameter) }
    }

    /// NULL for `nil`.
    package mutating func bind(_ parameter: Int, _ value: Int?) throws(DatabaseError) {
        if let value { try bind(parameter, value) } else { try bindNull(parameter) }
    }

    /// Bytes as text; copied.
    package mutating func bind(_ parameter: Int, text: Span<UInt8>) throws(DatabaseError) {
        let code = unsafe text.withUnsafeBytes { bytes in
            // A null address would be NULL, which is not the same as a text with nothing in it.
            guard let base = bytes.baseAddress else {
                return unsafe sluice_sqlite_bind_text(handle, Int32(clamping: parameter), "", 0)
            }
            return unsafe sluice_sqlite_bind_text(handle, Int32(clamping: parameter), base, UInt64(bytes.count))
        }
        try database.check(code)
    }

    /// Bytes as they are; copied.
    package mutating func bind(_ parameter: Int, blob: Span<UInt8>) throws(DatabaseError) {
        let code = unsafe blob.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else {
                return unsafe sqlite3_bind_zeroblob(handle, Int32(clamping: parameter), 0)
            }
            return unsafe sluice_sqlite_bind_blob(handle, Int32(clamping: parameter), base, UInt64(bytes.count))
        }
        try database.check(code)
    }

    /// Bytes as text, read where they are: they stay there, unchanged, until `reset`.
    @unsafe package mutating func bindInPlace(
        _ parameter: Int, text: UnsafeRawBufferPointer
    ) throws(DatabaseError) {
        try database.check(
            unsafe sluice_sqlite_bind_text_in_place(
                handle, Int32(clamping: parameter), text.baseAddress, UInt64(text.count)))
    }

    // MARK: Running

    /// Goes to the next row.
    ///
    /// - Returns: false if there is none: the statement is done.
    package mutating func step() throws(DatabaseError) -> Bool {
        let code = unsafe sqlite3_step(handle)
        if code == SQLITE_ROW { return true }
        if code == SQLITE_DONE { return false }
        // The error is the connection's to tell until the next call.
        defer { unsafe sqlite3_reset(handle) }
        try database.check(code)
        return false
    }

    /// Runs a statement that gives no rows, and makes it ready for the next values.
    package mutating func run() throws(DatabaseError) {
        while try step() {}
        reset()
    }

    /// Makes it ready to run again; what is bound stays bound.
    package mutating func reset() { unsafe sqlite3_reset(handle) }

    // MARK: Values out

    package func isNull(_ column: Int) -> Bool {
        unsafe sqlite3_column_type(handle, Int32(clamping: column)) == SQLITE_NULL
    }

    /// 0 for NULL.
    package func integer(_ column: Int) -> Int { Int(unsafe sqlite3_column_int64(handle, Int32(clamping: column))) }

    package func optionalInteger(_ column: Int) -> Int? { isNull(column) ? nil : integer(column) }

    package func double(_ column: Int) -> Double { unsafe sqlite3_column_double(handle, Int32(clamping: column)) }

    package func bool(_ column: Int) -> Bool { integer(column) != 0 }

    /// Empty for NULL.
    package func string(_ column: Int) -> String { String(decoding: bytes(column)) }

    package func optionalString(_ column: Int) -> String? { isNull(column) ? nil : string(column) }

    /// A text's or blob's bytes, valid until the next step; none for NULL.
    @_lifetime(borrow self)
    package func bytes(_ column: Int) -> Span<UInt8> {
        // The blob first, then its length (https://www.sqlite.org/c3ref/column_blob.html): no conversion comes between.
        let base = unsafe sqlite3_column_blob(handle, Int32(clamping: column))
        let count = unsafe base == nil ? 0 : Int(sqlite3_column_bytes(handle, Int32(clamping: column)))
        let buffer = unsafe UnsafeBufferPointer(start: base?.assumingMemoryBound(to: UInt8.self), count: count)
        let span = unsafe Span(_unsafeElements: buffer)
        return unsafe _overrideLifetime(span, borrowing: self)
    }

    package var columnCount: Int { Int(unsafe sqlite3_column_count(handle)) }

    package func columnName(_ column: Int) -> String {
        guard let name = unsafe sqlite3_column_name(handle, Int32(clamping: column)) else { return "" }
        return unsafe String(cString: name)
    }
}
