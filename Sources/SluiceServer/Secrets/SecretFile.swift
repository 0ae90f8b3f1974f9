internal import Glibc
internal import SluiceCore
internal import SluiceNet

/// Secrets on standard streams, and files that hold them.
enum SecretFile {
    struct Unusable: Error, CustomStringConvertible {
        let description: String

        init(_ path: String, _ call: StaticString) { description = "\(path): \(SystemError(call).reason)" }
    }

    /// What is on standard input, without the end of its last line; `nil` if that is too long or cannot be read.
    static func standardInput(byteCountMax: Int) -> Secret? {
        // As large as may be needed: what a buffer outgrows is not overwritten.
        let buffer = ByteBuffer(capacity: byteCountMax + 1)
        defer { buffer.wipe() }
        while buffer.count <= byteCountMax {
            var count = 0
            unsafe buffer.appendUnsafe(minimum: 1) { space in
                count = unsafe read(STDIN_FILENO, space.baseAddress, space.count)
                return max(0, count)
            }
            if count < 0, errno == EINTR { continue }
            if count < 0 { return nil }
            if count == 0 {
                var length = buffer.count
                if length > 0, buffer[length - 1] == ASCII.lineFeed { length -= 1 }
                if length > 0, buffer[length - 1] == ASCII.carriageReturn { length -= 1 }
                return Secret(buffer.span.extracting(first: length))
            }
        }
        return nil
    }

    /// Prints it as a line on standard output.
    static func print(_ bytes: Span<UInt8>) {
        _ = write(bytes, to: STDOUT_FILENO)
        _ = write("\n".utf8Span.span, to: STDOUT_FILENO)
    }

    /// Writes a line into a new file that only its owner may read.
    static func create(_ path: String, _ bytes: Span<UInt8>) throws(Unusable) {
        let fd = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if fd < 0 { throw Unusable(path, "open") }
        defer { close(fd) }
        guard write(bytes, to: fd), write("\n".utf8Span.span, to: fd), fsync(fd) == 0 else {
            throw Unusable(path, "write")
        }
    }

    /// Puts other content in a file's place, at once or not at all; who may do what with it stays the same.
    static func replace(_ path: String, _ bytes: Span<UInt8>) throws(Unusable) {
        guard let resolved = unsafe realpath(path, nil) else { throw Unusable(path, "realpath") }
        defer { unsafe free(resolved) }
        let target = unsafe String(cString: resolved)
        var status = stat()
        if unsafe stat(target, &status) != 0 { throw Unusable(path, "stat") }
        let fresh = "\(target).sluice-\(getpid())"
        let fd = unsafe open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if fd < 0 { throw Unusable(fresh, "open") }
        let isWritten =
            write(bytes, to: fd) && fchmod(fd, status.st_mode & 0o7777) == 0
            && (fchown(fd, status.st_uid, status.st_gid) == 0 || geteuid() == status.st_uid) && fsync(fd) == 0
        let failure = Unusable(fresh, "write")
        close(fd)
        if isWritten, unsafe rename(fresh, target) == 0 { return }
        let reason = isWritten ? Unusable(path, "rename") : failure
        unsafe unlink(fresh)
        throw reason
    }

    private static func write(_ bytes: Span<UInt8>, to fd: Int32) -> Bool {
        unsafe bytes.withUnsafeBytes { all in
            var rest = unsafe all[...]
            while unsafe !rest.isEmpty {
                let part = unsafe UnsafeRawBufferPointer(rebasing: rest)
                let count = unsafe Glibc.write(fd, part.baseAddress, part.count)
                if count < 0, errno == EINTR { continue }
                if count <= 0 { return false }
                unsafe rest = rest.dropFirst(count)
            }
            return true
        }
    }
}
