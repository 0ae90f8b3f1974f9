/// What somebody may use, compiled from roles: what one of them allows, unless one of them denies it.
package final class Access: Sendable {
    /// Names of one kind.
    struct Rule: Sendable {
        var allow = NameSet()
        var deny = NameSet()
        /// What is more: only these. `nil`: no such bound.
        var bound: NameSet?

        /// Nothing has to be looked up.
        var isOpen: Bool { allow.isAll && deny.isEmpty && bound == nil }

        func allows(_ name: String) -> Bool {
            isOpen || !deny.contains(name) && allow.contains(name) && (bound?.contains(name) ?? true)
        }

        /// Whether everything that the other allows is allowed here, as far as patterns tell.
        func covers(_ other: Rule) -> Bool {
            if isOpen { return true }
            let others = other.bound ?? other.allow
            return (allow.covers(other.allow) || allow.covers(others)) && other.deny.covers(deny)
                && (bound?.covers(others) ?? true)
        }
    }

    private let endpoints: Rule
    private let models: Rule
    private let providers: Rule
    private let scenes: Rule
    private let actions: AdminActions
    /// Whether one of the roles lets its holder speak for others.
    package let mayClaim: Bool

    /// - Parameter modelBound: if given, no other models than these, whatever roles allow.
    package init(_ roles: [Role], modelBound: [String]? = nil) {
        var endpoints = Rule()
        var models = Rule()
        var providers = Rule()
        var scenes = Rule()
        var allowed = AdminActions()
        var denied = AdminActions()
        for role in roles {
            Self.add(role.allow.endpoints, role.deny.endpoints, to: &endpoints)
            Self.add(role.allow.models, role.deny.models, to: &models)
            Self.add(role.allow.providers, role.deny.providers, to: &providers)
            Self.add(role.allow.scenes, role.deny.scenes, to: &scenes)
            allowed.formUnion(AdminActions(NameSet(role.allow.actions)))
            denied.formUnion(AdminActions(NameSet(role.deny.actions)))
        }
        models.bound = modelBound.map { NameSet($0) }
        allowed.subtract(denied)
        self.endpoints = endpoints
        self.models = models
        self.providers = providers
        self.scenes = scenes
        actions = allowed
        mayClaim = roles.contains { $0.mayClaim }
    }

    private static func add(_ allowed: [String], _ denied: [String], to rule: inout Rule) {
        rule.allow.insert(allowed)
        rule.deny.insert(denied)
    }

    package static let everything = Access([.admin])
    package static let nothing = Access([])

    // MARK: Questions

    /// - Parameter endpoint: the path as a template: `/v1/chat/completions`.
    package func allows(endpoint: String) -> Bool { endpoints.allows(endpoint) }
    package func allows(endpoint: StaticString) -> Bool { endpoints.isOpen || endpoints.allows("\(endpoint)") }
    package func allows(model: String) -> Bool { models.allows(model) }
    package func allows(provider: String) -> Bool { providers.allows(provider) }
    /// - Parameter scene: empty for a request that names none.
    package func allows(scene: String) -> Bool { scenes.allows(scene) }
    package func allows(_ action: AdminAction) -> Bool { actions.contains(action) }

    /// What another access allows, and this one does not; `nil`: nothing. Endpoints do not count: who manages keys need not ask
    /// models himself.
    package func excess(of other: Access) -> String? {
        if let action = AdminAction.allCases.first(where: { other.allows($0) && !allows($0) }) { return action.rawValue }
        let isCovered = models.covers(other.models) && providers.covers(other.providers) && scenes.covers(other.scenes)
        return isCovered ? nil : "other models, providers or scenes"
    }

    /// Whether some role denies the model by name: whichever way the request came to it.
    package func denies(model: String) -> Bool { models.deny.contains(model) }

    package var allowsAllModels: Bool { models.isOpen }
    package var allowsAllProviders: Bool { providers.isOpen }
    package var allowsAllScenes: Bool { scenes.isOpen }
}
