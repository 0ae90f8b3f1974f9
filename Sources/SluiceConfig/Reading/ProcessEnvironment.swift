internal import Glibc

extension ConfigEnvironment {
    /// The variables and files of this process. Reading a file blocks: not for an event loop's thread.
    package static let process: ConfigEnvironment = {
        var environment = ConfigEnvironment(
            variable: { name in
                guard let value = unsafe getenv(name) else { return nil }
                return unsafe String(cString: value)
            },
            file: readFile, directory: readDirectory)
        environment.mode = fileMode
        return environment
    }()

    private static func fileMode(_ path: String) throws(ConfigFileError) -> Int? {
        var status = stat()
        if unsafe stat(path, &status) != 0 { throw .last }
        return Int(status.st_mode & 0o7777)
    }

    private static func readDirectory(_ path: String) throws(ConfigFileError) -> [String] {
        guard let directory = unsafe opendir(path) else { throw .last }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            names.append(name)
        }
        return names
    }

    private static func readFile(_ path: String, _ byteCountMax: Int) throws(ConfigFileError) -> [UInt8] {
        // Without O_NONBLOCK, opening a pipe that nobody writes to would never return.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        if descriptor < 0 { throw .last }
        defer { close(descriptor) }
        var status = stat()
        if unsafe fstat(descriptor, &status) != 0 { throw .last }
        if status.st_mode & S_IFMT != S_IFREG { throw .notAFile }
        var bytes: [UInt8] = []
        while true {
            var chunk = [UInt8](repeating: 0, count: 64 << 10)
            let count = unsafe read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw .last
            }
            bytes += chunk[..<count]
            if bytes.count > byteCountMax { throw .tooLarge(byteCountMax: byteCountMax) }
        }
    }
}

extension ConfigFileError {
    /// The failure of the system call just made.
    fileprivate static var last: ConfigFileError {
        switch errno {
        case ENOENT, ENOTDIR: .missing
        case EACCES, EPERM: .forbidden
        case EISDIR: .notAFile
        case let number: .system(number)
        }
    }
}
