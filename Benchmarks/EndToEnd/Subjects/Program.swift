internal import Glibc

/// Programs of this machine.
enum Program {
    /// Where a program is, looking through PATH and the two directories that a user's PATH may leave out.
    static func path(of name: String) -> String? {
        let path = Environment.value(of: "PATH") ?? ""
        let directories = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin"]
        return directories.map { "\($0)/\(name)" }.first { isExecutable($0) }
    }

    static func isExecutable(_ path: String) -> Bool { unsafe access(path, X_OK) == 0 }

    /// The running benchmark's own file.
    static func own() throws(Failure) -> String {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe bytes.withMemoryRebound(to: CChar.self) { text in
                guard let start = text.baseAddress else { return 0 }
                return unsafe readlink("/proc/self/exe", start, text.count)
            }
        }
        guard count > 0 else { throw Failure("readlink /proc/self/exe: \(SystemError.last)") }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// Python's programs take this long to say who they are.
    private static let answerTimeMax = 20 * Clock.second

    /// The first line with a word in it that a command prints, on either output.
    static func firstLine(of command: [String], containing word: String = "") -> String? {
        guard let directory = try? Workspace.current() else { return nil }
        let log = "\(directory)/program.log"
        Files.removeAll(log)
        guard let process = try? ChildProcess(command, core: nil, logPath: log) else { return nil }
        let deadline = Clock.now() + answerTimeMax
        while process.isRunning && Clock.now() < deadline { Clock.sleep(Clock.millisecond) }
        let lines = (Files.read(log) ?? "").split(separator: "\n")
        return lines.first { word.isEmpty || $0.contains(word) }.map { String($0.drop { $0 == " " }) }
    }
}
