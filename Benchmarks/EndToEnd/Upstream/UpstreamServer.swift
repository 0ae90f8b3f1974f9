internal import Glibc

/// The stand-in upstream: answers chat requests over HTTP/1.1 with canned bytes, as cheaply as it can, because it shares
/// its core with the load.
final class UpstreamServer {
    private let listener: Int32
    private let poller: Poller
    private var connections: [UpstreamConnection?] = []
    private var timers = TimerHeap()
    private var bursts: [String: [UInt8]] = [:]
    private let buffer = ReadBuffer()
    private var streamCount = 0
    private var requestCount = 0

    init(listener: Int32) throws(Failure) {
        self.listener = listener
        poller = try Poller()
        try poller.add(listener, token: Int(listener), forWriting: false)
    }

    /// Serves until the process is killed.
    func run() throws(Failure) -> Never {
        while true {
            let count = poller.wait(until: timers.earliest ?? Clock.now() + Clock.second)
            for index in 0..<count {
                let token = poller.token(at: index)
                if token == Int(listener) { try accept() } else { try serve(token) }
            }
            let now = Clock.now()
            while let entry = timers.removeFirst(dueAt: now) { try fire(entry, now) }
        }
    }

    private func accept() throws(Failure) {
        while let file = Socket.accept(from: listener) {
            let token = Int(file)
            if token >= connections.count {
                connections += [UpstreamConnection?](repeating: nil, count: token + 1 - connections.count)
            }
            connections[token] = UpstreamConnection(file: file)
            try poller.add(file, token: token, forWriting: false)
        }
    }

    private func serve(_ token: Int) throws(Failure) {
        guard let connection = connections[token] else { return }
        if connection.hasPendingOutput { try finish(connection.flush(), of: connection, wasBlocked: true) }
        switch Socket.read(connection.file, into: buffer) {
        case .bytes(let count): try receive(count, on: connection)
        case .wouldBlock: return
        case .closed: drop(connection)
        }
    }

    private func receive(_ count: Int, on connection: UpstreamConnection) throws(Failure) {
        let buffer = self.buffer
        var offset = 0
        while offset < count && connections[Int(connection.file)] === connection {
            guard let used = try? connection.request.consume(buffer.prefix(count).extracting(offset...)) else {
                return drop(connection)
            }
            offset += used
            guard connection.request.isComplete else { return }
            let behaviour = Self.behaviour(for: connection.request.bodyStart, connection)
            connection.request.restart()
            requestCount += 1
            connection.generation = requestCount
            try answer(behaviour, on: connection)
        }
    }

    /// The model's name is the first member of the body, as clients write it; some proxies write it anew. A GET, without a
    /// body, asks for the models.
    private static func behaviour(for bodyStart: [UInt8], _ connection: UpstreamConnection) -> Behaviour? {
        guard !bodyStart.isEmpty else { return nil }
        let text = String(decoding: bodyStart, as: UTF8.self)
        let key = #""model":"bench-"#
        guard let start = text.firstRange(of: key) else { return .plain }
        let name = text[start.upperBound...].prefix { $0 != "\"" }
        connection.replies = name.hasSuffix(Behaviour.messagesSuffix) ? .messages : .chat
        return Behaviour(modelName: "bench-" + name)
    }

    private func answer(_ behaviour: Behaviour?, on connection: UpstreamConnection) throws(Failure) {
        guard let behaviour else { return try send(Replies.models, on: connection) }
        connection.behaviour = behaviour
        switch behaviour {
        case .plain:
            try send(connection.replies.plain, on: connection)
        case .delayed(let milliseconds):
            wake(connection, at: Clock.now() + milliseconds * Clock.millisecond)
        case .burst(let eventCount):
            let key = "\(eventCount) \(connection.replies.plain.count)"
            let bytes = bursts[key] ?? connection.replies.burst(eventCount: eventCount)
            bursts[key] = bytes
            try send(bytes, on: connection)
        case .paced(let eventCount, let milliseconds):
            connection.contentEventsLeft = eventCount
            try send(Replies.streamHead + connection.replies.streamBegin, on: connection)
            wake(connection, at: Clock.now() + firstGap(of: milliseconds * Clock.millisecond))
        case .silent:
            let replies = connection.replies
            try send(Replies.streamHead + replies.streamBegin + replies.contentEvent, on: connection)
        }
    }

    /// Spreads the streams evenly over the interval (by the golden ratio), so that events do not come in flocks.
    private func firstGap(of interval: Int) -> Int {
        streamCount += 1
        let phase = Double(streamCount) * 0.618_033_988_749_895
        return Int(Double(interval) * (phase - phase.rounded(.down)))
    }

    private func wake(_ connection: UpstreamConnection, at due: Int) {
        timers.add(.init(due: due, token: Int(connection.file), generation: connection.generation))
    }

    private func fire(_ entry: TimerHeap.Entry, _ now: Int) throws(Failure) {
        guard let connection = connections[entry.token], connection.generation == entry.generation else { return }
        guard case .paced(_, let milliseconds) = connection.behaviour else {
            return try send(connection.replies.plain, on: connection)
        }
        guard connection.contentEventsLeft > 0 else { return try send(connection.replies.streamEnd, on: connection) }
        connection.contentEventsLeft -= 1
        try send(connection.replies.contentEvent, on: connection)
        wake(connection, at: entry.due + milliseconds * Clock.millisecond)
    }

    private func send(_ bytes: [UInt8], on connection: UpstreamConnection) throws(Failure) {
        try finish(connection.send(bytes), of: connection, wasBlocked: false)
    }

    private func finish(
        _ outcome: Socket.Outcome, of connection: UpstreamConnection, wasBlocked: Bool
    ) throws(Failure) {
        switch outcome {
        case .bytes where wasBlocked:
            try poller.change(connection.file, token: Int(connection.file), forWriting: false)
        case .wouldBlock where !wasBlocked:
            try poller.change(connection.file, token: Int(connection.file), forWriting: true)
        case .bytes, .wouldBlock, .closed:
            return  // a closed connection says so again on the next read
        }
    }

    private func drop(_ connection: UpstreamConnection) {
        connections[Int(connection.file)] = nil
        close(connection.file)
    }
}
