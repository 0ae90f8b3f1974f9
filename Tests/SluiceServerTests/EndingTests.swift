import Foundation
import Glibc
import SluiceConfig
internal import SluiceDownstream
import SluiceNet
internal import SluicePipeline
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
        // The clock is read on the worker's thread: tests that block may keep this task waiting.
        let end = await withCheckedContinuation { continuation in
            running.worker.drain(keepsSockets: false) { continuation.resume(returning: ContinuousClock.now) }
        }
        // Far below the minute after which a connection that takes nothing is given up.
        #expect(end - start < .seconds(30))
    }

    @Test func `an application that ends its side before it has its reply counts as gone`() throws {
        // It takes connections and never answers: they wait to be accepted.
        let upstream = try Socket.listen(on: try #require(SocketAddress("127.0.0.1:0")), isShared: false)
        defer { Socket.close(upstream) }
        let port = try #require(Socket.localAddress(upstream)).port
        let running = try RunningWorker(
            "{listeners: [{address: '127.0.0.1:0'}], providers: {p: {base_url: 'http://127.0.0.1:\(port)/v1', api_key: 'sk-x'}}}"
        )
        let peer = try Peer(port: running.port())
        let body = #"{"model":"m","messages":[]}"#
        peer.send("POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)")
        var connection: Socket.AcceptResult
        repeat { connection = Socket.accept(upstream) } while connection.isLater
        guard case .connection(let fd, _) = connection else {
            Issue.record("the provider was not asked")
            return
        }
        let provider = Peer(fd: fd)
        provider.block()
        #expect(provider.receive(until: "}").contains("POST /v1/chat/completions"))
        peer.endSending()
        #expect(peer.receive() == "")
        #expect(provider.receive() == "", "the provider's work ends too")
    }

    @Test
    func `a draining HTTP/2 connection names its last stream within two seconds, though its peer answers no ping`()
        throws
    {
        let running = try RunningWorker("{listeners: [{address: '127.0.0.1:0'}], environment_providers: 'never'}")
        let peer = try Peer(port: running.port())
        // A request whose body does not come: POST, http, :path and :authority as literals (RFC 7541 §6.2.2).
        let path = Array("/v1/chat/completions".utf8)
        let block = [0x83, 0x86, 0x04, UInt8(path.count)] + path + [0x01, 0x01, UInt8(ascii: "h")]
        peer.send(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0])
        peer.send([0, 0, UInt8(block.count), 1, 4, 0, 0, 0, 1] + block)
        while running.shared.gauge.inFlight == 0 { usleep(1000) }
        running.worker.drain(keepsSockets: false) {}
        let received = peer.receive { Self.lastStreams($0).count == 2 }
        #expect(Self.lastStreams(received) == [0x7FFF_FFFF, 1])
    }

    /// What the GOAWAY frames say (RFC 9113 §6.8).
    private static func lastStreams(_ bytes: [UInt8]) -> [UInt32] {
        var rest = bytes[...]
        var streams: [UInt32] = []
        while rest.count >= 9 {
            let header = Array(rest.prefix(9))
            let length = Int(header[0]) << 16 | Int(header[1]) << 8 | Int(header[2])
            if rest.count < 9 + length { break }
            if header[3] == 7 { streams.append(rest.dropFirst(9).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }) }
            rest = rest.dropFirst(9 + length)
        }
        return streams
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
