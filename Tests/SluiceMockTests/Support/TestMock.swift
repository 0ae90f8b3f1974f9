import Foundation
import Glibc
internal import SluiceCore
import SluiceNet

@testable import SluiceMock

/// A mock in this process, on a port of its own; it stops when this goes.
final class TestMock {
    let server: MockServer

    init(_ words: String = "", apiKey: String? = nil, workers: Int = 1, requestsKept: Int = 200) throws {
        var options = MockOptions()
        options.addresses = [.ipv4(UInt32(0x7F00_0001).bigEndian, port: 0)]
        options.behaviour = try BehaviourGrammar.list(words, over: Behaviour())
        options.apiKey = apiKey.map { .init($0) }
        options.workers = workers
        options.requestsKept = requestsKept
        server = try MockServer(options)
    }

    deinit { server.stop() }

    var port: UInt16 { server.addresses[0].port }

    /// One request on a connection of its own, and all that came back until the other side ended.
    func exchange(
        _ method: String, _ path: String, _ body: String = "", type: String = "application/json", headers: [String] = []
    ) throws -> RawReply {
        let client = try RawClient(port: port)
        client.send(method, path, body, type: type, headers: headers + ["connection: close"])
        return client.readToEnd()
    }

    func get(_ path: String) throws -> JSONThing { try JSONThing(exchange("GET", path).body) }

    func post(_ path: String, _ body: String) throws -> JSONThing { try JSONThing(exchange("POST", path, body).body) }

    func chat(_ model: String, stream: Bool = false, headers: [String] = [], content: String = "a b c d") throws
        -> RawReply
    {
        try exchange(
            "POST", "/v1/chat/completions", Self.chatBody(model, stream: stream, content: content), headers: headers)
    }

    static func chatBody(_ model: String, stream: Bool = false, content: String = "a b c d") -> String {
        #"{"model":"\#(model)","stream":\#(stream),"messages":[{"role":"user","content":"\#(content)"}]}"#
    }

    /// The counts of a model, once they are as wanted or two seconds have passed.
    func counts(_ model: String, until isWanted: (JSONThing) -> Bool) throws -> JSONThing? {
        let end = Date(timeIntervalSinceNow: 2)
        while true {
            let counts = try get("/mock/counts")["models"]?[model]
            if let counts, isWanted(counts) { return counts }
            if Date() > end { return counts }
            usleep(2000)
        }
    }
}

/// What came back, and how it ended.
struct RawReply {
    enum End { case closed, reset, timedOut }

    let text: String
    let end: End
    let seconds: Double

    var status: Int? { text.split(separator: " ").dropFirst().first.flatMap { Int($0) } }
    var head: String { text.range(of: "\r\n\r\n").map { String(text[..<$0.lowerBound]) } ?? text }
    var payload: String { text.range(of: "\r\n\r\n").map { String(text[$0.upperBound...]) } ?? "" }

    func header(_ name: String) -> String? {
        head.components(separatedBy: "\r\n").first { $0.lowercased().hasPrefix(name + ":") }
            .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
    }

    var isChunked: Bool { header("transfer-encoding") == "chunked" }

    /// Whether a chunked body has its end.
    var hasProperEnd: Bool { payload.hasSuffix("0\r\n\r\n") }

    /// The body without its chunks.
    var body: String {
        if !isChunked { return payload }
        var rest = Substring(payload)
        var body = ""
        while let line = rest.range(of: "\r\n"), let size = Int(rest[..<line.lowerBound], radix: 16), size > 0 {
            let data = rest[line.upperBound...].utf8
            body += String(data.prefix(size)) ?? ""
            rest = rest[(data.index(data.startIndex, offsetBy: size, limitedBy: data.endIndex) ?? data.endIndex)...]
                .dropFirst(1)
        }
        return body
    }
}

/// A client that sends what it is told and takes what comes.
final class RawClient {
    private let fd: Int32

    init(port: UInt16) throws {
        fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result != 0 { throw POSIXError(.ECONNREFUSED) }
    }

    deinit { close() }

    private var isClosed = false

    func close() {
        if !isClosed { _ = Glibc.close(fd) }
        isClosed = true
    }

    func send(
        _ method: String, _ path: String, _ body: String, type: String = "application/json", headers: [String] = []
    ) {
        var text = "\(method) \(path) HTTP/1.1\r\nhost: mock\r\n"
        if !body.isEmpty { text += "content-type: \(type)\r\ncontent-length: \(body.utf8.count)\r\n" }
        for header in headers { text += header + "\r\n" }
        send(text + "\r\n" + body)
    }

    func send(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            bytes = bytes.dropFirst(count)
        }
    }

    /// One read of what is there within so many milliseconds; `nil` at the end or if nothing comes.
    func read(within milliseconds: Int32) -> String? {
        var waiting = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&waiting, 1, milliseconds) == 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe recv(fd, &bytes, bytes.count, 0)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }

    /// Everything until the other side ends; gives up when nothing comes for three seconds.
    func readToEnd(silence milliseconds: Int32 = 3000) -> RawReply {
        let start = Date()
        var all: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 65_536)
        var end = RawReply.End.timedOut
        while true {
            var waiting = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
            guard unsafe poll(&waiting, 1, milliseconds) == 1 else { break }
            let count = unsafe recv(fd, &bytes, bytes.count, 0)
            if count <= 0 {
                end = count == 0 ? .closed : .reset
                break
            }
            all += bytes[..<count]
        }
        return RawReply(text: String(decoding: all, as: UTF8.self), end: end, seconds: Date().timeIntervalSince(start))
    }
}
