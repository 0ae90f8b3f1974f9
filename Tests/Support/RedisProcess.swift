internal import Foundation
internal import Synchronization

/// A real `redis-server` on a free port of 127.0.0.1, which a test kills, stops and fills as it likes.
///
/// Nothing is written to disk but the configuration of sentinels and clusters, in a directory of its own that goes with it.
package final class RedisProcess: Sendable {
    package struct Failure: Error { package let message: String }

    /// For plain connections. They go without a password unless `options` says otherwise.
    package let port: UInt16
    package let directory: String
    private let arguments: [String]
    private let password: String?
    private let process = Mutex<Process?>(nil)

    /// Starts a server and waits until it answers.
    ///
    /// - Parameters:
    ///   - options: as in its configuration file, each with two hyphens in front.
    ///   - file: the lines of a configuration file, for a sentinel, which insists on one.
    ///   - password: what the default user has to say.
    package init(
        port: UInt16 = FreePort.next(), _ options: [String] = [], file: [String]? = nil, password: String? = nil
    ) throws {
        self.port = port
        self.password = password
        directory = NSTemporaryDirectory() + "sluice-redis-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let common = ["--port", "\(port)", "--bind", "127.0.0.1", "--dir", directory, "--loglevel", "warning"]
        if let file {
            let path = directory + "/redis.conf"
            try file.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
            arguments = [path] + common + options
        } else {
            let unsaved = ["--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0"]
            arguments =
                common + unsaved + options + (password.map { ["--requirepass", $0, "--masterauth", $0] } ?? [])
        }
        try start()
    }

    deinit { remove() }

    /// Starts it, again after `kill()`, on the same port and with nothing in it.
    package func start() throws {
        let fresh = Process()
        fresh.executableURL = URL(fileURLWithPath: "/usr/bin/redis-server")
        fresh.arguments = arguments
        fresh.standardOutput = FileHandle(forWritingAtPath: "/dev/null")
        fresh.standardError = FileHandle(forWritingAtPath: "/dev/null")
        try fresh.run()
        Leftovers.add(fresh.processIdentifier)
        process.withLock { $0 = fresh }
        let deadline = ContinuousClock.now + .seconds(30)
        while .now < deadline {
            let answer = ask("PING")
            // One that needs another user's password answers as well.
            if answer.hasPrefix("+PONG") || answer.hasPrefix("-NOAUTH") { return }
            if !fresh.isRunning { throw Failure(message: "redis-server ended at once: \(arguments)") }
            usleep(5000)
        }
        throw Failure(message: "redis-server does not answer")
    }

    /// Runs one command on a connection of its own.
    ///
    /// - Returns: the first part of the reply as it is sent, up to 64 KB; empty if there is none within two seconds.
    @discardableResult package func ask(_ command: String) -> String {
        let before = password.map { "AUTH \($0)\r\n" } ?? ""
        guard let answer = BlockingSocket(port: port)?.ask(before + command + "\r\n", replies: before.isEmpty ? 1 : 2)
        else { return "" }
        guard !before.isEmpty, let line = answer.range(of: "\r\n") else { return answer }
        return String(answer[line.upperBound...])
    }

    /// Stops it as a debugger does: connections stay, nothing is answered. It has stopped when this returns.
    package func pause() {
        signal(SIGSTOP)
        guard let pid = process.withLock({ $0?.processIdentifier }) else { return }
        for _ in 0..<10_000 where !Self.isStopped(pid) { usleep(100) }
    }

    /// What follows the name, which stands in parentheses, is the state (proc_pid_stat(5)).
    private static func isStopped(_ pid: Int32) -> Bool {
        let text = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
        return text.split(separator: ")").last?.hasPrefix(" T") ?? true
    }

    package func resume() { signal(SIGCONT) }

    /// Ends it without a farewell, and waits for that.
    package func kill() {
        signal(SIGKILL)
        process.withLock { process in
            process?.waitUntilExit()
            if let pid = process?.processIdentifier { Leftovers.remove(pid) }
            process = nil
        }
    }

    package func remove() {
        kill()
        try? FileManager.default.removeItem(atPath: directory)
    }

    private func signal(_ number: Int32) {
        process.withLock { process in
            if let process { _ = Glibc.kill(process.processIdentifier, number) }
        }
    }
}

/// Ports that nobody listens on, each given once in this process.
///
/// They are below those that the system gives to whoever does not ask for one, to connections as well
/// (`net.ipv4.ip_local_port_range`): nobody gets one between the look and the server's start.
package enum FreePort {
    private static let given = Mutex<Set<UInt16>>([])
    private static let range: ClosedRange<UInt16> = 10_000...15_999

    package static func next() -> UInt16 {
        while true {
            let port = UInt16.random(in: range)
            if BlockingSocket.isFree(port), given.withLock({ $0.insert(port).inserted }) { return port }
        }
    }
}

/// Servers that are to be gone when the tests are.
private enum Leftovers {
    private static let pids = Mutex<Set<Int32>>([])
    private static let isArmed: Bool = {
        atexit { for pid in Leftovers.pids.withLock({ $0 }) { _ = Glibc.kill(pid, SIGKILL) } }
        return true
    }()

    static func add(_ pid: Int32) {
        _ = isArmed
        _ = pids.withLock { $0.insert(pid) }
    }

    static func remove(_ pid: Int32) { _ = pids.withLock { $0.remove(pid) } }
}

/// One blocking connection to 127.0.0.1.
private struct BlockingSocket: ~Copyable {
    private let fd: Int32

    init?(port: UInt16) {
        fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var limit = timeval(tv_sec: 2, tv_usec: 0)
        unsafe setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        unsafe setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = Self.loopback(port)
        let isConnected = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        if !isConnected { return nil }
    }

    deinit { close(fd) }

    func ask(_ text: String, replies: Int) -> String {
        let bytes = Array(text.utf8)
        _ = unsafe send(fd, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        var answer: [UInt8] = []
        var space = [UInt8](repeating: 0, count: 65_536)
        while answer.count(where: { $0 == UInt8(ascii: "\n") }) < replies {
            let count = unsafe recv(fd, &space, space.count, 0)
            if count <= 0 { break }
            answer += space[..<count]
        }
        return String(decoding: answer, as: UTF8.self)
    }

    static func isFree(_ port: UInt16) -> Bool {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(fd) }
        var address = loopback(port)
        return unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}
