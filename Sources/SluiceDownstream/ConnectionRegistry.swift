internal import SluiceCore
package import SluiceHTTP
package import SluiceNet
internal import Synchronization

/// A downstream connection as its worker sees it.
package protocol DownstreamConnection: AnyObject {
    /// Finish what is under way, take nothing new, then close.
    func drain()
    /// Close now.
    func close()
    /// Whether no exchange is under way.
    var isIdle: Bool { get }
}

/// How many downstream connections the process has, over all workers.
package final class ConnectionCount: Sendable {
    private let count = Atomic<Int>(0)
    private let closed = Atomic<Bool>(false)
    package let max: Int

    /// - Parameter max: connections of the whole process.
    package init(max: Int) { self.max = max }

    package var current: Int { count.load(ordering: .relaxed) }

    /// Takes no more connections for the moment.
    package var isClosed: Bool {
        get { closed.load(ordering: .relaxed) }
        set { closed.store(newValue, ordering: .relaxed) }
    }

    func enter() -> Bool {
        if isClosed { return false }
        if count.add(1, ordering: .relaxed).newValue <= max { return true }
        leave()
        return false
    }

    func leave() { count.subtract(1, ordering: .relaxed) }
}

/// What was wrong on a connection before there was a request to answer; for the log.
package struct ProtocolError {
    package let peer: SocketAddress
    package let status: Status
    package let message: String
}

/// One worker's downstream connections, and what they share.
package final class ConnectionRegistry {
    package let loop: EventLoop
    /// New exchanges go to these.
    private let runners: ExchangeRunners
    /// Read by connections when they begin something, so that a reload reaches open connections too.
    package var configuration: DownstreamConfiguration
    /// Told of what no exchange can tell.
    let protocolError: (ProtocolError) -> Void
    let count: ConnectionCount
    private var connections: [ObjectIdentifier: any DownstreamConnection] = [:]
    package private(set) var isDraining = false
    /// Called when the last connection has gone after `drain()`.
    private var drained: (() -> Void)?
    private var dateSecond: Int64 = -1
    private var dateBytes: [UInt8] = []

    package init(
        loop: EventLoop, configuration: DownstreamConfiguration, count: ConnectionCount,
        protocolError: @escaping (ProtocolError) -> Void, handler: @escaping (DownstreamExchange) async -> Void
    ) {
        self.loop = loop
        self.configuration = configuration
        self.count = count
        self.protocolError = protocolError
        runners = ExchangeRunners(loop: loop, handler)
    }

    package var connectionCount: Int { connections.count }

    /// - Returns: false when the process has all the connections that it may have.
    func enter(_ connection: any DownstreamConnection) -> Bool {
        guard count.enter() else { return false }
        connections[ObjectIdentifier(connection)] = connection
        return true
    }

    func leave(_ connection: any DownstreamConnection) {
        guard connections.removeValue(forKey: ObjectIdentifier(connection)) != nil else { return }
        count.leave()
        if connections.isEmpty { tellDrained() }
    }

    /// A connection changed its protocol: HTTP/2 by prior knowledge.
    func replace(_ connection: any DownstreamConnection, with other: any DownstreamConnection) {
        connections.removeValue(forKey: ObjectIdentifier(connection))
        connections[ObjectIdentifier(other)] = other
    }

    func start(_ exchange: DownstreamExchange) { runners.start(exchange) }

    /// The value of the `date` field, made once a second.
    func date() -> [UInt8] {
        let second = loop.now.nanoseconds / 1_000_000_000
        if second != dateSecond {
            dateSecond = second
            dateBytes = HTTPDate.bytes(secondsSince1970: Int(EventLoop.readWallClock() / 1_000_000_000))
        }
        return dateBytes
    }

    /// Lets every connection finish; `done` is called when the last has gone.
    package func drain(_ done: @escaping () -> Void) {
        isDraining = true
        drained = done
        for connection in Array(connections.values) { connection.drain() }
        if connections.isEmpty { tellDrained() }
    }

    package func closeIdle() {
        for connection in Array(connections.values) where connection.isIdle { connection.close() }
    }

    package func closeAll() {
        for connection in Array(connections.values) { connection.close() }
    }

    private func tellDrained() {
        let drained = drained
        self.drained = nil
        drained?()
    }
}
