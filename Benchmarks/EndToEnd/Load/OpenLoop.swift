/// Requests at a fixed rate, whatever becomes of the ones before: a slow proxy does not slow the schedule down.
///
/// Latency counts from when a request was due, so what waits behind a stall is counted too (coordinated omission).
final class OpenLoop: Load {
    private static let connectionCountMax = 4_096

    private let client: HTTP1Client
    private let interval: Int
    private var idle: [HTTP1Connection] = []
    private var nextDue: Int?
    /// When those were due for which no connection was left.
    private var unsent: [Int] = []

    /// - Parameter connections: opened beforehand and used in turn; more are opened while all are busy.
    init(port: UInt16, ratePerSecond: Int, connections: Int, request: ChatRequest) throws(Failure) {
        client = try HTTP1Client(port: port, tls: nil, request: request)
        interval = Clock.second / ratePerSecond
        for _ in 0..<connections {
            let connection = client.makeConnection()
            try client.connect(connection)
            idle.append(connection)
        }
        client.connectionBecameFree = { [unowned self] connection throws(Failure) in self.idle.append(connection) }
    }

    var totals: Totals {
        get { client.totals }
        set { client.totals = newValue }
    }

    func run(until deadline: Int) throws(Failure) {
        var due = nextDue ?? Clock.now()
        while due < deadline {
            while due <= Clock.now() && due < deadline {
                try send(dueAt: due)
                due += interval
            }
            try client.poll(until: min(due, deadline))
        }
        nextDue = due
    }

    /// Records only what is due from now on, and says how many requests will have been due by `deadline`.
    func startRecording(until deadline: Int) -> Int {
        let start = nextDue ?? Clock.now()
        client.recordsFrom = start
        return max(0, (deadline - start + interval - 1) / interval)
    }

    /// Sends nothing more and waits for what is under way.
    func drain(until deadline: Int) throws(Failure) {
        while Clock.now() < deadline && idle.count < client.connections.count { try client.poll(until: deadline) }
    }

    /// Counts what was not answered as answered now: left out, it would make a proxy that is too slow look fast.
    func recordUnanswered() {
        let now = Clock.now()
        for connection in client.connections where connection.isBusy && connection.dueAt >= client.recordsFrom {
            client.totals.latency.record(now - connection.dueAt)
        }
        for due in unsent where due >= client.recordsFrom { client.totals.latency.record(now - due) }
        unsent = []
    }

    private func send(dueAt due: Int) throws(Failure) {
        if !idle.isEmpty {
            try client.send(on: idle.removeFirst(), dueAt: due)
        } else if client.connections.count < Self.connectionCountMax {
            try client.send(on: client.makeConnection(), dueAt: due)
        } else {
            unsent.append(due)
        }
    }
}
