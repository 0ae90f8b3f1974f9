internal import Synchronization

/// What the process as a whole says about itself: read by health endpoints on every thread.
package final class GatewayStatus: Sendable {
    private let ready = Atomic<Bool>(false)
    private let overloaded = Atomic<Bool>(false)
    private let revision = Atomic<Int>(0)
    private let control = Atomic<Int>(-1)
    private let reloaded = Atomic<Int>(0)
    private let notReloaded = Atomic<Int>(0)
    private let since = Atomic<Int64>(0)
    private let reloadError = Mutex<String?>(nil)
    package let version: String

    package init(version: String) { self.version = version }

    /// Whether new requests are welcome: configured, listening, not draining, and memory for them.
    package var isReady: Bool { isServing && !isOverloaded }

    /// Configured, listening and not draining.
    package var isServing: Bool {
        get { ready.load(ordering: .relaxed) }
        set { ready.store(newValue, ordering: .relaxed) }
    }

    /// Requests are refused for want of memory.
    package var isOverloaded: Bool {
        get { overloaded.load(ordering: .relaxed) }
        set { overloaded.store(newValue, ordering: .relaxed) }
    }

    /// The configuration that is in force.
    package var configRevision: Int {
        get { revision.load(ordering: .relaxed) }
        set { revision.store(newValue, ordering: .relaxed) }
    }

    /// The revision of what is set through the management API; `nil` where nothing can be.
    package var controlRevision: Int? {
        get {
            let revision = control.load(ordering: .relaxed)
            return revision < 0 ? nil : revision
        }
        set { control.store(newValue ?? -1, ordering: .relaxed) }
    }

    /// Configurations after the first that came into force, and that did not.
    package var reloadCounts: (succeeded: Int, failed: Int) {
        (reloaded.load(ordering: .relaxed), notReloaded.load(ordering: .relaxed))
    }

    /// When the one in force came into force, in nanoseconds since 1970; 0: it is the first.
    package var configSince: Int64 { since.load(ordering: .relaxed) }

    /// - Parameter error: why it changed nothing; `nil` if it did.
    package func noteReload(_ error: String?, unixNanoseconds: Int64) {
        lastReloadError = error
        if error != nil {
            notReloaded.add(1, ordering: .relaxed)
            return
        }
        reloaded.add(1, ordering: .relaxed)
        since.store(unixNanoseconds, ordering: .relaxed)
    }

    /// Why the last reload changed nothing; `nil` if it succeeded.
    package var lastReloadError: String? {
        get { reloadError.withLock { $0 } }
        set { reloadError.withLock { $0 = newValue } }
    }
}
