internal import Glibc

/// The few things the benchmark does with files, among them everything it reads from /proc.
enum Files {
    static func read(_ path: String) -> String? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var content: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = unsafe part.withUnsafeMutableBytes { unsafe Glibc.read(file, $0.baseAddress, $0.count) }
            if count < 0 { return nil }
            if count == 0 { return String(decoding: content, as: UTF8.self) }
            content += part[..<count]
        }
    }

    static func write(_ text: String, to path: String) throws(Failure) {
        let file = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure("cannot write \(path): \(SystemError.last)") }
        defer { close(file) }
        var bytes = ArraySlice(Array(text.utf8))
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(file, $0.baseAddress, $0.count) }
            guard count > 0 else { throw Failure("cannot write \(path): \(SystemError.last)") }
            bytes = bytes.dropFirst(count)
        }
    }

    /// Names in a directory, without `.` and `..`; none when it cannot be read.
    static func names(in path: String) -> [String] {
        guard let directory = unsafe opendir(path) else { return [] }
        defer { unsafe _ = closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// Removes a file, or a directory with everything in it. Symbolic links are removed, never followed.
    static func removeAll(_ path: String) {
        if unsafe unlink(path) == 0 || errno == ENOENT { return }
        for name in names(in: path) { removeAll("\(path)/\(name)") }
        unsafe _ = rmdir(path)
    }

    /// The end of a text file, for showing what a process said before it failed.
    static func tail(of path: String, lineCount: Int) -> String {
        (read(path) ?? "").split(separator: "\n").suffix(lineCount).joined(separator: "\n")
    }
}

/// What `errno` says, in words.
enum SystemError {
    static var last: String { unsafe String(cString: strerror(errno)) }
}
