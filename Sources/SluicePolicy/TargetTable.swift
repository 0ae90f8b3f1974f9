package import SluiceCore
internal import Synchronization

/// One model as one provider has it: what can answer a request.
package struct TargetID: Hashable, Sendable {
    package let provider: String
    /// As the provider spells it.
    package let model: String

    package init(provider: String, model: String) {
        self.provider = provider
        self.model = model
    }
}

/// What the process knows of one target. Shared by all workers, and kept when the configuration changes.
package final class TargetState: Sendable {
    package let id: TargetID
    package let load = TargetLoad()
    package let health: TargetHealth
    package let quota = QuotaReading()
    /// Nanoseconds on the monotonic clock.
    private let closedUntil = Atomic<Int64>(0)

    init(_ id: TargetID) {
        self.id = id
        health = TargetHealth(seed: UInt64(bitPattern: Int64(id.hashValue)))
    }

    /// Whether it makes sense to ask it now.
    package func isAvailable(at now: Instant) -> Bool { now.nanoseconds >= closedUntil.load(ordering: .relaxed) }

    /// It is known not to answer before then.
    package func close(until instant: Instant) {
        closedUntil.max(instant.nanoseconds, ordering: .relaxed)
    }

    /// What was known is known no more.
    package func open() { closedUntil.store(0, ordering: .relaxed) }
}

/// The states of all targets that were ever asked for, within a bound on those that callers choose.
package final class TargetTable: Sendable {
    private struct States {
        var all: [TargetID: TargetState] = [:]
        /// How many of them no configuration has named.
        var otherCount = 0
        var named: Set<TargetID> = []
    }

    private let states = Mutex(States())
    /// Callers may choose names behind a provider's prefix: what is over the bound shares no memory with others, and is not kept.
    private static let otherCountMax = 10_000

    package init() {}

    /// - Parameter isConfigured: the configuration names the target: it is kept, whatever callers have asked for.
    package func state(of id: TargetID, isConfigured: Bool = false) -> TargetState {
        states.withLock { states in
            let known = states.all[id]
            let state = known ?? TargetState(id)
            if isConfigured {
                if states.named.insert(id).inserted, known != nil { states.otherCount -= 1 }
                states.all[id] = state
            } else if known == nil, states.otherCount < Self.otherCountMax {
                states.otherCount += 1
                states.all[id] = state
            }
            return state
        }
    }

    /// The state of a target that was asked for before.
    package func known(_ id: TargetID) -> TargetState? { states.withLock { $0.all[id] } }

    /// All of them, by provider and model.
    package var all: [TargetState] {
        states.withLock { Array($0.all.values) }.sorted { ($0.id.provider, $0.id.model) < ($1.id.provider, $1.id.model) }
    }
}
