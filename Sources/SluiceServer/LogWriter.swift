internal import CLinux
internal import Glibc
internal import SluiceConfig
internal import SluiceCore
internal import SluiceNet
internal import Synchronization

/// A log file that cannot be opened.
struct LogFileUnusable: Error, CustomStringConvertible {
    let path: String
    let reason: String
    var description: String { "cannot write the log to \(path): \(reason)" }
}

/// Writes the log queue to a descriptor, on a thread of its own: a slow disk or pipe holds up nobody else.
final class LogWriter: Sendable {
    private let fd: Int32
    /// The file's path; `nil` for a descriptor that was given to the process.
    private let path: String?
    private let wakeup: Int32
    private let queue = Mutex<LogQueue?>(nil)
    private let isWriting = Atomic<Bool>(false)
    /// Lines are gathered for so long before they are written, in microseconds.
    private static let gatherMicroseconds: UInt32 = 10_000
    /// The end of the process waits for the last lines for so many looks, a second in all.
    private static let finishLooksMax = 500
    private static let finishLookMicroseconds: UInt32 = 2000

    /// - Throws: a file that cannot be opened.
    init(_ configuration: LogConfiguration) throws(LogFileUnusable) {
        switch configuration.destination {
        case .stdout: (fd, path) = (STDOUT_FILENO, nil)
        case .stderr: (fd, path) = (STDERR_FILENO, nil)
        case .file(let path): (fd, self.path) = (try Self.open(path), path)
        }
        wakeup = eventfd(0, Int32(EFD_CLOEXEC))
    }

    /// Makes the queue that this writer empties, and starts its thread.
    func start(level: LogLevel) -> LogQueue {
        let queue = LogQueue(level: level) { [wakeup] in
            var one: UInt64 = 1
            _ = unsafe Glibc.write(wakeup, &one, 8)
        }
        self.queue.withLock { $0 = queue }
        Thread.start("log") { [self] in run() }
        return queue
    }

    private static func open(_ path: String) throws(LogFileUnusable) -> Int32 {
        let fd = unsafe Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        if fd < 0 { throw LogFileUnusable(path: path, reason: SystemError("open").reason) }
        return fd
    }

    /// Goes on in a new file of the same name: the old one was moved away (logrotate(8)). Without a file, does nothing.
    ///
    /// - Throws: a file that cannot be opened; lines go on into the old one.
    func reopen() throws(LogFileUnusable) {
        guard let path else { return }
        let fresh = try Self.open(path)
        finish()
        // One step: no line is written to a closed descriptor.
        _ = dup2(fresh, fd)
        _ = fcntl(fd, F_SETFD, FD_CLOEXEC)
        close(fresh)
    }

    private func run() {
        while true {
            var count: UInt64 = 0
            guard unsafe read(wakeup, &count, 8) == 8 else { return }
            _ = usleep(Self.gatherMicroseconds)
            flush()
        }
    }

    /// Waits until everything is written, but not for ever: nobody may read what we write.
    func finish() {
        guard let queue = queue.withLock({ $0 }) else { return }
        for _ in 0..<Self.finishLooksMax {
            if queue.isEmpty, !isWriting.load(ordering: .acquiring) { return }
            var one: UInt64 = 1
            _ = unsafe Glibc.write(wakeup, &one, 8)
            _ = usleep(Self.finishLookMicroseconds)
        }
    }

    private func flush() {
        guard let queue = queue.withLock({ $0 }) else { return }
        isWriting.store(true, ordering: .releasing)
        defer { isWriting.store(false, ordering: .releasing) }
        let (bytes, dropped) = queue.take()
        write(bytes.span)
        queue.recycle(bytes)
        if dropped > 0 { reportDropped(dropped) }
    }

    private func reportDropped(_ dropped: Int) {
        let buffer = ByteBuffer()
        let line = LogLine(.warn, "log lines were dropped", unixNanoseconds: EventLoop.readWallClock(), into: buffer)
        line.field("sluice.log.dropped", dropped)
        line.end()
        write(buffer.span)
    }

    private func write(_ bytes: Span<UInt8>) {
        unsafe bytes.withUnsafeBytes { all in
            var rest = unsafe all[...]
            while unsafe !rest.isEmpty {
                let part = unsafe UnsafeRawBufferPointer(rebasing: rest)
                let count = unsafe Glibc.write(fd, part.baseAddress, part.count)
                if count > 0 {
                    unsafe rest = rest.dropFirst(count)
                    continue
                }
                if count < 0, sluice_errno() == EINTR { continue }
                // A full disk or a closed pipe: the lines are lost, the requests are not.
                return
            }
        }
    }
}
