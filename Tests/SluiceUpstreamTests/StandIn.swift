import NetTestSupport
import SluiceCore
import SluiceHTTP
import SluiceNet

@testable import SluiceUpstream

/// A provider on the loop of a test, which answers when the test says so, and the pool of connections to it.
final class StandIn {
    let pool: ConnectionPool
    let loop: EventLoop
    /// Its ends of the connections, in the order in which they were opened.
    private(set) var connections: [Peer] = []
    private var listening: ListeningSocket?

    /// - Parameter closedPort: nobody answers there.
    init(_ loop: EventLoop, port closedPort: UInt16? = nil, _ change: (inout Endpoint.PoolLimits) -> Void = { _ in })
        throws
    {
        self.loop = loop
        let fd = try Socket.listen(on: .loopback, isShared: false)
        let port = closedPort ?? Socket.localAddress(fd)?.port ?? 0
        var limits = Endpoint.PoolLimits()
        change(&limits)
        let endpoint = Endpoint(
            isTLS: false, host: "127.0.0.1", port: port, tls: nil, http: .automatic, proxy: nil, limits: limits)
        pool = ConnectionPool(endpoint: endpoint, loop: loop, resolver: Resolver())
        listening = try ListeningSocket(loop: loop, fd: fd) { [unowned self] fd, _ in connections.append(Peer(fd: fd)) }
    }

    /// To be called at the end: a loop holds what listens on it.
    func close() {
        listening?.close(keepsOpen: false)
        pool.drain()
    }

    /// Starts a request; its outcome is the status, or the error.
    func request(fresh: Bool = false, within total: Duration = .seconds(60)) -> Outcome {
        let outcome = Outcome()
        loop.spawn { [pool, loop] in
            let deadlines = Deadlines(connect: total, head: total, idle: total, total: EventLoop.readClock() + total)
            let request = UpstreamRequest(method: .get, target: Array("/".utf8), fields: HeaderFields(), body: .none)
            do throws(UpstreamError) {
                let exchange = try await pool.send(request, deadlines: deadlines, fresh: fresh)
                outcome.status = try await exchange.responseHead().status
                _ = try await exchange.collect(atMost: 100)
                outcome.isDone = true
            } catch {
                outcome.error = error
                outcome.isDone = true
            }
            _ = loop
        }
        return outcome
    }

    final class Outcome {
        fileprivate(set) var status: Status?
        fileprivate(set) var error: UpstreamError?
        fileprivate(set) var isDone = false
    }

    /// Waits until a connection has so many requests, and answers the last of them.
    func answer(_ connection: Int, request count: Int = 1) async -> Bool {
        guard await hasRequest(connection, count) else { return false }
        connections[connection].sendSome(Array("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".utf8)[...])
        return true
    }

    func hasRequest(_ connection: Int, _ count: Int = 1) async -> Bool {
        await eventually {
            guard connections.count > connection else { return false }
            connections[connection].poll()
            return connections[connection].text.components(of: "GET / ") == count
        }
    }
}

extension String {
    /// How often `text` occurs.
    func components(of text: String) -> Int { ranges(of: text).count }
}
