package import SluiceNet

/// Who is at the other end of a downstream connection.
package struct Peer: Sendable {
    package let address: SocketAddress
    /// The address's host as text, made once a connection.
    package let host: String
    /// The address of the listener that accepted the connection.
    package let listener: SocketAddress
    package let isTLS: Bool
    /// What a verified client certificate says, if there was one.
    package let certificateSubject: String?

    package init(address: SocketAddress, listener: SocketAddress, isTLS: Bool, certificateSubject: String?) {
        self.address = address
        host = address.host
        self.listener = listener
        self.isTLS = isTLS
        self.certificateSubject = certificateSubject
    }
}
