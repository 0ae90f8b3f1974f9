package import SluicePolicy

/// A service account of Kubernetes.
package struct ServiceAccount: Sendable, Equatable {
    package let namespace: String
    package let name: String

    package init(namespace: String, name: String) {
        self.namespace = namespace
        self.name = name
    }

    /// - Parameter subject: `system:serviceaccount:namespace:name`, as tokens and reviews have it.
    package init?(subject: String?) {
        guard let subject else { return nil }
        let parts = subject.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "system", parts[1] == "serviceaccount", Self.isName(parts[2]),
            Self.isName(parts[3])
        else { return nil }
        namespace = String(parts[2])
        name = String(parts[3])
    }

    /// A DNS subdomain in lower case (Kubernetes, "Object Names and IDs").
    private static func isName(_ text: Substring) -> Bool {
        1...253 ~= text.utf8.count
            && text.utf8.allSatisfy { byte in
                byte &- 0x61 < 26 || byte &- 0x30 < 10 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            }
    }
}

/// What service accounts are here.
package struct ServiceAccountRules: Sendable, Equatable {
    package struct Rule: Sendable, Equatable {
        /// Names, with one `*` each.
        package var namespace: String
        package var name: String
        package var grant: Grant

        package init(namespace: String, name: String, grant: Grant) {
            self.namespace = namespace
            self.name = name
            self.grant = grant
        }
    }

    /// The first that matches counts; without one an account has no role, and so may do nothing.
    package var rules: [Rule]

    package init(_ rules: [Rule]) { self.rules = rules }

    package func principal(_ account: ServiceAccount, under policy: AccessPolicy) -> Principal {
        let rule = rules.first { rule in
            NamePattern(rule.namespace).matches(account.namespace) && NamePattern(rule.name).matches(account.name)
        }
        let id = "k8s:\(account.namespace)/\(account.name)"
        return (rule?.grant ?? Grant()).principal(
            id: id, kind: .serviceAccount, user: "\(account.namespace)/\(account.name)", under: policy)
    }
}

/// What a rule gives to whom it matches.
package struct Grant: Sendable, Equatable {
    package var roles: [String] = []
    package var user: String?
    package var team: String?
    package var businessLine: String?
    package var tenant: String?

    package init(
        roles: [String] = [], user: String? = nil, team: String? = nil, businessLine: String? = nil,
        tenant: String? = nil
    ) {
        self.roles = roles
        self.user = user
        self.team = team
        self.businessLine = businessLine
        self.tenant = tenant
    }

    func principal(id: String, kind: PrincipalKind, user usual: String?, under policy: AccessPolicy) -> Principal {
        policy.principal(
            id: id, kind: kind, user: user ?? usual, team: team, businessLine: businessLine,
            roles: roles.isEmpty ? nil : roles, tenant: tenant)
    }
}
