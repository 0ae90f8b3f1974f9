internal import Glibc

/// Limits of the process, which its children inherit.
enum Limits {
    /// Descriptors of a process that are not connections of streams.
    private static let spareFileCount = 500

    /// Raises the number of open files to what the system allows and returns it.
    static func raiseOpenFiles() -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1_024 }
        limit.rlim_cur = limit.rlim_max
        unsafe _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(clamping: limit.rlim_cur)
    }

    /// Takes back the number of streams to what open files allow: each is two of the proxy's.
    static func fit(_ settings: Settings) -> Settings {
        var settings = settings
        let streamCountMax = max(1, (raiseOpenFiles() - spareFileCount) / 2)
        if settings.silentStreamCount > streamCountMax {
            Terminal.note("note: \(streamCountMax) silent streams: more would need more open files (ulimit -Hn)")
            settings.silentStreamCount = streamCountMax
        }
        return settings
    }

    /// Lets waits end when they should, and not up to 50 µs later (proc(5), `timerslack_ns`). Without it, less exact.
    static func minimiseTimerSlack() { try? Files.write("1", to: "/proc/self/timerslack_ns") }
}
