internal import Glibc
internal import SluiceCore
internal import SluiceNet
package import SluiceTLS
internal import Synchronization

/// Moves what stores hold to the vault's current key, on a thread of its own, slowly enough that nobody notices.
package final class SecretRotation: Sendable {
    /// How one store is.
    package struct Store: Sendable, Equatable {
        package enum State: String, Sendable { case waiting, running, done, failed }

        package let name: String
        package var state = State.waiting
        package var lookedAt = 0
        package var moved = 0
        package var unreadable = 0
        /// How many values each key seals; complete once the state is `done`.
        package var keys: [SecretKeyID: Int] = [:]
        package var error: String?
    }

    package struct Report: Sendable, Equatable {
        package var isRunning = false
        /// The key that values are moved to, or were moved to last.
        package var key: SecretKeyID?
        package var stores: [Store] = []

        /// Whether no store holds anything that this key has sealed. `false` as long as that is not known.
        package func isUnused(_ key: SecretKeyID) -> Bool {
            stores.allSatisfy { $0.state == .done && $0.keys[key] == nil && $0.unreadable == 0 }
        }
    }

    package enum Event: Sendable {
        case finished(key: SecretKeyID, moved: Int, unreadable: Int)
        case storeFailed(name: String, reason: String)
    }

    private struct State {
        var stores: [any Resealable] = []
        var report = Report()
        var isWanted = false
        var perSecond = 2000
        var handler: (@Sendable (Event) -> Void)?
    }

    /// Values between two pauses: few, as a store may hold a lock for as long.
    private static let batchCount = 100
    /// After a store's error it is tried again so often, so long apart.
    private static let attemptsMax = 5
    private static let retryMicroseconds: UInt32 = 1_000_000

    private let vault: SecretVault
    private let state = Mutex(State())

    package init(_ vault: SecretVault) { self.vault = vault }

    package var report: Report { state.withLock { $0.report } }

    package func onEvent(_ handler: @escaping @Sendable (Event) -> Void) { state.withLock { $0.handler = handler } }

    package func add(_ store: any Resealable) {
        state.withLock {
            $0.stores.append(store)
            $0.report.stores.append(Store(name: store.sealedStoreName))
        }
    }

    /// Goes through all stores, if there is a key and there are stores; if that is under way, does it again after that.
    ///
    /// - Parameter perSecond: how many values to look at in a second.
    package func start(perSecond: Int) {
        let isStarting = state.withLock { state in
            state.perSecond = max(1, perSecond)
            if state.stores.isEmpty || !vault.hasKey { return false }
            state.isWanted = true
            if state.report.isRunning { return false }
            state.report.isRunning = true
            return true
        }
        if !isStarting { return }
        if !Thread.tryStart("reseal", { [self] in run() }) { state.withLock { $0.report.isRunning = false } }
    }

    // MARK: The thread

    private func run() {
        while let key = begin() {
            for index in 0..<state.withLock({ $0.stores.count }) { goThrough(index, key) }
            let report = self.report
            tell(
                .finished(
                    key: key, moved: report.stores.reduce(0) { $0 + $1.moved },
                    unreadable: report.stores.reduce(0) { $0 + $1.unreadable }))
        }
    }

    /// - Returns: the key to move to; `nil` if there is nothing to do any more.
    private func begin() -> SecretKeyID? {
        state.withLock { state in
            guard state.isWanted, let key = vault.currentKeyID else {
                state.report.isRunning = false
                return nil
            }
            state.isWanted = false
            state.report.key = key
            state.report.stores = state.stores.map { Store(name: $0.sealedStoreName) }
            return key
        }
    }

    private func goThrough(_ index: Int, _ key: SecretKeyID) {
        let store = state.withLock { state in
            state.report.stores[index].state = .running
            return state.stores[index]
        }
        var cursor: String?
        var attempts = 0
        while true {
            do {
                let batch = try store.reseal(after: cursor, count: Self.batchCount, with: vault)
                attempts = 0
                note(batch, index)
                cursor = batch.cursor
                if cursor == nil { return state.withLock { $0.report.stores[index].state = .done } }
                pause(after: batch.lookedAt)
            } catch {
                attempts += 1
                if attempts >= Self.attemptsMax { return fail(index, "\(error)") }
                _ = usleep(Self.retryMicroseconds)
            }
            // Another rotation meanwhile: this store is gone through again for it, from its beginning.
            if vault.currentKeyID != key { return state.withLock { $0.isWanted = true } }
        }
    }

    private func note(_ batch: ResealedBatch, _ index: Int) {
        state.withLock { state in
            state.report.stores[index].lookedAt += batch.lookedAt
            state.report.stores[index].moved += batch.moved
            state.report.stores[index].unreadable += batch.unreadable
            state.report.stores[index].keys.merge(batch.keys, uniquingKeysWith: +)
        }
    }

    private func fail(_ index: Int, _ reason: String) {
        let name = state.withLock { state in
            state.report.stores[index].state = .failed
            state.report.stores[index].error = reason
            return state.report.stores[index].name
        }
        tell(.storeFailed(name: name, reason: reason))
    }

    private func tell(_ event: Event) { state.withLock { $0.handler }?(event) }

    private func pause(after count: Int) {
        let perSecond = state.withLock { $0.perSecond }
        _ = usleep(UInt32(clamping: 1_000_000 * count / perSecond))
    }
}
