import Foundation

/// Applications that ask one question after another on connections that they keep, as HTTP clients do: a kept connection that was
/// closed before anything of a reply came is no failure, the request goes out once more on a new one (RFC 9110 §9.2.2); whoever is
/// refused a connection goes to the next address.
final class Load: @unchecked Sendable {
    struct Totals: Sendable {
        var answered = 0
        /// Sent once more, on a new connection.
        var repeated = 0
        var failures: [String] = []
    }

    private let ports: [UInt16]
    private let lock = NSLock()
    private var isStopped = false
    private var totals = Totals()
    private var workers: [Background<Bool>] = []

    init(_ ports: [UInt16], connections: Int = 6) {
        self.ports = ports
        for _ in 0..<connections {
            workers.append(
                Background { [self] in
                    run()
                    return true
                })
        }
    }

    var soFar: Totals { lock.withLock { totals } }

    /// Waits until so many more requests have been answered.
    func more(_ count: Int) throws {
        let goal = soFar.answered + count
        let deadline = Patience.deadline
        while soFar.answered < goal {
            if .now > deadline { throw TimedOut("\(count) more answers; so far \(soFar)") }
            usleep(2000)
        }
    }

    func stop() throws -> Totals {
        lock.withLock { isStopped = true }
        for worker in workers { try worker.value() }
        return soFar
    }

    private func run() {
        var kept: Wire?
        while !lock.withLock({ isStopped }) {
            do {
                kept = try once(kept)
            } catch {
                kept = nil
                lock.withLock { totals.failures.append("\(error)") }
            }
        }
    }

    /// - Returns: the connection, if it stays.
    private func once(_ kept: Wire?) throws -> Wire? {
        if let kept {
            do {
                return try exchange(on: kept)
            } catch let failure as Wire.Failure where kept.buffer.isEmpty && (failure == .reset || failure == .ended) {
                lock.withLock { totals.repeated += 1 }
            }
        }
        return try exchange(on: try connect())
    }

    private func connect() throws -> Wire {
        for port in ports.dropLast() { if let wire = try? Wire(port: port) { return wire } }
        return try Wire(port: ports[ports.count - 1])
    }

    private func exchange(on wire: Wire) throws -> Wire? {
        let reply = try wire.chat()
        guard reply.status == 200, reply.text == Sample.completion else { throw WrongReply(reply: reply.head) }
        lock.withLock { totals.answered += 1 }
        return reply["connection"] == "close" ? nil : wire
    }

    struct WrongReply: Error { let reply: String }
}
