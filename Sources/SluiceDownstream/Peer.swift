package import SluiceCore
package import SluiceNet

/// Whom a listener takes at his word.
package enum ListenerTrust: Sendable {
    /// Only this machine can connect: whoever does is the one that the configuration says.
    case machine
    /// The configuration says that whoever connects may ask.
    case everyone
    /// TLS lets nobody in without a certificate: that is enough where nothing else is demanded.
    case certificate
    /// Who connects has to show who he is.
    case nobody
}

/// Who is at the other end of a downstream connection.
package struct Peer: Sendable {
    package let address: SocketAddress
    /// The address's host as text, made once a connection.
    package let host: String
    /// The address of the listener that accepted the connection.
    package let listener: SocketAddress
    package let trust: ListenerTrust
    package let isTLS: Bool
    /// What a verified client certificate says, if there was one.
    package let certificate: ClientCertificate?

    package init(
        address: SocketAddress, listener: SocketAddress, trust: ListenerTrust, isTLS: Bool,
        certificate: ClientCertificate? = nil
    ) {
        self.address = address
        host = address.host
        self.listener = listener
        self.trust = trust
        self.isTLS = isTLS
        self.certificate = certificate
    }
}
