internal import Glibc
internal import SluiceCore
internal import SluiceNet
internal import SluiceTLS

/// Appends lines to an audit log's file. Used on one thread at a time.
///
/// Several processes may write to one log, as during a handover: each batch is written under a lock on the directory,
/// after a look at what others have written.
final class AuditWriter {
    struct Limits: Sendable, Equatable {
        /// A file is put away when it is longer.
        var fileByteCountMax = 67_108_864
        /// How many files that were put away are kept; 0: all.
        var filesMax = 0
    }

    private(set) var head: AuditHead?
    private let directory: String
    private let key: AuditKey?
    private let limits: Limits
    private let directoryFD: Int32
    private var fd: Int32 = -1
    private var inode: UInt64 = 0
    private var byteCount = 0
    private var firstNumber = 1
    /// What was found when the end of the file was last read.
    private var findings: [AuditEvent] = []
    /// Read for the last line: two lines at their longest.
    private static let tailByteCountMax = 2 * AuditLine.byteCountMax

    /// Makes the directory if it is missing.
    init(_ directory: String, key: AuditKey?, limits: Limits) throws(SystemError) {
        self.directory = directory
        self.key = key
        self.limits = limits
        if unsafe mkdir(directory, 0o700) != 0, errno != EEXIST { throw SystemError("mkdir") }
        directoryFD = unsafe Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if directoryFD < 0 { throw SystemError("open") }
    }

    deinit {
        if fd >= 0 { close(fd) }
        close(directoryFD)
    }

    /// Writes events and sees them on the disk. On an error none of them is in the log.
    ///
    /// - Parameter times: of the events, on the wall clock in nanoseconds.
    func write(_ events: [AuditEvent], times: [Int64]) throws(SystemError) {
        while flock(directoryFD, LOCK_EX) != 0 { if errno != EINTR { throw SystemError("flock") } }
        defer { _ = flock(directoryFD, LOCK_UN) }
        try catchUp()
        if byteCount >= limits.fileByteCountMax { try putAway() }
        let buffer = ByteBuffer(capacity: 1024)
        var last = head ?? AuditHead(number: 0, hash: AuditLine.beginning)
        let now = EventLoop.readWallClock()
        for (event, time) in zip(findings + events, findings.map { _ in now } + times) {
            let line = AuditLine.write(
                event, number: last.number + 1, previous: last.hash, time: time, key: key, into: buffer)
            last = AuditHead(number: line.number, hash: line.hash)
        }
        do throws(SystemError) {
            try AuditFiles.write(buffer.span, to: fd)
            if fdatasync(fd) != 0 { throw SystemError("fdatasync") }
        } catch {
            takeBack()
            throw error
        }
        byteCount += buffer.count
        findings = []
        head = last
        try? last.write(directory, fileBegins: firstNumber, key)
    }

    /// What was written of a batch that failed goes again, as nobody else has written meanwhile. Where the system does
    /// not allow that (an append-only file), the torn line is mended before the next.
    private func takeBack() {
        if ftruncate(fd, off_t(byteCount)) != 0 { inode = 0 }
    }

    // MARK: Where the log ends

    /// Opens the file if it is not open, or not the one any more, and looks where it ends if others have written.
    private func catchUp() throws(SystemError) {
        var status = stat()
        let path = directory + "/" + AuditFiles.current
        let isThere = unsafe stat(path, &status) == 0
        if isThere, fd >= 0, UInt64(status.st_ino) == inode, Int(status.st_size) == byteCount { return }
        if fd >= 0 { close(fd) }
        fd = unsafe Glibc.open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if fd < 0 { throw SystemError("open") }
        if unsafe fstat(fd, &status) != 0 { throw SystemError("fstat") }
        if status.st_mode & 0o077 != 0, fchmod(fd, 0o600) != 0 { throw SystemError("fchmod") }
        byteCount = Int(status.st_size)
        findings = []
        try readEnd()
        inode = UInt64(status.st_ino)
    }

