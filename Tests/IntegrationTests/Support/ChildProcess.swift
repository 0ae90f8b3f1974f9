import CSystem
import Foundation
import Glibc

/// A program that the tests have started, and end by its process id.
final class ChildProcess: @unchecked Sendable {
    struct NotStarted: Error { let code: Int32 }

    let pid: pid_t
    let output = Output()
    let errors = Output()
    private let exit = Recorder<Int32>()

    /// - Parameter inherited: a descriptor that the program finds as number 3.
    init(_ path: String, _ arguments: [String], environment: [String: String], inherited: Int32? = nil) throws {
        let out = try Self.pipe()
        let error = try Self.pipe()
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, out.write, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, error.write, 2)
        if let inherited { unsafe posix_spawn_file_actions_adddup2(&actions, inherited, 3) }
        unsafe posix_spawn_file_actions_addclosefrom_np(&actions, inherited == nil ? 3 : 4)
        pid = unsafe try Self.spawn(path, arguments, environment, &actions)
        _ = Glibc.close(out.write)
        _ = Glibc.close(error.write)
        output.read(out.read)
        errors.read(error.read)
        Thread.detachNewThread { [pid, exit] in
            var status: Int32 = 0
            while unsafe waitpid(pid, &status, 0) < 0 && errno == EINTR {}
            exit.record(status)
        }
    }

    deinit { kill() }

    private static func pipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        if unsafe pipe2(&ends, O_CLOEXEC) != 0 { throw NotStarted(code: errno) }
        return (ends[0], ends[1])
    }

    private static func spawn(
        _ path: String, _ arguments: [String], _ environment: [String: String],
        _ actions: UnsafeMutablePointer<posix_spawn_file_actions_t>
    ) throws -> pid_t {
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // Test runners block signals on their threads; the program must not inherit that.
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var argv = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
        var envp = unsafe environment.map { unsafe strdup("\($0)=\($1)") } + [nil]
        defer { for unsafe text in unsafe argv + envp { unsafe free(text) } }
        var pid: pid_t = 0
        let code = unsafe posix_spawn(&pid, path, actions, &attributes, &argv, &envp)
        if code != 0 { throw NotStarted(code: code) }
        return pid
    }

    // MARK: Ends

    var isRunning: Bool { exit.all.isEmpty }

    func signal(_ number: Int32) { if isRunning { _ = Glibc.kill(pid, number) } }

    private func kill() { signal(SIGKILL) }

    /// Waits for the end.
    ///
    /// - Returns: the exit status; 128 and the number of the signal that ended it.
    func exitStatus(within patience: Duration = Patience.usual) throws -> Int32 {
        let status = try exit.first("the end of process \(pid)", within: patience)
        return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
    }
}

/// What a program writes on one of its descriptors, line by line.
final class Output: Sendable {
    let lines = Recorder<String>()
    private let end = Recorder<Bool>()

    fileprivate func read(_ fd: Int32) {
        Thread.detachNewThread { [self] in
            var pending: [UInt8] = []
            var space = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = unsafe Glibc.read(fd, &space, space.count)
                if count < 0, errno == EINTR { continue }
                if count <= 0 { break }
                pending += space.prefix(count)
                while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                    lines.record(String(decoding: pending[..<end], as: UTF8.self))
                    pending.removeFirst(end + 1)
                }
            }
            if !pending.isEmpty { lines.record(String(decoding: pending, as: UTF8.self)) }
            _ = Glibc.close(fd)
            end.record(true)
        }
    }

    /// Everything, once the program has ended.
    func text() throws -> String {
        try end.first("the end of the output")
        return lines.all.joined(separator: "\n")
    }
}

/// Runs a program to its end.
enum Tool {
    struct Outcome {
        let status: Int32
        let output: String
        let errors: String
    }

    static func find(_ name: String) -> String? {
        ["/usr/bin/", "/usr/local/bin/", "/usr/sbin/"].map { $0 + name }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    static func run(_ name: String, _ arguments: [String], within patience: Duration = Patience.usual) throws -> Outcome {
        guard let path = find(name) else { throw ChildProcess.NotStarted(code: ENOENT) }
        let process = try ChildProcess(path, arguments, environment: ["PATH": "/usr/bin:/bin", "HOME": "/nonexistent"])
        let status = try process.exitStatus(within: patience)
        return Outcome(
            status: status, output: try process.output.text(), errors: try process.errors.text())
    }
}
