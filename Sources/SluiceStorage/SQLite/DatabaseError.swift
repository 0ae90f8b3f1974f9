internal import CSQLite

/// What a database refused, and what whoever operates it can do.
package struct DatabaseError: Error, Sendable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        /// No space on the disk, or the size that the file may have is reached.
        case full
        /// The disk or the file system failed.
        case inputOutput = "io"
        /// Another process holds it for longer than the busy timeout.
        case busy
        case readOnly = "read_only"
        case unopenable
        /// Not a database, or a damaged one.
        case corrupt
        /// Written by a later version of Sluice, or not by Sluice.
        case foreign
        case constraint
        /// The statement's deadline has passed.
        case timeout
        case tooLarge = "too_large"
        case other
    }

    package let kind: Kind
    /// SQLite's extended result code (https://www.sqlite.org/rescode.html); 0 if it was not SQLite that refused.
    package let code: Int32
    package let path: String
    /// What went wrong, in words: never a bound value.
    package let reason: String

    init(_ kind: Kind, code: Int32 = 0, path: String, reason: String) {
        self.kind = kind
        self.code = code
        self.path = path
        self.reason = reason
    }

    init(code: Int32, path: String, reason: String) {
        self.init(Self.kind(of: code), code: code, path: path, reason: reason)
    }

    package var description: String { "\(path): \(reason)\(advice.map { "; \($0)" } ?? "")" }

    /// Whether the same may succeed later with nothing done about it but space, or patience.
    package var mayPass: Bool {
        switch kind {
        case .full, .inputOutput, .busy, .readOnly, .unopenable, .timeout: true
        case .corrupt, .foreign, .constraint, .tooLarge, .other: false
        }
    }

    private var advice: String? {
        switch kind {
        case .full: "free space on the disk, or lower the size that is kept"
        case .inputOutput: "check the disk and the system's log"
        case .busy: "another process holds the file: end it, or give this one a directory of its own"
        case .readOnly, .unopenable: "the process must be able to write the file and its directory"
        case .corrupt: "move the file away, or repair it with `sqlite3 FILE .recover`"
        case .foreign, .constraint, .timeout, .tooLarge, .other: nil
        }
    }

    private static func kind(of code: Int32) -> Kind {
        switch code & 0xFF {
        case SQLITE_FULL: .full
        case SQLITE_IOERR, SQLITE_PROTOCOL, SQLITE_NOLFS: .inputOutput
        case SQLITE_BUSY, SQLITE_LOCKED: .busy
        case SQLITE_READONLY, SQLITE_PERM: .readOnly
        case SQLITE_CANTOPEN, SQLITE_AUTH: .unopenable
        case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FORMAT: .corrupt
        case SQLITE_CONSTRAINT: .constraint
        case SQLITE_INTERRUPT: .timeout
        case SQLITE_TOOBIG: .tooLarge
        default: .other
        }
    }
}
