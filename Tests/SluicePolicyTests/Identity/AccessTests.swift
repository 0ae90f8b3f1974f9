import SluiceCore
import SluicePolicy
internal import TestSupport
import Testing

@Suite struct `What roles allow` {
    private static func role(_ name: String, _ change: (inout Role) -> Void) -> Role {
        var role = Role(name: name, allow: Role.Names(endpoints: ["*"]))
        change(&role)
        return role
    }

    @Test func `is what one of them allows, unless one of them denies it`() {
        let wide = Self.role("wide") { $0.allow.models = ["gpt-*", "claude-fable-5"] }
        let narrow = Self.role("narrow") {
            $0.allow.models = ["gemini-3"]
            $0.deny.models = ["gpt-*-pro"]
        }
        let access = Access([wide, narrow])
        for model in ["gpt-5.4", "claude-fable-5", "gemini-3", "gpt-"] { #expect(access.allows(model: model), "\(model)") }
        for model in ["gpt-5.4-pro", "claude-opus", "gemini-3-x", "", "GPT-5.4"] {
            #expect(!access.allows(model: model), "\(model)")
        }
        #expect(access.denies(model: "gpt-6-pro") && !access.denies(model: "claude-opus"))
    }

    @Test func `is bounded by what a key is for`() {
        let access = Access([.app], modelBound: ["small", "mini-*"])
        #expect(access.allows(model: "small") && access.allows(model: "mini-2") && !access.allows(model: "large"))
        #expect(!access.allowsAllModels)
    }

    @Test func `is nothing where there is no role, and everything for admins`() {
        #expect(!Access.nothing.allows(endpoint: "/v1/models") && !Access.nothing.allows(model: "m"))
        #expect(AdminAction.allCases.allSatisfy { Access.everything.allows($0) && !Access.nothing.allows($0) })
        #expect(Access.everything.allows(endpoint: "/anything") && Access.everything.allows(scene: ""))
    }

    @Test func `of a scene is only for who names one`() {
        let access = Access([Self.role("r") { $0.allow.scenes = ["translate", "sum-*"] }])
        #expect(access.allows(scene: "translate") && access.allows(scene: "sum-1"))
        #expect(!access.allows(scene: "") && !access.allows(scene: "other"))
    }

    /// Whatever the roles: allowed if and only if some role allows it and none denies it.
    @Test func `is what the words say, for any roles`() {
        let names = ["a", "ab", "abc", "b", "ba", ""]
        let patterns = ["a", "ab", "a*", "*b", "*", "abc", "b*a"]
        for seed in SplitMix64.seeds(1500) {
            var random = SplitMix64(seed)
            func some() -> [String] { patterns.filter { _ in Int.random(in: 0..<4, using: &random) == 0 } }
            let roles = (0..<Int.random(in: 0...3, using: &random)).map { number in
                var role = Role(name: "r\(number)", allow: Role.Names(models: some(), providers: some()))
                role.deny.models = some()
                role.deny.providers = some()
                return role
            }
            let access = Access(roles)
            for name in names {
                func isIn(_ list: [String]) -> Bool { list.contains { NamePattern($0).matches(name) } }
                let isAllowed = roles.contains { isIn($0.allow.models) } && !roles.contains { isIn($0.deny.models) }
                #expect(access.allows(model: name) == isAllowed, "seed \(seed) \(name)")
                let hasProvider =
                    roles.contains { isIn($0.allow.providers) } && !roles.contains { isIn($0.deny.providers) }
                #expect(access.allows(provider: name) == hasProvider, "seed \(seed) \(name)")
            }
        }
    }
}

@Suite struct `The matrix of permissions` {
    /// A line a role: what it may do, and what it may ask.
    private static let matrix: [String: (actions: Set<String>, endpoints: Set<String>)] = [
        "admin": (Set(AdminAction.allCases.map(\.rawValue)), Set(endpoints)),
        "operator": (
            [
                "config.read", "config.write", "models.read", "models.write", "keys.read", "users.read", "roles.read",
                "limits.read", "limits.write", "history.read_own", "usage.read_own", "usage.read_all", "cache.purge",
                "targets.reset", "status.read",
            ], ["/v1/models", "/api/v1/models"]
        ),
        "auditor": (
            [
                "config.read", "models.read", "keys.read", "users.read", "roles.read", "limits.read", "history.read_own",
                "history.read_all", "usage.read_own", "usage.read_all", "audit.read", "status.read",
            ], ["/v1/models", "/api/v1/models"]
        ),
        "developer": (
            ["models.read", "limits.read", "history.read_own", "usage.read_own", "status.read"], Set(endpoints)
        ),
        "app": (["models.read", "history.read_own", "usage.read_own"], Set(endpoints)),
    ]

