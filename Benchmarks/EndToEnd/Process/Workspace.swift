internal import Glibc
internal import Synchronization

/// The run's temporary directory: every file of every process is in it, and it goes when the run ends.
enum Workspace {
    private static let path = Mutex<String?>(nil)
    private static let siteCount = Mutex(0)

    /// The directory, made at the first call.
    static func current() throws(Failure) -> String {
        try path.withLock { path throws(Failure) in
            if let path { return path }
            let parent = Environment.value(of: "TMPDIR") ?? "/tmp"
            var template = Array("\(parent)/sluice-bench.XXXXXX".utf8CString)
            guard unsafe mkdtemp(&template) != nil else { throw Failure("mkdtemp: \(SystemError.last)") }
            let made = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            Cleanup.register(directory: made)
            path = made
            return made
        }
    }

    /// A new directory in it.
    static func makeDirectory(named name: String) throws(Failure) -> String {
        let number = siteCount.withLock { count in
            count += 1
            return count
        }
        let directory = "\(try current())/\(number)-\(name)"
        guard unsafe mkdir(directory, 0o700) == 0 else { throw Failure("mkdir \(directory): \(SystemError.last)") }
        return directory
    }
}
