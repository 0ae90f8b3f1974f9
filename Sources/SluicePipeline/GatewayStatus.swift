internal import Synchronization

/// What the process as a whole says about itself: read by health endpoints on every thread.
package final class GatewayStatus: Sendable {
    private let ready = Atomic<Bool>(false)
    private let overloaded = Atomic<Bool>(false)
    private let revision = Atomic<Int>(0)
    private let control = Atomic<Int>(-1)
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

    /// Why the last reload changed nothing; `nil` if it succeeded.
    package var lastReloadError: String? {
        get { reloadError.withLock { $0 } }
        set { reloadError.withLock { $0 = newValue } }
    }
}
