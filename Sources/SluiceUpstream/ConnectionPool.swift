internal import SluiceCore
internal import SluiceHTTP
package import SluiceNet

/// One worker's connections to one endpoint.
///
/// A request takes an idle connection, most recently used first; else one is opened; else it waits its turn, with bounds on how
/// many wait and for how long.
package final class ConnectionPool {
    /// A connection that can take a request now.
    private enum Slot {
        case http1(UpstreamHTTP1)
        case http2(UpstreamHTTP2)
    }

    private enum Turn {
        case connection(UpstreamHTTP1)
        case retry, timeout
    }

    private final class Waiting: TimerTarget {
        let waiter = Waiter<Turn>()
        func timerFired(_ timer: LoopTimer) { waiter.fulfil(.timeout) }
    }

    package let endpoint: Endpoint
    private let loop: EventLoop
    private let resolver: Resolver
    private var idle: [UpstreamHTTP1] = []
    private var http2: [UpstreamHTTP2] = []
    private var waiting: [Waiting] = []
    /// Connections open or being opened.
    package private(set) var openCount = 0
    private var isKnownHTTP2 = false
    private var connectingCount = 0
    private var isClosing = false
    /// How often a request may find that the connection it was given takes no streams any more.
    private static let refusalsMax = 4

    package init(endpoint: Endpoint, loop: EventLoop, resolver: Resolver) {
        self.endpoint = endpoint
        self.loop = loop
        self.resolver = resolver
    }

    package var idleCount: Int { idle.count }

    // MARK: Requests

    /// Sends a request on some connection.
    ///
    /// - Parameter fresh: not on a connection that has served before, whose peer may have closed it.
    /// - Returns: the exchange, with the request's head and its parts on their way.
    package func send(
        _ request: UpstreamRequest, deadlines: Deadlines, fresh: Bool = false
    ) async throws(UpstreamError) -> UpstreamExchange {
        let limit = min(loop.now + deadlines.connect, deadlines.total)
        for _ in 0..<Self.refusalsMax {
            switch try await lease(by: limit, deadlines: deadlines, fresh: fresh) {
            case .http1(let connection): return connection.send(request, deadlines: deadlines)
            case .http2(let connection):
                if request.webSocket != nil {
                    throw UpstreamError(
                        .malformed, "\(endpoint.host) speaks HTTP/2, where no WebSocket is asked for", isUnprocessed: true)
                }
                if let exchange = connection.send(request, deadlines: deadlines) { return exchange }
            }
        }
        throw UpstreamError(.poolExhausted, "\(endpoint.host) takes no more streams", isUnprocessed: true)
    }

    private func lease(by limit: Instant, deadlines: Deadlines, fresh: Bool) async throws(UpstreamError) -> Slot {
        var waited = false
        let turnBy = min(loop.now + endpoint.limits.wait, deadlines.total)
        while true {
            if !fresh, waited || waiting.isEmpty, let slot = available() { return slot }
            let mayConnect = !(isKnownHTTP2 && connectingCount > 0)
            if mayConnect, openCount < endpoint.limits.connectionsMax { return try await connect(by: limit) }
            if fresh, let spare = idle.popLast() {
                spare.close()
                continue
            }
            switch try await waitForTurn(until: turnBy) {
            // It may have been closed since it was given.
            case .connection(let connection) where connection.isUsable(at: loop.now): return .http1(connection)
            case .connection(let connection):
                connection.close()
                waited = true
            case .retry: waited = true
            case .timeout:
                throw UpstreamError(
                    .poolExhausted, "all \(openCount) connections to \(endpoint.host) are in use", isUnprocessed: true)
            }
        }
    }

    private func available() -> Slot? {
        for connection in http2 where connection.canOpenStream { return .http2(connection) }
        while let connection = idle.popLast() {
            if connection.isUsable(at: loop.now) { return .http1(connection) }
            connection.close()
        }
        return nil
    }

    private func waitForTurn(until limit: Instant) async throws(UpstreamError) -> Turn {
        if waiting.count >= endpoint.limits.waitersMax {
            throw UpstreamError(
                .poolExhausted, "\(waiting.count) requests wait for a connection to \(endpoint.host) already",
                isUnprocessed: true)
        }
        let place = Waiting()
        waiting.append(place)
        let timer = LoopTimer(target: place)
        loop.arm(timer, at: limit)
        let turn = await place.waiter.wait()
        loop.remove(timer)
        waiting.removeAll { $0 === place }
        return turn
    }

    private func connect(by limit: Instant) async throws(UpstreamError) -> Slot {
        openCount += 1
        do {
            return try adopt(try await dial(by: limit))
        } catch {
            connectionClosed()
            throw error
        }
    }

    private func dial(by limit: Instant) async throws(UpstreamError) -> UpstreamDial.Opened {
        connectingCount += 1
        defer { connectingCount -= 1 }
        return try await UpstreamDial.open(endpoint, by: limit, on: loop, resolver: resolver)
    }

    private func adopt(_ opened: UpstreamDial.Opened) throws(UpstreamError) -> Slot {
        if opened.isHTTP2 {
            isKnownHTTP2 = true
            let connection = try UpstreamHTTP2(transport: opened.transport, pool: self)
            http2.append(connection)
            if let received = opened.received { connection.transportReceived(received.span) }
            wakeAll()
            return .http2(connection)
        }
        if opened.received != nil {
            opened.transport.close()
            throw UpstreamError(.malformed, "\(endpoint.host) sent bytes before it was asked", isUnprocessed: true)
        }
        isKnownHTTP2 = false
        return .http1(UpstreamHTTP1(transport: opened.transport, pool: self))
    }

    // MARK: From connections

    /// A connection has finished its request and can take another.
    func released(_ connection: UpstreamHTTP1) {
        if isClosing || !connection.isUsable(at: loop.now) { return connection.close() }
        if let next = nextWaiting() { return next.waiter.fulfil(.connection(connection)) }
        idle.append(connection)
    }

    /// An unused connection was closed, by its peer or by its age.
    func idleClosed(_ connection: UpstreamHTTP1) {
        // Those that age stand in front.
        if let index = idle.firstIndex(where: { $0 === connection }) { idle.remove(at: index) }
    }

    func connectionClosed() {
        openCount -= 1
        nextWaiting()?.waiter.fulfil(.retry)
    }

    func http2Closed(_ connection: UpstreamHTTP2) {
        http2.removeAll { $0 === connection }
        connectionClosed()
    }

    /// An HTTP/2 connection has room for another stream.
    func streamFreed() { nextWaiting()?.waiter.fulfil(.retry) }

    private func wakeAll() { while let next = nextWaiting() { next.waiter.fulfil(.retry) } }

    /// Whoever has waited longest and is not about to give up.
    private func nextWaiting() -> Waiting? {
        while !waiting.isEmpty {
            let first = waiting.removeFirst()
            if !first.waiter.isFulfilled { return first }
        }
        return nil
    }

    /// Closes what is unused now and the rest when its requests are done: the endpoint left the configuration, or the process ends.
    package func drain() {
        isClosing = true
        let unused = idle
        idle = []
        for connection in unused { connection.close() }
        for connection in http2 { connection.drain() }
    }
}
