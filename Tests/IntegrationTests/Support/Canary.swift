import Foundation

/// An honest application beside an attack: a question after another, each on a connection of its own.
final class Canary: @unchecked Sendable {
    private let lock = NSLock()
    private var isStopped = false
    private var durations: [Duration] = []
    private var failures: [String] = []
    private var work: Background<Bool>?

    init(_ sluice: SluiceProcess) {
        let port = sluice.ports[0]
        work = Background { [self] in
            while !lock.withLock({ isStopped }) {
                let start = ContinuousClock.now
                var failure: String?
                do {
                    let reply = try Wire(port: port).chat()
                    if reply.status != 200 || reply.text != Sample.completion { failure = reply.head }
                } catch {
                    failure = "\(error)"
                }
                lock.withLock {
                    durations.append(.now - start)
                    if let failure { failures.append(failure) }
                }
                usleep(5000)
            }
            return true
        }
    }

    /// - Returns: how many were answered, the longest wait, and what went wrong.
    func stop() throws -> (answered: Int, longest: Duration, failures: [String]) {
        lock.withLock { isStopped = true }
        try work?.value()
        return lock.withLock { (durations.count - failures.count, durations.max() ?? .zero, failures) }
    }
}
