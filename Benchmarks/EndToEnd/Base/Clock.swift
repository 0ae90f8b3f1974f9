internal import Glibc

/// Time as nanoseconds of the monotonic clock, in an `Int`: it is only ever subtracted and compared.
enum Clock {
    static let millisecond = 1_000_000
    static let second = 1_000_000_000

    static func now() -> Int { read(CLOCK_MONOTONIC) ?? 0 }

    /// User and system time that a process and all its threads, living and ended, have used; `nil` once it is gone.
    static func processorTime(of process: pid_t) -> Int? {
        var clock = clockid_t()
        guard unsafe clock_getcpuclockid(process, &clock) == 0 else { return nil }
        return read(clock)
    }

    static func sleep(_ nanoseconds: Int) {
        var wanted = timespec(tv_sec: nanoseconds / second, tv_nsec: nanoseconds % second)
        var remaining = timespec()
        while unsafe nanosleep(&wanted, &remaining) == -1 && errno == EINTR { wanted = remaining }
    }

    private static func read(_ clock: clockid_t) -> Int? {
        var time = timespec()
        guard unsafe clock_gettime(clock, &time) == 0 else { return nil }
        return time.tv_sec * second + time.tv_nsec
    }
}
