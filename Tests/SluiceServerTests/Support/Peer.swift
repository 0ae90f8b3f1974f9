import Foundation
import Glibc
import SluiceNet

/// A blocking connection, for tests that say exactly which bytes are sent.
final class Peer {
    private let fd: Int32

    init(fd: Int32) { self.fd = fd }

    /// - Parameter port: on 127.0.0.1.
    init(port: UInt16) throws {
        fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(port)
        let result = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if result != 0 { throw POSIXError(.ECONNREFUSED) }
        limitPatience()
    }

    deinit { close(fd) }

    static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    /// A test that waits for bytes that never come fails rather than hangs.
    func limitPatience() {
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        _ = unsafe setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    func send(_ text: String) { send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }

    /// Waits in each call, with patience of a kind, whatever the descriptor was made for.
    func block() {
        _ = fcntl(fd, F_SETFL, 0)
        limitPatience()
    }

    /// Ends its side; the other may go on.
    func endSending() { _ = shutdown(fd, Int32(SHUT_WR)) }

    /// What comes until it is enough, or until the other side has closed.
    func receive(until isEnough: ([UInt8]) -> Bool) -> [UInt8] {
        var received: [UInt8] = []
        var space = [UInt8](repeating: 0, count: 4096)
        while !isEnough(received) {
            let count = unsafe space.withUnsafeMutableBytes { unsafe recv(fd, $0.baseAddress, $0.count, 0) }
            if count <= 0 { break }
            received += space[..<count]
        }
        return received
    }

    /// What comes until the text has arrived, or without one until the other side has closed.
    func receive(until text: String? = nil) -> String {
        var received = ""
        var space = [UInt8](repeating: 0, count: 4096)
        while text.map({ !received.contains($0) }) ?? true {
            let count = unsafe space.withUnsafeMutableBytes { unsafe recv(fd, $0.baseAddress, $0.count, 0) }
            if count <= 0 { break }
            received += String(decoding: space[..<count], as: UTF8.self)
        }
        return received
    }
}

/// Answers each request on its connections with an empty JSON object, and keeps the requests' heads.
final class StandInUpstream: @unchecked Sendable {
    let port: UInt16
    private let fd: Int32
    private let lock = NSLock()
    private var kept: [String] = []

    init() throws {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Peer.loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe withUnsafeMutablePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = unsafe bind(fd, $0, length)
                _ = unsafe getsockname(fd, $0, &length)
            }
        }
        self.fd = fd
        port = UInt16(bigEndian: address.sin_port)
        listen(fd, 8)
        Thread.detachNewThread { [self] in serve() }
    }

    var heads: [String] { lock.withLock { kept } }

    private func serve() {
        while true {
            let connection = accept(fd, nil, nil)
            if connection < 0 { return }
            let peer = Peer(fd: connection)
            peer.limitPatience()
            while true {
                let head = peer.receive(until: "}")
                if head.isEmpty { break }
                lock.withLock { kept.append(head) }
                peer.send("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
            }
        }
    }
}

extension Socket.AcceptResult {
    /// Whether nobody has connected yet.
    var isLater: Bool { if case .wouldBlock = self { true } else { false } }
}
