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

        /// Whether nobody who has the other may use what who has this may not. What is denied here has to be denied there.
        func covers(_ other: Rule) -> Bool {
            if other.allow.isEmpty { return true }
            guard allow.covers(other.allow) || other.bound.map(allow.covers) ?? false else { return false }
            guard deny.isEmpty || other.deny.covers(deny) else { return false }
            guard let bound else { return true }
            return bound.covers(other.allow) || other.bound.map(bound.covers) ?? false
        }

        func allows(_ name: String) -> Bool {
            isOpen || !deny.contains(name) && allow.contains(name) && (bound?.contains(name) ?? true)
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

    /// What who has the other may do, and who has this may not: the name of an action, or of a kind of names; `nil`: nothing.
    package func lacks(of other: Access) -> String? {
        for action in AdminAction.allCases where other.allows(action) && !allows(action) { return action.rawValue }
        let rules = [
            ("endpoints", endpoints, other.endpoints), ("models", models, other.models),
            ("providers", providers, other.providers), ("scenes", scenes, other.scenes),
        ]
        return rules.first { !$0.1.covers($0.2) }?.0
    }

    // MARK: Questions

    /// - Parameter endpoint: the path as a template: `/v1/chat/completions`.
    package func allows(endpoint: String) -> Bool { endpoints.allows(endpoint) }
    package func allows(endpoint: StaticString) -> Bool { endpoints.isOpen || endpoints.allows("\(endpoint)") }
    package func allows(model: String) -> Bool { models.allows(model) }
    package func allows(provider: String) -> Bool { providers.allows(provider) }
    /// - Parameter scene: empty for a request that names none.
    package func allows(scene: String) -> Bool { scenes.allows(scene) }
    package func allows(_ action: AdminAction) -> Bool { actions.contains(action) }

    /// Whether some role denies the model by name: whichever way the request came to it.
    package func denies(model: String) -> Bool { models.deny.contains(model) }

    package var allowsAllModels: Bool { models.isOpen }
    package var allowsAllProviders: Bool { providers.isOpen }
    package var allowsAllScenes: Bool { scenes.isOpen }
}
