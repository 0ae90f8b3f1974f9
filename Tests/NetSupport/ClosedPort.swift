internal import Glibc
package import SluiceNet

/// A port of 127.0.0.1 that refuses connections for as long as this lives: it is bound, so nobody else gets it, and not listened on.
package final class ClosedPort {
    package let address: SocketAddress
    private let fd: Int32

    package init() throws {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.fd = fd
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(fd, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0, let bound = Socket.localAddress(fd) else {
            Socket.close(fd)
            throw Peer.Failure(call: "bind")
        }
        self.address = bound
    }

    deinit { Socket.close(fd) }
}
