internal import CLinux
internal import Glibc
internal import Synchronization

/// What other threads ask of a loop, and the descriptor that wakes it: one write for all that is posted until it looks.
@safe final class Mailbox: Sendable {
    struct Mail {
        var jobs: [UnownedJob] = []
        var closures: [@Sendable () -> Void] = []
        fileprivate var isSignalled = false
    }

    /// Readable while there is mail (eventfd(2)).
    let fd: Int32
    private let mail = Mutex(Mail())

    init() throws(SystemError) {
        fd = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        if fd < 0 { throw SystemError("eventfd") }
    }

    deinit { close(fd) }

    func post(_ job: UnownedJob) { add { $0.jobs.append(job) } }

    func post(_ closure: @escaping @Sendable () -> Void) { add { $0.closures.append(closure) } }

    private func add(_ change: (inout Mail) -> Void) {
        let mustSignal = mail.withLock { mail in
            change(&mail)
            defer { mail.isSignalled = true }
            return !mail.isSignalled
        }
        if mustSignal { signal() }
    }

    private func signal() {
        var one: UInt64 = 1
        _ = unsafe write(fd, &one, 8)
    }

    /// Everything posted since the last call.
    func take() -> Mail {
        var count: UInt64 = 0
        _ = unsafe read(fd, &count, 8)
        return mail.withLock { mail in
            let taken = mail
            mail = Mail()
            return taken
        }
    }
}
