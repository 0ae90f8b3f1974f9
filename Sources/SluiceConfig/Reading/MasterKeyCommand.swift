internal import CLinux
internal import Glibc
package import SluiceCore

/// Runs the command that fetches a master key: a program and its arguments from the configuration file, no shell, nothing of a
/// request in them, an environment of the variables named, and bounds on its time and its output.
package struct MasterKeyCommand: Sendable, Hashable {
    /// The program's absolute path, and its arguments.
    package var arguments: [String]
    /// Names of the variables that are handed on, beside PATH.
    package var variables: [String] = []
    package var timeout = Duration.seconds(10)

    /// The longest output read, in bytes.
    static let outputByteCountMax = 16 << 10
    private static let path = "PATH=/usr/local/bin:/usr/bin:/bin"
    private static let childLookMilliseconds: Int32 = 10

    package init(arguments: [String]) { self.arguments = arguments }

    /// Why there is no key. Nothing that the command wrote is repeated: it may be the key, or a part of it.
    package enum Failure: Error, Equatable, CustomStringConvertible {
        case notStarted(Int32)
        case timedOut
        case tooLong
        case failed(status: Int32)
        case killed(signal: Int32)

        package var description: String {
            switch self {
            case .notStarted(let number): "the command cannot be started (error \(number))"
            case .timedOut: "the command did not end in time"
            case .tooLong: "the command wrote more than \(MasterKeyCommand.outputByteCountMax) bytes"
            case .failed(let status): "the command ended with status \(status); run it by hand to see why"
            case .killed(let signal): "the command was ended by signal \(signal)"
            }
        }
    }

    /// Runs it and waits: not on a worker. It is killed, with what it has started, when its time is over.
    package func run() throws(Failure) -> Secret {
        var ends: [Int32] = [-1, -1]
        if unsafe pipe2(&ends, O_CLOEXEC) != 0 { throw .notStarted(errno) }
        defer { close(ends[0]) }
        let child: pid_t
        do throws(Failure) {
            child = try spawn(output: ends[1])
        } catch {
            close(ends[1])
            throw error
        }
        close(ends[1])
        let deadline = Instant(nanoseconds: Self.clock()) + timeout
        let output = ByteBuffer(capacity: Self.outputByteCountMax + 1)
        defer { output.wipe() }
        do throws(Failure) {
            try Self.readAll(ends[0], into: output, until: deadline)
            try Self.wait(for: child, until: deadline)
        } catch {
            kill(-child, SIGKILL)
            var status: Int32 = 0
            while unsafe waitpid(child, &status, 0) < 0, errno == EINTR {}
            throw error
        }
        return Secret(output.span)
    }

    // MARK: Start

    private func spawn(output: Int32) throws(Failure) -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        unsafe posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        unsafe posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        // A group of its own, so that all of it can be killed; no signal blocked or ignored that we block or ignore.
        var none = sigset_t()
        unsafe sigemptyset(&none)
        var all = sigset_t()
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
        var child = pid_t()
        let result = unsafe Self.withPointers(arguments) { argv in
            guard let program = unsafe argv[0] else { return ENOENT }
            return unsafe Self.withPointers(environment) { environment in
                unsafe posix_spawn(&child, program, &actions, &attributes, argv, environment)
            }
        }
        if result != 0 { throw .notStarted(result) }
        return child
    }

    private var environment: [String] {
        [Self.path]
            + variables.compactMap { name in
                guard name != "PATH", let value = unsafe getenv(name) else { return nil }
                return unsafe name + "=" + String(cString: value)
            }
    }

    @unsafe private static func withPointers<Result>(
        _ texts: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers = unsafe texts.map { unsafe strdup($0) } + [nil]
        defer { for unsafe pointer in unsafe pointers { unsafe free(pointer) } }
        return unsafe body(&pointers)
    }

    // MARK: End

    private static func readAll(_ fd: Int32, into output: ByteBuffer, until deadline: Instant) throws(Failure) {
        while true {
            let left = deadline.nanoseconds - clock()
            if left <= 0 { throw .timedOut }
            var poller = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
            let ready = unsafe poll(&poller, 1, Int32(clamping: left / 1_000_000 + 1))
            if ready <= 0 { continue }
            var count = 0
            unsafe output.appendUnsafe(minimum: 1) { space in
                count = unsafe read(fd, space.baseAddress, min(space.count, outputByteCountMax))
                return max(0, count)
            }
            if output.count > outputByteCountMax { throw .tooLong }
            if count == 0 { return }
            if count < 0, errno != EINTR { throw .notStarted(errno) }
        }
    }

    private static func wait(for child: pid_t, until deadline: Instant) throws(Failure) {
        var status: Int32 = 0
        while true {
            let ended = unsafe waitpid(child, &status, WNOHANG)
            if ended == child { break }
            if ended < 0, errno != EINTR { throw .failed(status: -1) }
            if clock() >= deadline.nanoseconds { throw .timedOut }
            _ = poll(nil, 0, childLookMilliseconds)
        }
        let signal = status & 0x7F
        if signal != 0 { throw .killed(signal: signal) }
        let code = status >> 8 & 0xFF
        if code != 0 { throw .failed(status: code) }
    }

    private static func clock() -> Int64 {
        var now = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
    }
}
