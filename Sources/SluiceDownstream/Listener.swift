internal import SluiceCore
internal import SluiceHTTP
package import SluiceNet
package import SluiceTLS

/// A bound address on one worker: accepts connections and finds out which protocol each speaks.
package final class Listener {
    private let registry: ConnectionRegistry
    private let address: SocketAddress
    private let certificates: CertificateStore?
    private let speaksHTTP2: Bool
    private let trust: ListenerTrust
    private var socket: ListeningSocket?

    /// - Parameters:
    ///   - fd: a listening socket; the listener closes it.
    ///   - certificates: TLS if given; whether they offer HTTP/2 by ALPN is theirs to say.
    ///   - speaksHTTP2: without TLS, by prior knowledge.
    ///   - trust: `nil`: as far as the address goes.
    package init(
        fd: Int32, address: SocketAddress, certificates: CertificateStore?, speaksHTTP2: Bool = true,
        trust: ListenerTrust? = nil, registry: ConnectionRegistry
    ) throws(SystemError) {
        self.registry = registry
        self.address = address
        self.certificates = certificates
        self.speaksHTTP2 = speaksHTTP2
        self.trust = trust ?? (address.isLoopback ? .machine : .nobody)
        socket = try ListeningSocket(loop: registry.loop, fd: fd) { [unowned self] fd, peer in accepted(fd, peer) }
    }

    /// - Parameter keepsOpen: another process accepts from the same socket.
    package func close(keepsOpen: Bool) {
        socket?.close(keepsOpen: keepsOpen)
        socket = nil
    }

    private func accepted(_ fd: Int32, _ peer: SocketAddress) {
        do throws(SystemError) {
            let transport = try Transport(loop: registry.loop, fd: fd)
            let connection = NewConnection(
                transport: transport, registry: registry, peer: peer, listener: address, trust: trust,
                isTLS: certificates != nil, speaksHTTP2: speaksHTTP2)
            guard registry.enter(connection) else {
                registry.protocolError(ProtocolError(peer: peer, status: 503, message: "too many connections"))
                return connection.refuseForNumber(plain: certificates == nil)
            }
            connection.start(certificates)
        } catch {
            Socket.close(fd)
        }
    }
}
