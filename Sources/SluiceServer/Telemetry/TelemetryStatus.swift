internal import SluiceCore
internal import Synchronization

/// How sending to one receiver goes. Read from any thread; outlives a configuration that still names the receiver.
final class TelemetryStatus: Sendable {
    struct Counts: Sendable {
        /// Requests that were taken, refused for good, and failed so that they are sent again.
        var accepted = 0
        var refused = 0
        var failed = 0
        var itemsSent = 0
        var bytesSent = 0
        /// Items that nobody will get: there was no room, they were refused, the process ended.
        var droppedFull = 0
        var droppedRefused = 0
        var droppedAtExit = 0
        var waitingBytes = 0
        /// Seconds since 1970.
        var lastSuccess: Double?
        var lastError: String?
        var lastDuration = Duration.zero
        /// Since when nothing has been taken.
        var troubledSince: Instant?

        /// Whether the last request was taken.
        var isUp: Bool { troubledSince == nil && lastSuccess != nil }
        var dropped: Int { droppedFull + droppedRefused + droppedAtExit }
    }

    private let counts = Mutex(Counts())

    var current: Counts { counts.withLock { $0 } }

    func change<Result: Sendable>(_ body: (inout Counts) -> Result) -> Result {
        counts.withLock { counts in body(&counts) }
    }
}

/// Of all receivers, by name.
final class TelemetryStatuses: Sendable {
    private let entries = Mutex<[String: TelemetryStatus]>([:])

    subscript(name: String) -> TelemetryStatus {
        entries.withLock { entries in
            if let status = entries[name] { return status }
            let status = TelemetryStatus()
            entries[name] = status
            return status
        }
    }

    /// Forgets those that the configuration does not name any more.
    func keep(only names: Set<String>) { entries.withLock { $0 = $0.filter { names.contains($0.key) } } }

    var all: [(name: String, counts: TelemetryStatus.Counts)] {
        entries.withLock { $0.map { ($0.key, $0.value.current) } }.sorted { $0.0 < $1.0 }
    }
}
