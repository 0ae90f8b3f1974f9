internal import Glibc
internal import SluiceDownstream
package import SluiceNet
internal import SluiceTLS

/// A provider to practise against: speaks the OpenAI dialect, as fast, as slow and as badly as it is told.
package final class MockServer {
    package struct Unusable: Error, CustomStringConvertible {
        package let description: String
    }

    /// Where it listens, with the ports that were chosen.
    package let addresses: [SocketAddress]
    package let isTLS: Bool
    private let workers: [MockWorker]

    private static let connectionsMax = 100_000

    /// Binds and serves, until `stop()`.
    package init(_ options: MockOptions) throws {
        let certificates = try Self.certificates(options)
        isTLS = certificates != nil
        var bound: [(address: SocketAddress, fds: [Int32])] = []
        for address in options.addresses { bound.append(try Self.bind(address, workers: options.workers)) }
        addresses = bound.map(\.address)
        let shared = MockShared(options)
        let connections = ConnectionCount(max: Self.connectionsMax)
        workers = try (0..<options.workers).map { index in
            try MockWorker(
                index: index, bindings: bound.map { MockWorker.Binding(fd: $0.fds[index], address: $0.address) },
                certificates: certificates, connections: connections, shared: shared)
        }
    }

    /// Closes every connection; returns before that is done.
    package func stop() { for worker in workers { worker.stop() } }

    private static func certificates(_ options: MockOptions) throws -> CertificateStore? {
        switch (options.certificateFile, options.privateKeyFile) {
        case (nil, nil): return nil
        case (let certificate?, let key?):
            let identity = TLSIdentityFiles(certificateFile: certificate, privateKeyFile: key)
            return try CertificateStore(DownstreamTLSConfiguration(identities: [identity]))
        default: throw Unusable(description: "TLS needs --certificate and --key")
        }
    }

    /// One socket a worker.
    private static func bind(_ address: SocketAddress, workers: Int) throws -> (address: SocketAddress, fds: [Int32]) {
        if address.port != 0 || address.isUnix, Socket.isTaken(address) {
            throw Unusable(
                description:
                    "cannot listen on \(address): another process listens there; choose another --listen address")
        }
        do throws(SystemError) {
            let first = try Socket.listen(on: address, isShared: workers > 1)
            let bound = address.isUnix ? address : Socket.localAddress(first) ?? address
            var fds = [first]
            for _ in 1..<max(workers, 1) {
                fds.append(address.isUnix ? dup(first) : try Socket.listen(on: bound, isShared: true))
            }
            return (bound, fds)
        } catch {
            throw Unusable(description: "cannot listen on \(address): \(error.reason)")
        }
    }
}