    private static let endpoints = [
        "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/moderations",
        "/v1/images/*", "/v1/audio/speech", "/v1/audio/*", "/v1/models", "/v1/files", "/v1/batches", "/v1/messages",
        "/v1/messages/count_tokens", "/api/v1/chat/completions", "/api/v1/models",
    ]

    @Test func `has every built-in role`() { #expect(Set(Self.matrix.keys) == Set(Role.builtIn.map(\.name))) }

    @Test func `holds for every role, every action and every endpoint`() throws {
        let policy = AccessPolicy()
        for role in Role.builtIn {
            let row = try #require(Self.matrix[role.name])
            let access = policy.access(roles: [role.name])
            for action in AdminAction.allCases {
                #expect(access.allows(action) == row.actions.contains(action.rawValue), "\(role.name) \(action.rawValue)")
            }
            for endpoint in Self.endpoints {
                #expect(access.allows(endpoint: endpoint) == row.endpoints.contains(endpoint), "\(role.name) \(endpoint)")
            }
        }
    }

    @Test func `adds up: two roles may do what one of them may`() {
        let policy = AccessPolicy()
        for one in Role.builtIn {
            for other in Role.builtIn {
                let both = policy.access(roles: [one.name, other.name])
                let first = policy.access(roles: [one.name])
                let second = policy.access(roles: [other.name])
                for action in AdminAction.allCases {
                    #expect(both.allows(action) == (first.allows(action) || second.allows(action)))
                }
            }
        }
    }

    @Test func `is not widened by roles that nobody knows`() {
        let access = AccessPolicy().access(roles: ["root", "Admin", ""])
        #expect(AdminAction.allCases.allSatisfy { !access.allows($0) } && !access.allows(endpoint: "/v1/models"))
    }

    @Test func `lets nobody but admins say who may do what`() {
        let writes: [AdminAction] = [.writeKeys, .writeUsers, .writeRoles, .rotateSecrets]
        for role in Role.builtIn where role.name != "admin" {
            let access = Access([role])
            for action in writes { #expect(!access.allows(action), "\(role.name) \(action.rawValue)") }
            #expect(!access.mayClaim, "\(role.name)")
        }
    }
}

@Suite struct `What another may do beyond` {
    /// Whatever the roles: where it says that there is nothing beyond, there is nothing.
    @Test func `is told the truth, for any roles`() {
        let names = ["a", "ab", "abc", "b", "ba", "cab", ""]
        let patterns = ["a", "ab", "a*", "*b", "*", "abc", "b*a", "c*"]
        var covered = 0
        for seed in SplitMix64.seeds(3000) {
            var random = SplitMix64(seed)
            func some(_ one: Int) -> [String] { patterns.filter { _ in Int.random(in: 0..<one, using: &random) == 0 } }
            func access() -> Access {
                var role = Role(name: "r", allow: Role.Names(models: some(3)))
                role.deny.models = some(9)
                return Access([role], modelBound: Bool.random(using: &random) ? nil : some(3))
            }
            let (one, other) = (access(), access())
            guard one.excess(of: other) == nil else { continue }
            covered += 1
            for name in names where other.allows(model: name) { #expect(one.allows(model: name), "seed \(seed) \(name)") }
        }
        #expect(covered > 100)
    }
}
