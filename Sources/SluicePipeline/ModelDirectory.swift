internal import Synchronization

/// Which provider says that it has which models, as its model list said when it was last asked. Shared by all workers.
package final class ModelDirectory: Sendable {
    private struct State {
        var owners: [String: String] = [:]
        var lists: [String: [String]] = [:]
    }

    private let state = Mutex(State())
    private let changes = Atomic<Int>(0)
    /// Bounds on what a provider's list may make us keep.
    package static let modelsMax = 5000

    package init() {}

    /// The provider that lists a model; where several do, the first by name.
    func owner(of model: String) -> String? { state.withLock { $0.owners[model] } }

    /// Whether a provider lists a model.
    func lists(_ model: String, _ provider: String) -> Bool {
        state.withLock { $0.owners[model] != nil && $0.lists[provider]?.contains(model) == true }
    }

    /// The models of a provider, as it lists them.
    package func models(of provider: String) -> [String] { state.withLock { $0.lists[provider] ?? [] } }

    /// Changes with every list: what was found out with another one may not hold any more.
    var revision: Int { changes.load(ordering: .acquiring) }

    package func replace(_ models: [String], of provider: String) {
        state.withLock { state in
            state.lists[provider] = Array(models.prefix(Self.modelsMax))
            state.owners = [:]
            for name in state.lists.keys.sorted() {
                for model in state.lists[name] ?? [] where state.owners[model] == nil { state.owners[model] = name }
            }
        }
        changes.add(1, ordering: .releasing)
    }
}
