import Foundation
import SluiceConfig
import SluiceCore
internal import SluiceDownstream
import SluiceNet
import SluicePipeline
import Testing

@testable import SluiceServer

/// Settings that are easily read and then forgotten: what each says is what happens.
@Suite struct `Settings are in force` {
    @Test func `stream_buffer_bytes_max is what a connection holds for a slow reader`() throws {
        let text = "{limits: {stream_buffer_bytes_max: 8192}}"
        let environment = ConfigEnvironment.fixed()
        let configuration = try ServerConfiguration.load(text: Array(text.utf8), environment: environment).value
        let generation = try SnapshotBuilder.build(configuration, revision: 1, environment: environment)
        #expect(generation.downstream.streamBufferByteCount == 8192)
    }

    @Test func `http2 false refuses the preface of HTTP/2, and true takes it`() throws {
        let running = try RunningWorker(
            "{listeners: [{address: '127.0.0.1:0', http2: false}, {address: '127.0.0.1:0'}], environment_providers: 'never'}"
        )
        let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        let refused = try Peer(port: running.port(0))
        refused.send(preface)
        #expect(refused.receive().hasPrefix("HTTP/1.1 505 "))
        let taken = try Peer(port: running.port(1))
        taken.send(preface + "\0\0\0\u{4}\0\0\0\0\0")
        // The server's own SETTINGS come first: a length, and type 4.
        #expect(taken.receive(until: "\u{4}").utf8.dropFirst(3).first == 4)
    }

    @Test func `several keys take turns`() throws {
        let upstream = try StandInUpstream()
        let running = try RunningWorker(
            "{listeners: [{address: '127.0.0.1:0'}], providers: {p: {base_url: 'http://127.0.0.1:\(upstream.port)/v1', "
                + "api_key: ['sk-a', 'sk-b', 'sk-c']}}}")
        let peer = try Peer(port: running.port())
        for _ in 0..<6 { Self.ask(peer) }
        let keys = upstream.heads.compactMap { Self.authorization(of: $0) }
        #expect(keys == ["Bearer sk-a", "Bearer sk-b", "Bearer sk-c", "Bearer sk-a", "Bearer sk-b", "Bearer sk-c"])
    }

    @Test func `forward_authorization puts the application's credential in place of the key`() throws {
        let upstream = try StandInUpstream()
        let running = try RunningWorker(
            "{listeners: [{address: '127.0.0.1:0'}], providers: {p: {base_url: 'http://127.0.0.1:\(upstream.port)/v1', "
                + "api_key: 'sk-ours', forward_authorization: true}}}")
        let peer = try Peer(port: running.port())
        Self.ask(peer, fields: "authorization: Bearer sk-theirs\r\n")
        Self.ask(peer)
        let keys = upstream.heads.compactMap { Self.authorization(of: $0) }
        #expect(keys == ["Bearer sk-theirs", "Bearer sk-ours"])
    }

    private static func ask(_ peer: Peer, fields: String = "") {
        let body = #"{"model":"m","messages":[]}"#
        peer.send(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\n\(fields)content-length: \(body.utf8.count)\r\n\r\n\(body)"
        )
        _ = peer.receive(until: "\r\n\r\n{}")
    }

    private static func authorization(of head: String) -> String? {
        head.components(separatedBy: "\r\n").first { $0.hasPrefix("authorization: ") }.map { String($0.dropFirst(15)) }
    }

    @Test func `readiness goes down when requests are refused for want of memory`() {
        let status = GatewayStatus(version: "test")
        #expect(!status.isReady)
        status.isServing = true
        #expect(status.isReady)
        status.isOverloaded = true
        #expect(!status.isReady && status.isServing)
    }

    @Test func `a log file that was moved away is opened again`() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sluice-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (file, moved) = (folder.appendingPathComponent("log"), folder.appendingPathComponent("log.1"))
        var configuration = LogConfiguration()
        configuration.destination = .file(file.path)
        let writer = try LogWriter(configuration)
        let queue = writer.start(level: .info)
        queue.append("one\n".utf8Span.span)
        writer.finish()
        try FileManager.default.moveItem(at: file, to: moved)
        queue.append("two\n".utf8Span.span)
        try writer.reopen()
        queue.append("three\n".utf8Span.span)
        writer.finish()
        #expect(try String(contentsOf: moved, encoding: .utf8) == "one\ntwo\n")
        #expect(try String(contentsOf: file, encoding: .utf8) == "three\n")
    }
}
