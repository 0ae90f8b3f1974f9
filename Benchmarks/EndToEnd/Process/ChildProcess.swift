internal import CLinux
internal import Glibc

/// A process started by the benchmark, pinned to a core, its output in a file. It is known by its id alone.
final class ChildProcess {
    /// How long a process may take to end once asked.
    private static let terminationTimeMax = 5 * Clock.second

    let id: pid_t
    let logPath: String
    private var hasEnded = false

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - core: the core it may run on, with all its threads and children; `nil` for any.
    ///   - inherited: a descriptor that the program finds as descriptor 3.
    init(_ arguments: [String], core: Int?, logPath: String, inherited: Int32? = nil) throws(Failure) {
        self.logPath = logPath
        if let core { Processor.pin(to: core) }
        defer { if core != nil { Processor.unpin() } }
        id = try Cleanup.start { () throws(Failure) in
            try Self.spawn(arguments, logPath: logPath, inherited: inherited)
        }
    }

    deinit { terminate() }

    /// Whether it still runs. An ended process is waited for, so that it leaves no zombie.
    var isRunning: Bool {
        if hasEnded { return false }
        guard waitpid(id, nil, WNOHANG) == 0 else {
            Cleanup.unregister(process: id)
            hasEnded = true
            return false
        }
        return true
    }

    /// Asks it to end, and kills it and its children if it does not.
    func terminate() {
        guard isRunning else { return }
        let tree = ProcessTree.members(of: id)
        kill(id, SIGTERM)
        let deadline = Clock.now() + Self.terminationTimeMax
        while isRunning && Clock.now() < deadline { Clock.sleep(Clock.millisecond) }
        guard isRunning else { return }
        for member in tree { kill(member, SIGKILL) }
        while isRunning { Clock.sleep(Clock.millisecond) }
    }

    private static func spawn(_ arguments: [String], logPath: String, inherited: Int32?) throws(Failure) -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        unsafe posix_spawn_file_actions_init(&actions)
        unsafe posix_spawnattr_init(&attributes)
        defer {
            unsafe posix_spawn_file_actions_destroy(&actions)
            unsafe posix_spawnattr_destroy(&attributes)
        }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_addopen(&actions, 1, logPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
        if let inherited { unsafe posix_spawn_file_actions_adddup2(&actions, inherited, 3) }
        // The benchmark blocks signals that it waits for on a thread; its children must not.
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))

        var strings: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
        unsafe strings.append(nil)
        defer { unsafe strings.forEach { unsafe free($0) } }
        var id: pid_t = 0
        let result = unsafe posix_spawnp(&id, arguments[0], &actions, &attributes, strings, environ)
        guard result == 0 else {
            throw Failure("cannot start \(arguments[0]): \(unsafe String(cString: strerror(result)))")
        }
        return id
    }
}
