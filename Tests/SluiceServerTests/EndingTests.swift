import Foundation
import SluiceConfig
internal import SluiceDownstream
import SluiceNet
import Testing

@testable import SluiceServer

@Suite struct `The end of connections and of the process` {
    @Test func `a connection that was closed after its reply is not counted any more`() async throws {
        let running = try RunningWorker("{listeners: [{address: '127.0.0.1:0'}], environment_providers: 'never'}")
        let peer = try Peer(port: running.port())
        peer.send("GET /health HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")
        #expect(peer.receive().hasPrefix("HTTP/1.1 200 OK\r\n"))
        let deadline = ContinuousClock.now + .seconds(30)
        while running.shared.connections.current > 0, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(2))
        }
        #expect(running.shared.connections.current == 0)
    }

    @Test func `a worker whose last connection has closed is drained at once`() async throws {
        let running = try RunningWorker("{listeners: [{address: '127.0.0.1:0'}], environment_providers: 'never'}")
        let peer = try Peer(port: running.port())
        peer.send("GET /health HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")
        _ = peer.receive()
        let start = ContinuousClock.now
        await withCheckedContinuation { continuation in
            running.worker.drain(keepsSockets: false) { continuation.resume() }
        }
        // Far below the minute after which a connection that takes nothing is given up.
        #expect(ContinuousClock.now - start < .seconds(30))
    }

    @Test func `a successor is given the admin port's socket too`() throws {
        let configuration = try ServerConfiguration.load(
            text: Array("{listeners: [{address: '127.0.0.1:0'}]}".utf8), environment: .fixed()
        ).value
        let sockets = try ListeningSockets(configuration.listeners, workers: 2, handoverPath: nil)
        let admin = try #require(SocketAddress("127.0.0.1:0"))
        let fd = try sockets.adminSocket(admin)
        let given = sockets.forSuccessor()
        #expect(given.count == 3)
        #expect(given.last?.fd == fd && given.last?.address == admin)
    }
}