    private func readEnd() throws(SystemError) {
        let start = max(0, byteCount - Self.tailByteCountMax)
        let tail = try AuditFiles.read(fd, from: start, byteCountMax: byteCount - start)
        var found: AuditHead?
        if !tail.isEmpty {
            let end = (tail.lastIndex(of: ASCII.lineFeed) ?? -1) + 1
            if end > 0 { found = Self.lastLine(tail[..<(end - 1)]) }
            if end < tail.count { found = try mend(Array(tail[end...]), after: found) }
        }
        firstNumber = try AuditFiles.read(fd, from: 0, byteCountMax: min(byteCount, 64)).lineNumber ?? 0
        var last = found
        if last == nil { last = try endOfOldFiles() }
        let told = try AuditHead.read(directory, key)?.head
        if let told, told.number > last?.number ?? 0 || told.number == last?.number && told != last {
            findings.append(
                AuditEvent(
                    .logShortened,
                    details: [.init("head", "\(told)"), .init("found", last.map { "\($0)" } ?? "nothing")]))
        }
        head = AuditHead(number: max(last?.number ?? 0, told?.number ?? 0), hash: last?.hash ?? AuditLine.beginning)
        if head?.number == 0 { head = nil }
        if firstNumber == 0 { firstNumber = (head?.number ?? 0) + 1 }
    }

    private static func lastLine(_ lines: ArraySlice<UInt8>) -> AuditHead? {
        let start = lines.lastIndex(of: ASCII.lineFeed).map { $0 + 1 } ?? lines.startIndex
        let bytes = Array(lines[start...])
        return AuditLine.read(bytes.span).map { AuditHead(number: $0.number, hash: $0.hash) }
    }

    /// Ends a line that is not ended. If all of it is there it counts.
    private func mend(_ torn: [UInt8], after last: AuditHead?) throws(SystemError) -> AuditHead? {
        try AuditFiles.write("\n".utf8Span.span, to: fd)
        byteCount += 1
        if let line = AuditLine.read(torn.span), last == nil || line.previous == last?.hash,
            key.map({ AuditLine.isAuthentic(torn.span, $0) }) ?? true
        {
            return AuditHead(number: line.number, hash: line.hash)
        }
        findings.append(
            AuditEvent(
                .logMended,
                details: [
                    .init("bytes", "\(torn.count)"), .init("sha256", SHA256.hash(torn.span).hexadecimal),
                ]))
        return last
    }

    private func endOfOldFiles() throws(SystemError) -> AuditHead? {
        guard let name = try AuditFiles.old(directory).last else { return nil }
        let old = unsafe Glibc.open(directory + "/" + name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        if old < 0 { throw SystemError("open") }
        defer { close(old) }
        var status = stat()
        if unsafe fstat(old, &status) != 0 { throw SystemError("fstat") }
        let start = max(0, Int(status.st_size) - Self.tailByteCountMax)
        let tail = try AuditFiles.read(old, from: start, byteCountMax: Int(status.st_size) - start)
        guard let end = tail.lastIndex(of: ASCII.lineFeed) else { return nil }
        return Self.lastLine(tail[..<end])
    }

    // MARK: Files

    /// Gives the file the name of its first line, and goes on in a new one.
    private func putAway() throws(SystemError) {
        let name = AuditFiles.name(first: firstNumber)
        if unsafe rename(directory + "/" + AuditFiles.current, directory + "/" + name) != 0 {
            throw SystemError("rename")
        }
        close(fd)
        inode = 0
        fd = unsafe Glibc.open(
            directory + "/" + AuditFiles.current, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if fd < 0 { throw SystemError("open") }
        var status = stat()
        if unsafe fstat(fd, &status) != 0 { throw SystemError("fstat") }
        inode = UInt64(status.st_ino)
        byteCount = 0
        firstNumber = (head?.number ?? 0) + 1
        try dropOld()
        _ = fsync(directoryFD)
    }

    private func dropOld() throws(SystemError) {
        if limits.filesMax == 0 { return }
        let names = try AuditFiles.old(directory)
        for name in names.prefix(max(0, names.count - limits.filesMax)) {
            if unsafe unlink(directory + "/" + name) != 0 { throw SystemError("unlink") }
            findings.append(AuditEvent(.fileDropped, subject: name))
        }
    }
}
