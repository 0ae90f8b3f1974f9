internal import CLinux
internal import Glibc

/// An epoll instance, level-triggered, with waits in nanoseconds: an open loop at a fixed rate needs better than 1 ms.
@safe final class Poller {
    private static let batchSize = 512

    private let descriptor: Int32
    private let events: UnsafeMutablePointer<epoll_event>

    init() throws(Failure) {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        unsafe events = .allocate(capacity: Self.batchSize)
        guard descriptor >= 0 else { throw Failure("epoll_create1: \(SystemError.last)") }
    }

    deinit {
        close(descriptor)
        unsafe events.deallocate()
    }

    /// Watches a descriptor for input, and for room to write if asked; `token` comes back with each event.
    func add(_ file: Int32, token: Int, forWriting: Bool) throws(Failure) {
        try control(EPOLL_CTL_ADD, file, token, forWriting)
    }

    func change(_ file: Int32, token: Int, forWriting: Bool) throws(Failure) {
        try control(EPOLL_CTL_MOD, file, token, forWriting)
    }

    /// Waits until something is ready or the clock says `deadline`. Read the tokens with `token(at:)`.
    func wait(until deadline: Int) -> Int {
        let timeout = max(0, deadline - Clock.now())
        var time = timespec(tv_sec: timeout / Clock.second, tv_nsec: timeout % Clock.second)
        let count = unsafe epoll_pwait2(descriptor, events, Int32(Self.batchSize), &time, nil)
        return max(0, Int(count))
    }

    func token(at index: Int) -> Int { unsafe Int(events[index].data.u64) }

    private func control(_ operation: Int32, _ file: Int32, _ token: Int, _ forWriting: Bool) throws(Failure) {
        var event = unsafe epoll_event()
        unsafe event.events = EPOLLIN.rawValue | (forWriting ? EPOLLOUT.rawValue : 0)
        unsafe event.data.u64 = UInt64(token)
        guard unsafe epoll_ctl(descriptor, operation, file, &event) == 0 else {
            throw Failure("epoll_ctl: \(SystemError.last)")
        }
    }
}
