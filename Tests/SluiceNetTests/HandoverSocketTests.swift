import Glibc
import NetTestSupport
import Testing

@testable import SluiceNet

@Suite struct `Handing descriptors over` {
    private static func pair() throws -> (Int32, Int32) {
        var fds: [Int32] = [-1, -1]
        try #require(unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &fds) == 0)
        return (fds[0], fds[1])
    }

    /// Which file a descriptor is open on.
    private static func file(_ fd: Int32) -> ino_t {
        var status = stat()
        return unsafe fstat(fd, &status) == 0 ? status.st_ino : 0
    }

    @Test(arguments: [1, 3, HandoverSocket.descriptorsMax])
    func `as many as were sent arrive in order, with their text, and are closed on exec`(count: Int) throws {
        let (near, far) = try Self.pair()
        defer { [near, far].forEach(Socket.close) }
        var sent: [Int32] = []
        defer { sent.forEach(Socket.close) }
        for _ in 0..<count { sent.append(Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)) }
        try HandoverSocket.send(sent, text: "{\"listeners\":[\"127.0.0.1:4010\"]}", over: near)
        let (fds, text) = try HandoverSocket.receive(over: far)
        defer { fds.forEach(Socket.close) }
        #expect(text == "{\"listeners\":[\"127.0.0.1:4010\"]}")
        #expect(fds.map(Self.file) == sent.map(Self.file))
        #expect(fds.allSatisfy { fcntl($0, F_GETFD) & FD_CLOEXEC != 0 })
        #expect(Set(fds).isDisjoint(with: sent))
    }

    @Test func `a listening socket that was handed over takes connections`() throws {
        let (near, far) = try Self.pair()
        defer { [near, far].forEach(Socket.close) }
        let listening = try Socket.listen(on: .loopback, isShared: false)
        let address = try #require(Socket.localAddress(listening))
        try HandoverSocket.send([listening], text: "x", over: near)
        Socket.close(listening)
        let fds = try HandoverSocket.receive(over: far).fds
        defer { fds.forEach(Socket.close) }
        #expect(fds.count == 1)
        #expect(try Peer.isAccepted(at: address))
        #expect(Socket.localAddress(fds[0]) == address)
    }

    @Test func `a predecessor that says nothing and closes gives nothing`() throws {
        let (near, far) = try Self.pair()
        Socket.close(near)
        defer { Socket.close(far) }
        let (fds, text) = try HandoverSocket.receive(over: far)
        #expect(fds.isEmpty)
        #expect(text.isEmpty)
    }

    @Test func `a successor that is gone is an error and not a signal`() throws {
        let (near, far) = try Self.pair()
        defer { Socket.close(near) }
        Socket.close(far)
        #expect(throws: SystemError.self) { try HandoverSocket.send([near], text: "x", over: near) }
    }
}
