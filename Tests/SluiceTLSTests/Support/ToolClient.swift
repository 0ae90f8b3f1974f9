import Foundation
import Glibc
import SluiceCore
import SluiceTLS

/// The `openssl s_client` tool, connected to a downstream session: for what our own sessions never send.
final class ToolClient {
    let session: TLSSession
    let received = ByteBuffer()
    private let process = Process()
    private let commands = Pipe()
    private let socket: Int32

    init(_ context: TLSContext, _ options: String...) throws {
        session = try TLSSession(downstream: context)
        let listener = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { _ = Glibc.close(listener) }
        let port = try Self.listen(on: listener)
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = ["s_client", "-connect", "127.0.0.1:\(port)", "-servername", "api.example.com"] + options
        process.standardInput = commands
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        socket = accept(listener, nil, nil)
        if socket < 0 { throw POSIXError(.ECONNABORTED) }
    }

    deinit {
        _ = Glibc.close(socket)
        process.terminate()
        process.waitUntilExit()
    }

    /// Types into the tool: text to send, or a command alone on its line.
    func type(_ text: String) { commands.fileHandleForWriting.write(Data(text.utf8)) }

    /// Carries what comes next, waiting for it up to two seconds. False if nothing came or the tool has gone.
    func step() throws(TLSError) -> Bool {
        send()
        var waiting = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&waiting, 1, 2000) == 1 else { return false }
        var bytes = [UInt8](repeating: 0, count: 32 << 10)
        let count = unsafe read(socket, &bytes, bytes.count)
        if count <= 0 { return false }
        defer { send() }
        _ = try session.receive(bytes.span.extracting(first: count), appendingTo: received)
        return true
    }

    private func send() {
        let bytes = session.outbound.takeAll()
        if !bytes.isEmpty { _ = unsafe Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }
    }

    private static func listen(on socket: Int32) throws -> UInt16 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = unsafe withUnsafeMutablePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(socket, address, size) == 0 && Glibc.listen(socket, 1) == 0
                    && getsockname(socket, address, &size) == 0
            }
        }
        if !isListening { throw POSIXError(.EADDRNOTAVAIL) }
        return UInt16(bigEndian: address.sin_port)
    }
}
