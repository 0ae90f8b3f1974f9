internal import SluiceCore

/// Which variables the application's containers get.
struct VariablePlan {
    struct Change {
        let container: ContainerFacts
        let setsBaseURL: Bool
        let setsKey: Bool
    }

    static let baseURL = "OPENAI_BASE_URL"
    static let key = "OPENAI_API_KEY"

    private(set) var changes: [Change] = []
    /// A container keeps a key that the sidecar knows nothing of.
    private(set) var keepsKeys = false
    private(set) var warnings: [String] = []

    init(_ pod: PodFacts, _ plan: SidecarPlan) {
        if plan.variables == .none { return }
        // Those that run before a plain container have no sidecar yet.
        let initial = plan.kind == .native ? pod.initContainers : []
        for container in pod.containers + initial {
            if plan.skipped.contains(container.name) || container.name == SidecarPlan.containerName { continue }
            add(container, plan)
        }
    }

    private mutating func add(_ container: ContainerFacts, _ plan: SidecarPlan) {
        if plan.variables == .override {
            changes.append(Change(container: container, setsBaseURL: true, setsKey: true))
            return
        }
        let url = container.variable(Self.baseURL)
        let key = container.variable(Self.key)
        if let url, url.value != plan.baseURL {
            warnings.append(
                "container \(container.name) keeps its own \(Self.baseURL): its requests do not go through sluice (sluice.io/env: override)"
            )
            return
        }
        if key != nil, key?.value != plan.podKey.exposedText { keepsKeys = true }
        if container.takesVariables {
            warnings.append(
                "container \(container.name): \(Self.baseURL) and \(Self.key) go before those of its envFrom (sluice.io/skip-containers leaves it alone)"
            )
        }
        if url == nil || key == nil {
            changes.append(Change(container: container, setsBaseURL: url == nil, setsKey: key == nil))
        }
    }
}
