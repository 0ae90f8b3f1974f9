internal import Glibc
internal import SluiceCore
internal import SluiceNet

/// A lock that one process at a time holds: `flock(2)` on a file of its own, which the system gives back when the process ends,
/// however it ends.
package final class DirectoryLock: Sendable {
    private let fd: Int32

    /// - Returns: `nil` if another process holds it.
    package init?(_ path: String) throws(DatabaseError) {
        try DatabaseFile.prepare(path)
        let fd = unsafe open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        if fd < 0 { throw DatabaseError(.unopenable, path: path, reason: SystemError("open").description) }
        if flock(fd, LOCK_EX | LOCK_NB) != 0 {
            close(fd)
            return nil
        }
        self.fd = fd
    }

    /// Waits until the process that holds it ends or gives it back, looking ten times a second.
    ///
    /// - Returns: `nil` if that takes longer than `patience`.
    package static func wait(for path: String, atMost patience: Duration) throws(DatabaseError) -> DirectoryLock? {
        let deadline = EventLoop.readClock() + patience
        while true {
            if let lock = try DirectoryLock(path) { return lock }
            if EventLoop.readClock() >= deadline { return nil }
            _ = usleep(100_000)
        }
    }

    deinit { close(fd) }
}
