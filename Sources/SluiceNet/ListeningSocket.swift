internal import SluiceCore

/// A listening socket on a loop: hands over what it accepts.
package final class ListeningSocket: EventHandler, TimerTarget {
    private let loop: EventLoop
    package let fd: Int32
    private var registration: Registration?
    private let accepted: (_ fd: Int32, _ peer: SocketAddress) -> Void
    private var pause: LoopTimer?

    /// How many connections one turn takes, so that a burst of connects does not starve those that are served.
    private static let acceptsAtMost = 64
    /// How long it waits when the process has no descriptor left.
    private static let exhaustedPause = Duration.milliseconds(50)

    package init(
        loop: EventLoop, fd: Int32, accepted: @escaping (_ fd: Int32, _ peer: SocketAddress) -> Void
    ) throws(SystemError) {
        self.loop = loop
        self.fd = fd
        self.accepted = accepted
        registration = try loop.register(fd, self, isListening: true)
    }

    package func ready(_ readiness: Readiness) { _ = acceptSome() }

    /// - Returns: whether more may wait.
    private func acceptSome() -> Bool {
        for _ in 0..<Self.acceptsAtMost {
            switch Socket.accept(fd) {
            case .connection(let connection, let peer): accepted(connection, peer)
            case .wouldBlock: return false
            case .exhausted, .failed:
                waitForDescriptors()
                return false
            }
        }
        return true
    }

    private func waitForDescriptors() {
        guard let registration else { return }
        loop.deregister(fd, registration)
        self.registration = nil
        let timer = pause ?? LoopTimer(target: self)
        pause = timer
        loop.arm(timer, after: Self.exhaustedPause)
    }

    package func timerFired(_ timer: LoopTimer) {
        registration = try? loop.register(fd, self, isListening: true)
        if registration == nil { loop.arm(timer, after: Self.exhaustedPause) }
    }

    /// Takes what waits to be accepted, then stops listening.
    ///
    /// - Parameter keepsOpen: another process accepts from the same socket; what waits is left to it.
    package func close(keepsOpen: Bool) {
        if !keepsOpen, registration != nil { while acceptSome() {} }
        if let registration { loop.deregister(fd, registration) }
        registration = nil
        if let pause { loop.remove(pause) }
        Socket.close(fd)
    }
}
