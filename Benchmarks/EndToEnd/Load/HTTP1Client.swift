/// The connections of an HTTP/1.1 load on one epoll instance, and the request they all send. The loads decide when.
final class HTTP1Client {
    /// A proxy that fails this often is not measured any further.
    private static let failureCountMax = 1_000

    var totals = Totals()
    /// Replies to requests that were due before this are not recorded.
    var recordsFrom = 0
    /// Called when a connection can take a request: its reply is complete, or has failed.
    var connectionBecameFree: ((HTTP1Connection) throws(Failure) -> Void)?
    /// Called at the first event of a stream.
    var streamStarted: ((HTTP1Connection) -> Void)?
    private(set) var connections: [HTTP1Connection] = []
    private let request: ChatRequest
    private var requestBytes: [UInt8]
    private var numbers: RequestNumbers?
    private let port: UInt16
    private let tls: TLSClient?
    private let poller: Poller
    private let buffer = ReadBuffer()

    init(port: UInt16, tls: TLSClient?, request: ChatRequest) throws(Failure) {
        self.request = request
        requestBytes = request.http1(port: port)
        numbers = RequestNumbers(request, in: requestBytes)
        self.port = port
        self.tls = tls
        poller = try Poller()
    }

    /// How many requests differ from each other.
    var distinctCount: Int { numbers?.distinctCount ?? 1 }

    deinit { for connection in connections { connection.channel?.reset() } }

    func makeConnection() -> HTTP1Connection {
        let connection = HTTP1Connection(token: connections.count)
        connections.append(connection)
        return connection
    }

    /// Connects without sending anything yet; `send` would do it as well.
    func connect(_ connection: HTTP1Connection) throws(Failure) {
        let channel = try Channel(port: port, tls: tls)
        connection.channel = channel
        connection.watchesWriting = false
        connection.reader.restart()
        try poller.add(channel.file, token: connection.token, forWriting: false)
    }

    func send(on connection: HTTP1Connection, dueAt: Int? = nil) throws(Failure) {
        if connection.channel == nil { try connect(connection) }
        connection.isBusy = true
        connection.eventCount = 0
        connection.sentAt = Clock.now()
        connection.dueAt = dueAt ?? connection.sentAt
        // A connection that has died says so on its next read, which is where failures are counted.
        numbers?.next(in: &requestBytes)
        let outcome = connection.channel?.send(requestBytes)
        try watch(connection, blocked: outcome == .wouldBlock)
    }

    /// One wait and everything that came of it.
    func poll(until deadline: Int) throws(Failure) {
        let count = poller.wait(until: deadline)
        for index in 0..<count { try serve(connections[poller.token(at: index)]) }
    }

    private func serve(_ connection: HTTP1Connection) throws(Failure) {
        while let channel = connection.channel {
            if channel.hasPendingOutput { try watch(connection, blocked: channel.flush() == .wouldBlock) }
            switch channel.read(into: buffer) {
            case .bytes(let count):
                try receive(count, on: connection)
                if count < buffer.capacity && !channel.mayHoldMore { return }
            case .wouldBlock:
                if channel.hasPendingOutput { try watch(connection, blocked: channel.flush() == .wouldBlock) }
                return
            case .closed:
                return try wasClosed(connection)
            }
        }
    }

    private func receive(_ count: Int, on connection: HTTP1Connection) throws(Failure) {
        guard connection.isBusy else { return try fail(connection, "bytes after the end of a reply") }
        let buffer = self.buffer
        do {
            let used = try connection.reader.consume(buffer.prefix(count))
            if used < count { return try fail(connection, "bytes after the end of a reply") }
        } catch {
            return try fail(connection, error.description)
        }
        if connection.reader.events.count > connection.eventCount { countEvents(on: connection) }
        if connection.reader.isComplete { try finish(connection) }
    }

    private func countEvents(on connection: HTTP1Connection) {
        let count = connection.reader.events.count
        if connection.eventCount == 0 { streamStarted?(connection) }
        if connection.eventCount < 2 && count >= 2 && connection.dueAt >= recordsFrom {
            totals.firstContent.record(Clock.now() - connection.sentAt)
        }
        totals.events += count - connection.eventCount
        connection.eventCount = count
    }

    private func finish(_ connection: HTTP1Connection) throws(Failure) {
        if let complaint = complaint(about: connection) { return try fail(connection, complaint) }
        if connection.dueAt >= recordsFrom {
            totals.completed += 1
            totals.latency.record(Clock.now() - connection.dueAt)
        }
        connection.isBusy = false
        if connection.reader.isReusable { connection.reader.restart() } else { disconnect(connection) }
        try connectionBecameFree?(connection)
    }

    private func complaint(about connection: HTTP1Connection) -> String? {
        let reader = connection.reader
        guard reader.status == 200 else { return "status \(reader.status)" }
        if let wanted = request.replyByteCount, reader.bodyByteCount != wanted {
            return "a reply of \(reader.bodyByteCount) bytes, not \(wanted)"
        }
        if let wanted = request.replyEventCount, reader.events.count != wanted {
            return "a stream of \(reader.events.count) events, not \(wanted)"
        }
        return nil
    }

    /// The peer may close an idle connection whenever it likes; one with a request under way it may not.
    private func wasClosed(_ connection: HTTP1Connection) throws(Failure) {
        if !connection.isBusy { return disconnect(connection) }
        if connection.reader.endsWithConnection { return try finish(connection) }
        try fail(connection, connection.reader.isStarted ? "a reply was cut off" : "the connection was closed")
    }

    private func fail(_ connection: HTTP1Connection, _ reason: String) throws(Failure) {
        totals.fail(reason)
        if totals.failed > Self.failureCountMax { throw Failure("too many failures, the first: \(reason)") }
        connection.isBusy = false
        disconnect(connection)
        try connectionBecameFree?(connection)
    }

    private func disconnect(_ connection: HTTP1Connection) {
        connection.channel?.reset()
        connection.channel = nil
        connection.reader.restart()
    }

    private func watch(_ connection: HTTP1Connection, blocked: Bool) throws(Failure) {
        guard let channel = connection.channel else { return }
        // Under TLS a blocked write may wait for input, and room to write is always there: that would spin.
        let wanted = blocked && !channel.mayHoldMore
        guard wanted != connection.watchesWriting else { return }
        connection.watchesWriting = wanted
        try poller.change(channel.file, token: connection.token, forWriting: wanted)
    }
}
