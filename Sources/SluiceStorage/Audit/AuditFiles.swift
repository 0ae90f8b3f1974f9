internal import Glibc
internal import SluiceCore
internal import SluiceNet

/// The files of an audit log: `audit.jsonl`, which grows, `audit-NUMBER.jsonl`, each named after its first line,
/// `audit.head` and `audit.key`. All belong to their owner alone.
enum AuditFiles {
    static let current = "audit.jsonl"

    /// Those that have been put away, oldest first.
    static func old(_ directory: String) throws(SystemError) -> [String] {
        guard let stream = unsafe opendir(directory) else { throw SystemError("opendir") }
        defer { unsafe closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if firstNumber(name) != nil { names.append(name) }
        }
        return names.sorted()
    }

    /// `nil` unless it is the name of a file that has been put away.
    static func firstNumber(_ name: String) -> Int? {
        guard name.hasPrefix("audit-"), name.hasSuffix(".jsonl") else { return nil }
        let digits = name.dropFirst(6).dropLast(6)
        return digits.utf8.count == 15 && digits.utf8.allSatisfy(\.isDecimalDigit) ? Int(digits) : nil
    }

    static func name(first number: Int) -> String {
        let digits = String(number)
        return "audit-" + String(repeating: "0", count: max(0, 15 - digits.count)) + digits + ".jsonl"
    }

    /// - Returns: `nil` if there is no such file.
    static func content(_ path: String, byteCountMax: Int) throws(SystemError) -> [UInt8]? {
        let fd = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        if fd < 0 {
            if errno == ENOENT { return nil }
            throw SystemError("open")
        }
        defer { close(fd) }
        return try read(fd, from: 0, byteCountMax: byteCountMax)
    }

    static func read(_ fd: Int32, from offset: Int, byteCountMax: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: byteCountMax)
        var filled = 0
        while filled < byteCountMax {
            let count = unsafe bytes.withUnsafeMutableBytes {
                unsafe pread(fd, $0.baseAddress! + filled, $0.count - filled, off_t(offset + filled))
            }
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError("pread")
            }
            filled += count
        }
        bytes.removeLast(byteCountMax - filled)
        return bytes
    }

    static func write(_ bytes: Span<UInt8>, to fd: Int32) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(fd, $0.baseAddress! + written, $0.count - written)
            }
            if count < 0 {
                if errno == EINTR { continue }
                throw SystemError("write")
            }
            written += count
        }
    }

    /// Puts other content in a file's place, at once or not at all.
    static func replace(_ path: String, _ bytes: Span<UInt8>) throws(SystemError) {
        let fresh = path + ".new"
        let fd = unsafe open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if fd < 0 { throw SystemError("open") }
        do throws(SystemError) {
            defer { close(fd) }
            try write(bytes, to: fd)
            if fsync(fd) != 0 { throw SystemError("fsync") }
        } catch {
            unsafe unlink(fresh)
            throw error
        }
        if unsafe rename(fresh, path) != 0 { throw SystemError("rename") }
    }
}
