internal import CLinux
internal import Glibc

/// Signals as events of a loop (signalfd).
package final class Signals: EventHandler {
    private let fd: Int32
    private let received: (Int32) -> Void

    /// Has the signals delivered to `received` on the loop from now on.
    ///
    /// Call `block` for them before any other thread is started: a thread that does not block a signal may be killed by it.
    package init(_ signals: [Int32], on loop: EventLoop, received: @escaping (Int32) -> Void) throws(SystemError) {
        var set = Self.set(signals)
        fd = unsafe signalfd(-1, &set, Int32(SFD_NONBLOCK | SFD_CLOEXEC))
        if fd < 0 { throw SystemError("signalfd") }
        self.received = received
        _ = try loop.register(fd, self)
    }

    /// Keeps the signals from being delivered to this thread and those it starts; a closed pipe is an error and not a signal.
    package static func block(_ signals: [Int32]) {
        var set = set(signals)
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    package func ready(_ readiness: Readiness) {
        while true {
            var info = signalfd_siginfo()
            let size = MemoryLayout<signalfd_siginfo>.size
            guard unsafe read(fd, &info, size) == size else { return }
            received(Int32(info.ssi_signo))
        }
    }

    private static func set(_ signals: [Int32]) -> sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in signals { unsafe sigaddset(&set, signal) }
        return set
    }
}
