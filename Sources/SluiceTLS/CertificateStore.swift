internal import Synchronization

/// The TLS context of a listener, exchanged when its files change. Threads share it.
///
/// Connections made from an earlier context go on with that one.
package final class CertificateStore: Sendable {
    package enum Reload: Sendable, Equatable {
        /// The files hold what they held.
        case unchanged
        case replaced
    }

    private let configuration: DownstreamTLSConfiguration
    private let held: Mutex<TLSContext>

    /// - Throws: as `TLSContext(downstream:)`.
    package init(_ configuration: DownstreamTLSConfiguration) throws(TLSError) {
        self.configuration = configuration
        held = Mutex(try TLSContext(downstream: configuration))
    }

    /// With a certificate that stands in no file; `replace` exchanges it.
    package init(_ identity: IssuedCertificate, named name: String) throws(TLSError) {
        configuration = DownstreamTLSConfiguration(identities: [])
        held = Mutex(try TLSContext(downstream: configuration, DownstreamFiles(identity, named: name)))
    }

    /// Exchanges the certificate for one that stands in no file.
    ///
    /// - Throws: `.configuration`; the context in use stays.
    @discardableResult
    package func replace(with identity: IssuedCertificate, named name: String) throws(TLSError) -> Reload {
        let files = DownstreamFiles(identity, named: name)
        if files.digest == current.filesDigest { return .unchanged }
        let fresh = try TLSContext(downstream: configuration, files)
        held.withLock { $0 = fresh }
        return .replaced
    }

    /// The context for a connection that was just accepted.
    package var current: TLSContext { held.withLock { $0 } }

    /// Reads the files and, if their contents differ from those in use, exchanges the context. Blocks on the disk: for
    /// a thread that may. Safe from several threads; the last one to finish wins.
    ///
    /// - Parameter always: exchanges the context even so, which also renews the key that seals session tickets.
    /// - Throws: `.configuration`, naming the file; the context in use stays.
    @discardableResult
    package func reload(always: Bool = false) throws(TLSError) -> Reload {
        let files = try DownstreamFiles(configuration)
        if !always, files.digest == current.filesDigest { return .unchanged }
        let fresh = try TLSContext(downstream: configuration, files)
        held.withLock { $0 = fresh }
        return .replaced
    }
}
