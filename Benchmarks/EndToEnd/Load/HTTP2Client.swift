/// Closed-loop load over HTTP/2: connections with so many streams each, every stream replaced as it ends.
final class HTTP2Client: Load {
    var totals = Totals()
    private let poller: Poller
    private let connections: [HTTP2Connection]
    private let buffer = ReadBuffer()

    /// - Parameter tls: with ALPN for `h2`; without it, prior knowledge over plain TCP.
    init(port: UInt16, tls: TLSClient?, connections count: Int, streams: Int, request: ChatRequest) throws(Failure) {
        poller = try Poller()
        var connections: [HTTP2Connection] = []
        for token in 0..<count {
            let channel = try Channel(port: port, tls: tls)
            try poller.add(channel.file, token: token, forWriting: false)
            connections.append(
                try HTTP2Connection(channel: channel, port: port, isSecure: tls != nil, streams: streams, request))
        }
        self.connections = connections
    }

    deinit { for connection in connections { connection.channel.reset() } }

    func run(until deadline: Int) throws(Failure) {
        for connection in connections where !connection.isStarted { try connection.start() }
        while Clock.now() < deadline {
            let count = poller.wait(until: deadline)
            for index in 0..<count { try serve(poller.token(at: index)) }
        }
    }

    private func serve(_ token: Int) throws(Failure) {
        let (connection, buffer) = (connections[token], self.buffer)
        while true {
            if connection.channel.hasPendingOutput { _ = connection.channel.flush() }
            switch connection.channel.read(into: buffer) {
            case .bytes(let count):
                try connection.receive(buffer.prefix(count), &totals)
                try poller.change(connection.channel.file, token: token, forWriting: connection.waitsForRoom)
                if count < buffer.capacity && !connection.channel.mayHoldMore { return }
            case .wouldBlock:
                if connection.channel.hasPendingOutput { _ = connection.channel.flush() }
                return
            case .closed:
                throw Failure("an HTTP/2 connection was closed")
            }
        }
    }
}
