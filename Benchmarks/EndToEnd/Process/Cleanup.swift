internal import CLinux
internal import Glibc
internal import Synchronization

/// What must be gone when the benchmark ends, however it ends: processes, by id, and the temporary directory.
enum Cleanup {
    private struct Owned {
        var processes: [pid_t] = []
        var directory: String?
        /// Control groups: directories that can be removed once they are empty of processes.
        var groups: [String] = []
    }

    private static let owned = Mutex(Owned())

    /// Starts a process and remembers it in one step, so that a signal in between cannot leave it behind.
    static func start(_ spawn: () throws(Failure) -> pid_t) throws(Failure) -> pid_t {
        try owned.withLock { owned throws(Failure) in
            let process = try spawn()
            owned.processes.append(process)
            return process
        }
    }

    static func unregister(process: pid_t) { owned.withLock { $0.processes.removeAll { $0 == process } } }

    static func register(group: String) { owned.withLock { $0.groups.append(group) } }

    static func unregister(group: String) { owned.withLock { $0.groups.removeAll { $0 == group } } }

    static func register(directory: String) { owned.withLock { $0.directory = directory } }

    /// Kills every registered process with its children and removes the directory.
    static func run() {
        owned.withLock { owned in
            for process in owned.processes {
                for member in ProcessTree.members(of: process) { kill(member, SIGKILL) }
                waitpid(process, nil, 0)
            }
            owned.processes = []
            for group in owned.groups { unsafe _ = rmdir(group) }
            owned.groups = []
            if let directory = owned.directory { Files.removeAll(directory) }
            owned.directory = nil
        }
    }

    /// From now on SIGINT, SIGTERM and SIGHUP clean up and end the benchmark. Call it first, on the main thread: the
    /// signals are blocked in this thread and all later ones, and a thread of their own waits for them.
    static func handleSignals() throws(Failure) {
        var signals = stoppingSignals()
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
        var thread = pthread_t()
        let result = unsafe pthread_create(
            &thread, nil,
            { _ in
                var signals = Cleanup.stoppingSignals()
                var number: Int32 = 0
                unsafe _ = sigwait(&signals, &number)
                Cleanup.run()
                exit(128 + number)
            }, nil)
        guard result == 0 else { throw Failure("pthread_create: \(unsafe String(cString: strerror(result)))") }
    }

    private static func stoppingSignals() -> sigset_t {
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        for number in [SIGINT, SIGTERM, SIGHUP] { unsafe sigaddset(&signals, number) }
        return signals
    }
}
