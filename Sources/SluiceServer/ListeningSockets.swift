internal import Glibc
internal import SluiceConfig
internal import SluiceCore
internal import SluiceDownstream
internal import SluiceNet
internal import SluiceTLS

/// The sockets that applications connect to: bound by us, given by the service manager, or taken over from a running Sluice.
final class ListeningSockets {
    private struct Entry {
        let address: SocketAddress
        let certificates: CertificateStore?
        let speaksHTTP2: Bool
        let trust: ListenerTrust
        /// One a worker.
        let fds: [Int32]
    }

    private var entries: [Entry] = []
    /// Sockets that were given to the process, by the address that they are bound to.
    private let given: [SocketAddress: [Int32]]
    /// A successor is given it too; no worker accepts from it.
    private var admin: (address: SocketAddress, fd: Int32)?
    let workerCount: Int
    private(set) var areInherited = false
    private var predecessor: Handover.Predecessor?
    private var hasHandedOver = false

    init(_ listeners: [ListenerConfiguration], workers: Int, handoverPath: String?) throws {
        workerCount = workers
        var given = InheritedSockets.fromServiceManager()
        areInherited = !given.isEmpty
        if let handoverPath, let predecessor = try Handover.Predecessor(path: handoverPath) {
            given.merge(predecessor.sockets) { first, _ in first }
            self.predecessor = predecessor
        }
        self.given = given
        for listener in listeners {
            guard let address = SocketAddress("\(listener.address)") else {
                throw Unusable(address: "\(listener.address)", reason: "it cannot be read")
            }
            let certificates = try listener.tls.map { try Self.certificates($0, speaksHTTP2: listener.http2) }
            let fds = try Self.fds(for: address, given[address] ?? [], workers)
            let bound = fds.first.flatMap(Socket.localAddress) ?? address
            entries.append(
                Entry(
                    address: address.isUnix ? address : bound, certificates: certificates, speaksHTTP2: listener.http2,
                    trust: Self.trust(listener), fds: fds))
        }
    }

    struct Unusable: Error, CustomStringConvertible {
        let address: String
        let reason: String
        var description: String { "cannot listen on \(address): \(reason)" }
    }

    private static func trust(_ listener: ListenerConfiguration) -> ListenerTrust {
        switch listener.trust {
        case .everyone: .everyone
        case .auto where listener.address.isLocal: .machine
        case .auto: listener.tls?.clientCertificate == .required ? .certificate : .nobody
        }
    }

    private static func certificates(_ tls: ListenerConfiguration.TLS, speaksHTTP2: Bool) throws -> CertificateStore {
        var configuration = DownstreamTLSConfiguration(
            identities: tls.certificates.map {
                TLSIdentityFiles(certificateFile: $0.certificateFile, privateKeyFile: $0.keyFile)
            })
        if !speaksHTTP2 { configuration.applicationProtocols = [.http1] }
        if let file = tls.clientCAFile {
            switch tls.clientCertificate {
            case .none: break
            case .optional: configuration.clientCertificates = .optional(authoritiesFile: file)
            case .required: configuration.clientCertificates = .required(authoritiesFile: file)
            }
        }
        return try CertificateStore(configuration)
    }

    private static func fds(for address: SocketAddress, _ given: [Int32], _ workers: Int) throws -> [Int32] {
        if !given.isEmpty {
            // Every given socket is accepted from, and every worker has one.
            return (0..<max(workers, given.count)).map { $0 < given.count ? given[$0] : dup(given[$0 % given.count]) }
        }
        if address.port != 0 || address.isUnix, Socket.isTaken(address) {
            throw Unusable(
                address: "\(address)",
                reason: "another process listens there; stop it, choose --listen, or take it over with --handover")
        }
        do throws(SystemError) {
            let first = try Socket.listen(on: address, isShared: workers > 1)
            var fds = [first]
            let bound = Socket.localAddress(first) ?? address
            for _ in 1..<max(workers, 1) {
                fds.append(address.isUnix ? dup(first) : try Socket.listen(on: bound, isShared: true))
            }
            return fds
        } catch {
            throw Unusable(address: "\(address)", reason: error.reason)
        }
    }

    var addresses: [(address: SocketAddress, isTLS: Bool)] { entries.map { ($0.address, $0.certificates != nil) } }
    var certificateStores: [CertificateStore] { entries.compactMap(\.certificates) }
    /// Those of listeners with TLS, by the listeners' addresses.
    var shownCertificates: [(address: String, certificates: CertificateStore)] {
        entries.compactMap { entry in entry.certificates.map { ("\(entry.address)", $0) } }
    }

    func bindings(forWorker index: Int) -> [Worker.Binding] {
        entries.flatMap { entry in
            stride(from: index, to: entry.fds.count, by: workerCount).map {
                Worker.Binding(
                    fd: entry.fds[$0], address: entry.address, certificates: entry.certificates,
                    speaksHTTP2: entry.speaksHTTP2, trust: entry.trust)
            }
        }
    }

    /// The socket for the admin port: a given one, or one that is bound now.
    func adminSocket(_ address: SocketAddress) throws -> Int32 {
        if let fd = given[address]?.first {
            admin = (address, fd)
            return fd
        }
        if address.port != 0 || address.isUnix, Socket.isTaken(address) {
            throw Unusable(
                address: "\(address)", reason: "another process listens there; choose another --admin address")
        }
        do throws(SystemError) {
            let fd = try Socket.listen(on: address, isShared: false)
            admin = (address, fd)
            return fd
        } catch {
            throw Unusable(address: "\(address)", reason: error.reason)
        }
    }

    /// Tells the predecessor, if there was one, that this process serves now.
    func becomeReady() throws { predecessor?.relieve() }

    /// What a successor is given.
    func forSuccessor() -> [(address: SocketAddress, fd: Int32)] {
        hasHandedOver = true
        return entries.flatMap { entry in entry.fds.map { (entry.address, $0) } } + (admin.map { [$0] } ?? [])
    }

    /// Removes the files of unix sockets, unless somebody else listens there now.
    func removeFiles() {
        if hasHandedOver || areInherited { return }
        for entry in entries {
            if case .unix(let path) = entry.address, !path.hasPrefix("@") { _ = unsafe unlink(path) }
        }
    }
}

/// Sockets that the service manager opened (sd_listen_fds(3)): descriptors from 3 on, as many as `LISTEN_FDS` says.
enum InheritedSockets {
    static func fromServiceManager() -> [SocketAddress: [Int32]] {
        guard let pid = variable("LISTEN_PID"), Int32(pid) == getpid(), let text = variable("LISTEN_FDS"),
            let count = Int32(text),
            count > 0, count < 1000
        else { return [:] }
        var sockets: [SocketAddress: [Int32]] = [:]
        for fd in 3..<3 + count {
            _ = fcntl(fd, F_SETFD, FD_CLOEXEC)
            _ = fcntl(fd, F_SETFL, O_NONBLOCK)
            if let address = Socket.localAddress(fd) { sockets[address, default: []].append(fd) }
        }
        return sockets
    }

    private static func variable(_ name: String) -> String? { unsafe getenv(name).map { unsafe String(cString: $0) } }
}
