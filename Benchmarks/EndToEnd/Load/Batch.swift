/// So many requests, each on a connection of its own, started together or a few at a time, and kept until the batch goes.
final class Batch {
    enum Goal {
        /// A request is done when its stream has begun; the streams stay open.
        case firstEvent
        case completeReply
    }

    private let client: HTTP1Client
    private let count: Int
    private let pendingMax: Int
    /// How many have reached the goal.
    private(set) var doneCount = 0

    /// - Parameter pendingMax: how many may be under way, not yet done, at a time.
    init(port: UInt16, count: Int, pendingMax: Int, request: ChatRequest, goal: Goal) throws(Failure) {
        client = try HTTP1Client(port: port, tls: nil, request: request)
        self.count = count
        self.pendingMax = pendingMax
        switch goal {
        case .firstEvent:
            client.streamStarted = { [unowned self] _ in self.doneCount += 1 }
        case .completeReply:
            client.connectionBecameFree = { [unowned self] _ throws(Failure) in self.doneCount += 1 }
        }
    }

    var totals: Totals { client.totals }

    /// Starts them all and waits until all are done.
    ///
    /// - Throws: `Failure` when one failed, or when not all are done by `deadline`.
    func run(until deadline: Int) throws(Failure) {
        while doneCount < count {
            while client.connections.count < count && client.connections.count - doneCount < pendingMax {
                try client.send(on: client.makeConnection())
            }
            try client.poll(until: deadline)
            if let failure = totals.firstFailure { throw Failure("\(totals.failed) of \(count) failed: \(failure)") }
            if Clock.now() >= deadline { throw Failure("only \(doneCount) of \(count) were done in time") }
        }
    }

    /// Keeps what is open open, reading what comes.
    func hold(until deadline: Int) throws(Failure) {
        while Clock.now() < deadline { try client.poll(until: deadline) }
        if let failure = totals.firstFailure { throw Failure("\(totals.failed) of \(count) were lost: \(failure)") }
    }
}
