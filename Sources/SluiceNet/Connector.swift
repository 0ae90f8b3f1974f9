internal import CLinux
package import SluiceCore

/// Opens a connection to the first of several addresses that answers (RFC 8305, "Happy Eyeballs").
///
/// Attempts start 250 ms apart, or at once when one has failed; the first that stands wins and the others are closed.
package final class Connector: TimerTarget {
    private final class Attempt: EventHandler {
        unowned let connector: Connector
        let fd: Int32
        var registration: Registration?
        init(_ connector: Connector, fd: Int32) {
            self.connector = connector
            self.fd = fd
        }
        func ready(_ readiness: Readiness) { connector.attemptReady(self, readiness) }
    }

    package struct Failure: Error {
        /// The last error met; `nil` when time ran out.
        package let error: SystemError?
    }

    private static let attemptDelay = Duration.milliseconds(250)

    private let loop: EventLoop
    private var addresses: ArraySlice<SocketAddress>
    private let deadline: Instant
    private var attempts: [Attempt] = []
    private var lastError: SystemError?
    private var timer: LoopTimer?
    private let result = Waiter<Result<Transport, Failure>>()

    private init(loop: EventLoop, addresses: [SocketAddress], deadline: Instant) {
        self.loop = loop
        self.addresses = addresses[...]
        self.deadline = deadline
    }

    /// - Parameter deadline: when all attempts together have had their time.
    package static func connect(
        to addresses: [SocketAddress], by deadline: Instant, on loop: EventLoop
    ) async throws(Failure) -> Transport {
        let connector = Connector(loop: loop, addresses: addresses, deadline: deadline)
        connector.timer = LoopTimer(target: connector)
        connector.startNext()
        let result = await connector.result.wait()
        if let timer = connector.timer { loop.remove(timer) }
        return try result.get()
    }

    private func startNext() {
        while let address = addresses.popFirst() {
            do {
                let (fd, isConnected) = try Socket.connect(to: address)
                let attempt = Attempt(self, fd: fd)
                attempt.registration = try register(attempt)
                attempts.append(attempt)
                if isConnected { return succeed(attempt, Readiness(bits: 0)) }
                return armTimer()
            } catch {
                lastError = error
            }
        }
        if attempts.isEmpty { finish(.failure(Failure(error: lastError))) } else { armTimer() }
    }

    private func register(_ attempt: Attempt) throws(SystemError) -> Registration {
        do {
            return try loop.register(attempt.fd, attempt)
        } catch {
            Socket.close(attempt.fd)
            throw error
        }
    }

    private func armTimer() {
        guard let timer else { return }
        let next = addresses.isEmpty ? deadline : min(loop.now + Self.attemptDelay, deadline)
        timer.disarm()
        loop.arm(timer, at: next)
    }

    package func timerFired(_ timer: LoopTimer) {
        if loop.now >= deadline { return finish(.failure(Failure(error: nil))) }
        startNext()
    }

    private func attemptReady(_ attempt: Attempt, _ readiness: Readiness) {
        guard readiness.isWritable else { return }
        if let error = Socket.pendingError(attempt.fd) {
            lastError = error
            discard(attempt)
            attempts.removeAll { $0 === attempt }
            return startNext()
        }
        succeed(attempt, readiness)
    }

    private func succeed(_ attempt: Attempt, _ readiness: Readiness) {
        guard let registration = attempt.registration else { return }
        attempts.removeAll { $0 === attempt }
        finish(.success(Transport(loop: loop, fd: attempt.fd, registration: registration, readiness: readiness)))
    }

    private func finish(_ outcome: Result<Transport, Failure>) {
        for attempt in attempts { discard(attempt) }
        attempts = []
        addresses = []
        result.fulfil(outcome)
    }

    private func discard(_ attempt: Attempt) {
        if let registration = attempt.registration { loop.forget(registration) }
        Socket.close(attempt.fd)
    }
}
