internal import CLinux
internal import Glibc
internal import SluiceConfig
internal import SluiceCore
internal import SluiceNet
internal import SluicePipeline
internal import SluiceStorage
internal import SluiceTLS

/// Puts a changed configuration in force: on SIGHUP, and when one of its files has changed. A bad file changes nothing and says why.
///
/// Files are looked at once a second rather than watched: a ConfigMap is replaced through links in another directory, which a watch
/// on the file never sees.
final class Reload: TimerTarget {
    private struct Stamp: Equatable {
        var device: UInt64 = 0
        var inode: UInt64 = 0
        var size: Int64 = 0
        var seconds: Int = 0
        var nanoseconds: Int = 0
        /// Of a folder: what is in it.
        var content: [Stamp] = []

        /// - Parameter isDeep: whether a folder's files count.
        init(_ path: String, isDeep: Bool = true) {
            var info = Glibc.stat()
            guard unsafe stat(path, &info) == 0 else { return }
            device = UInt64(info.st_dev)
            inode = UInt64(info.st_ino)
            size = Int64(info.st_size)
            seconds = info.st_mtim.tv_sec
            nanoseconds = info.st_mtim.tv_nsec
            if !isDeep || info.st_mode & S_IFMT != S_IFDIR { return }
            // A file that was wrong is not one of the configuration's, and may be put right in its place.
            let names = (try? ConfigEnvironment.process.directory(path)) ?? []
            content = names.filter { !$0.hasPrefix(".") }.sorted().prefix(Self.contentMax).map {
                Stamp(path + "/" + $0, isDeep: false)
            }
        }

        private static let contentMax = 1000
    }

    private unowned let server: Server
    private var stamps: [String: Stamp] = [:]
    private var timer: LoopTimer?
    private var revision = 1
    private static let lookEvery = Duration.seconds(1)

    /// What the configuration in force says, as it is written.
    private var written: ConfigValue

    init(_ server: Server, _ outcome: ConfigOutcome<ServerConfiguration>) {
        self.server = server
        written = outcome.written
        watch(outcome.files)
    }

    func start() {
        let timer = LoopTimer(target: self)
        self.timer = timer
        server.loop.arm(timer, after: Self.lookEvery)
    }

    private func watch(_ files: [String]) {
        stamps = [:]
        for file in files { stamps[file] = Stamp(file) }
    }

    func timerFired(_ timer: LoopTimer) {
        server.loop.arm(timer, after: Self.lookEvery)
        reloadCertificates()
        guard let changed = stamps.first(where: { Stamp($0.key) != $0.value })?.key else { return }
        reload(because: "\(changed) changed")
    }

    /// The same, after the command that fetches the master keys has run again. It may take its time: no loop waits for it.
    func reloadWithKeys(because reason: String) {
        guard let command = server.configuration.secrets?.keyCommand else { return reload(because: reason) }
        nonisolated(unsafe) let confined = self  // used on the control loop alone
        let (commands, events, loop) = (server.keyCommands, server.shared.events, server.loop)
        let isStarted = Thread.tryStart("key-command") {
            do throws(MasterKeyCommand.Failure) {
                try commands.refresh(command)
            } catch {
                events.failed("master key not fetched: the old one stays in force", "\(error)")
            }
            loop.execute { unsafe confined.reload(because: reason) }
        }
        if !isStarted { reload(because: reason) }
    }

    func reload(because reason: String) {
        watch(Array(stamps.keys))
        let events = server.shared.events
        do throws(ConfigErrors) {
            let layered = try LayeredConfiguration.load(
                file: server.options.configFile, overrides: server.options.overrides, environment: server.environment,
                units: server.control?.units ?? [:])
            let outcome = layered.outcome
            let generation = try SnapshotBuilder.build(
                outcome.value, revision: revision + 1, environment: .process, lasting: server.shared.lasting)
            revision += 1
            watch(outcome.files)
            let changed = ChangedSettings.names(from: written, to: outcome.written)
            written = outcome.written
            let fixed = Self.fixedParts(outcome.value, server.configuration)
            server.adopt(layered, generation)
            server.auditReload(revision: revision, because: reason, changed: changed)
            server.shared.status.noteReload(nil, unixNanoseconds: EventLoop.readWallClock())
            events.event(.info, "configuration reloaded") { line in
                line.field("event.reason", reason)
                line.field("sluice.config.revision", revision)
                if !fixed.isEmpty { line.field("sluice.config.needs_restart", fixed) }
            }
        } catch {
            server.shared.status.noteReload("\(error)", unixNanoseconds: EventLoop.readWallClock())
            server.shared.lasting.audit.append(
                AuditEvent(.configurationRefused, subject: server.options.configFile, details: [.init("reason", reason)]))
            events.event(.error, "configuration not reloaded: the old one stays in force") { line in
                line.field("event.reason", reason)
                line.field("error.message", "\(error)")
            }
        }
    }

    /// Settings that a running process cannot change.
    private static func fixedParts(_ new: ServerConfiguration, _ old: ServerConfiguration) -> String {
        var parts: [String] = []
        if new.listeners != old.listeners { parts.append("listeners") }
        if new.admin != old.admin { parts.append("admin") }
        if new.workers != old.workers { parts.append("workers") }
        if new.auditDirectory != old.auditDirectory { parts.append("audit") }
        if new.log.destination != old.log.destination || new.log.level != old.log.level { parts.append("log") }
        if new.limits.connectionsMax != old.limits.connectionsMax { parts.append("limits.connections_max") }
        return parts.joined(separator: ", ")
    }

    private func reloadCertificates() {
        for store in server.sockets.certificateStores {
            do throws(TLSError) {
                if case .replaced = try store.reload() { server.shared.events.event(.info, "certificates reloaded") }
            } catch {
                if error.message == lastCertificateError { continue }
                lastCertificateError = error.message
                server.shared.events.failed("certificates not reloaded: the old ones stay in force", error.message)
            }
        }
    }

    private var lastCertificateError: String?
}
