import CSystem
import Foundation
import Glibc

/// A provider made of a socket, threads and a script: it keeps what it received byte for byte and answers as it is
/// told.
///
/// The model list that Sluice asks for at its start is answered aside: scripts and records see only what applications
/// asked for.
final class ScriptedUpstream: @unchecked Sendable {
    typealias Script = @Sendable (UpstreamConnection, HTTPMessage) throws -> Void

    let port: UInt16
    /// Requests in the order in which they were complete.
    let requests = Recorder<HTTPMessage>()
    /// Numbers of connections that carried a request, when the first had come.
    let connections = Recorder<Int>()
    /// Numbers of connections that the other side has closed.
    let ends = Recorder<Int>()
    private let listener: Int32
    private let models: String
    private let script: Script
    /// Whether bodies are read before the script is called.
    fileprivate let readsBodies: Bool
    private var accepted = 0
    private var isListening = true
    private let lock = NSLock()
    private var open: [Int: UpstreamConnection] = [:]

    /// - Parameters:
    ///   - readsBodies: false leaves bodies to the script.
    ///   - port: 0 for a free one.
    ///   - script: called on the connection's thread for each request.
    init(models: [String] = [], readsBodies: Bool = true, port: UInt16 = 0, _ script: @escaping Script) throws {
        self.script = script
        self.readsBodies = readsBodies
        let entries = models.map { #"{"id":"\#($0)","object":"model","created":1,"owned_by":"test"}"# }
        self.models = #"{"object":"list","data":[\#(entries.joined(separator: ","))]}"#
        (listener, self.port) = try Self.listen(port: port)
        Thread.detachNewThread { [self] in acceptAll() }
    }

    /// One that gives every request the same reply.
    convenience init(models: [String] = [], reply: String = Sample.completion) throws {
        try self.init(models: models) { connection, _ in try connection.reply(reply) }
    }

    /// One whose streams have exactly these bytes, each piece in a chunk and a write of its own.
    convenience init(streaming pieces: [[UInt8]]) throws {
        try self.init { connection, _ in
            try connection.startStream()
            for piece in pieces { try connection.chunk(piece) }
            try connection.endStream()
        }
    }

    /// A listening socket on a free port.
    static func listen(port wanted: UInt16 = 0) throws -> (fd: Int32, port: UInt16) {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var one: Int32 = 1
        _ = unsafe setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var address = Wire.loopback(wanted)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = unsafe withUnsafeMutablePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(fd, address, size) == 0 && Glibc.listen(fd, 512) == 0
                    && getsockname(fd, address, &size) == 0
            }
        }
        if !isListening { throw Wire.Failure.system(errno) }
        return (fd, UInt16(bigEndian: address.sin_port))
    }

    deinit { stop() }

    /// Closes the port and every connection.
    func stop() {
        lock.withLock {
            // Under the lock, so that no descriptor is closed and given to somebody else in the meantime.
            if isListening { _ = shutdown(listener, Int32(SHUT_RDWR)) }
            for connection in open.values { _ = shutdown(connection.wire.fd, Int32(SHUT_RDWR)) }
        }
    }

    private func acceptAll() {
        while true {
            let fd = accept4(listener, nil, nil, Int32(SOCK_CLOEXEC.rawValue))
            if fd < 0 { break }
            accepted += 1
            let connection = UpstreamConnection(wire: Wire(fd: fd), number: accepted, upstream: self)
            lock.withLock { open[connection.number] = connection }
            Thread.detachNewThread { [self] in serve(connection) }
        }
        lock.withLock {
            isListening = false
            _ = Glibc.close(listener)
        }
    }

    private func serve(_ connection: UpstreamConnection) {
        while let request = connection.nextRequest() {
            // A script that finds its connection broken has found what it was written for, or its test says so.
            do { try script(connection, request) } catch { break }
            if connection.isOver { break }
        }
        lock.withLock {
            open[connection.number] = nil
            connection.wire.close()
        }
    }

    fileprivate func isModelList(_ request: HTTPMessage) -> Bool {
        request.method == "GET" && request.target.hasSuffix("/models")
    }

    fileprivate func replyWithModels(on connection: UpstreamConnection) throws { try connection.reply(models) }
}

/// A connection that Sluice made, in the hands of a script.
final class UpstreamConnection: @unchecked Sendable {
    let wire: Wire
    /// 1 for the first that was accepted; the model list's is counted too.
    let number: Int
    /// How many requests came before on this connection.
    private(set) var served = 0
    /// Set to close the connection after the script.
    var isOver = false
    private let upstream: ScriptedUpstream

    fileprivate init(wire: Wire, number: Int, upstream: ScriptedUpstream) {
        self.wire = wire
        self.number = number
        self.upstream = upstream
    }

    fileprivate func nextRequest() -> HTTPMessage? {
        // A connection may lie unused for as long as its test runs.
        while true {
            guard let request = try? wire.readRequest(withBody: upstream.readsBodies, by: .now + .seconds(300)) else {
                if served > 0 { upstream.ends.record(number) }
                return nil
            }
            if upstream.isModelList(request) {
                guard (try? upstream.replyWithModels(on: self)) != nil else { return nil }
                continue
            }
            if served == 0 { upstream.connections.record(number) }
            served += 1
            upstream.requests.record(request)
            return request
        }
    }

    // MARK: Replies

    func reply(_ body: String, status: String = "200 OK", _ fields: [String] = [], type: String = "application/json")
        throws
    {
        var head = "HTTP/1.1 \(status)\r\ncontent-type: \(type)\r\ncontent-length: \(body.utf8.count)\r\n"
        for field in fields { head += field + "\r\n" }
        try wire.send(head + "\r\n" + body)
    }

    func startStream(_ fields: [String] = []) throws {
        var head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"
        for field in fields { head += field + "\r\n" }
        try wire.send(head + "\r\n")
    }

    func chunk(_ text: String) throws { try chunk(Array(text.utf8)) }

    func chunk(_ bytes: [UInt8]) throws {
        try wire.send(Array((String(bytes.count, radix: 16) + "\r\n").utf8) + bytes + Array("\r\n".utf8))
    }

    /// Sends an event with this data in a chunk of its own.
    func event(_ data: String) throws { try chunk("data: \(data)\n\n") }

    func endStream() throws { try wire.send("0\r\n\r\n") }

    /// Waits until Sluice has closed the connection, and says when that was.
    func awaitEnd(within patience: Duration = Patience.usual) throws -> ContinuousClock.Instant {
        try wire.awaitEnd(by: .now + patience)
        isOver = true
        upstream.ends.record(number)
        return .now
    }
}
