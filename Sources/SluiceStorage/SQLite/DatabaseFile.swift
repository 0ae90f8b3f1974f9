internal import Glibc
internal import SluiceNet

/// The file under a database: its owner's alone, and its directory too.
package enum DatabaseFile {
    /// Makes the directory and an empty file where they are missing, and closes an existing file to everybody else.
    ///
    /// SQLite gives its -wal and -shm files the mode of the database.
    static func prepare(_ path: String) throws(DatabaseError) {
        try makeDirectory(of: path)
        // A link could lead anywhere; a database is never one.
        let fd = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if fd < 0 { throw unopenable(path, "open") }
        defer { close(fd) }
        var status = stat()
        if unsafe fstat(fd, &status) != 0 { throw unopenable(path, "fstat") }
        if status.st_mode & S_IFMT != S_IFREG {
            throw DatabaseError(.unopenable, path: path, reason: "is not a plain file")
        }
        if status.st_mode & 0o077 != 0, fchmod(fd, 0o600) != 0 { throw unopenable(path, "fchmod") }
    }

    /// Makes the directories that are missing on the way, each its owner's alone.
    private static func makeDirectory(of path: String) throws(DatabaseError) {
        var parts = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        guard let first = parts.popFirst() else { return }
        var directory = String(first)
        for part in parts {
            directory += "/\(part)"
            if part.isEmpty { continue }
            var status = stat()
            if unsafe stat(directory, &status) == 0 { continue }
            if unsafe mkdir(directory, 0o700) != 0, unsafe stat(directory, &status) != 0 {
                throw unopenable(directory, "mkdir")
            }
        }
    }

    private static func unopenable(_ path: String, _ call: StaticString) -> DatabaseError {
        let error = SystemError(call)
        let kind: DatabaseError.Kind = error.code == ENOSPC || error.code == EDQUOT ? .full : .unopenable
        return DatabaseError(kind, path: path, reason: error.description)
    }
}
