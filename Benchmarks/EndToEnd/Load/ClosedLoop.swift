/// Connections that each send a request, wait for the whole reply and send the next.
final class ClosedLoop: Load {
    private let client: HTTP1Client
    private let connectionCount: Int
    private let rampUp: Int
    private var startedAt: Int?

    /// - Parameter rampUp: nanoseconds over which the connections are started, evenly.
    init(port: UInt16, tls: TLSClient? = nil, connections: Int, request: ChatRequest, rampUp: Int = 0)
        throws(Failure)
    {
        client = try HTTP1Client(port: port, tls: tls, request: request)
        connectionCount = connections
        self.rampUp = rampUp
        client.connectionBecameFree = { [unowned client] connection throws(Failure) in
            try client.send(on: connection)
        }
    }

    /// How many of the requests differ from each other.
    var distinctCount: Int { client.distinctCount }

    var totals: Totals {
        get { client.totals }
        set { client.totals = newValue }
    }

    func run(until deadline: Int) throws(Failure) {
        let start = startedAt ?? Clock.now()
        startedAt = start
        while Clock.now() < deadline {
            var next = deadline
            while client.connections.count < connectionCount {
                let due = start + rampUp * client.connections.count / connectionCount
                if due > Clock.now() {
                    next = min(deadline, due)
                    break
                }
                try client.send(on: client.makeConnection())
            }
            try client.poll(until: next)
        }
    }
}
