/// Who goes before whom: classes of priority, the most urgent first.
package struct PriorityClasses: Sendable, Equatable {
    package struct Class: Sendable, Equatable {
        package var name: String
        package var users: Set<String> = []
        package var roles: Set<String> = []
        package var teams: Set<String> = []
        package var businessLines: Set<String> = []
        /// As `Caller.key` has them.
        package var keys: Set<String> = []
        /// Refused once so much of what the process may have under way is, in percent.
        package var inFlightPercent: Int

        package init(name: String, inFlightPercent: Int = 100) {
            self.name = name
            self.inFlightPercent = inFlightPercent
        }

        /// Whether it names callers.
        package var isByCaller: Bool {
            !(users.isEmpty && roles.isEmpty && teams.isEmpty && businessLines.isEmpty && keys.isEmpty)
        }

        fileprivate func has(_ caller: Caller) -> Bool {
            Self.contains(keys, caller.key) || Self.contains(users, caller.user) || Self.contains(roles, caller.role)
                || Self.contains(teams, caller.team) || Self.contains(businessLines, caller.businessLine)
        }

        private static func contains(_ names: Set<String>, _ name: String?) -> Bool {
            guard let name, !names.isEmpty else { return false }
            return names.contains(name)
        }
    }

    package let classes: [Class]
    /// The rank of whoever no class names.
    package let usual: Int
    /// The field by which a request names its class, in lower case; `nil`: none.
    package let header: String?
    /// Whether a class names callers: then it matters who asks.
    package let asksWhoCalls: Bool
    /// The least share, in percent, that some class is refused from.
    package let inFlightPercentMin: Int
    package static let countMax = 8

    /// - Parameter classes: the most urgent first; at most `countMax` are used. None: everybody is equal.
    package init(_ classes: [Class] = [], usual: Int = 0, header: String? = nil) {
        self.classes = Array(classes.prefix(Self.countMax))
        self.usual = max(0, min(usual, self.classes.count - 1))
        self.header = header
        asksWhoCalls = self.classes.contains(where: \.isByCaller)
        inFlightPercentMin = self.classes.map(\.inFlightPercent).min() ?? 100
    }

    package var isEmpty: Bool { classes.isEmpty }

    /// What a rank is called; `nil` where there are no classes.
    package func name(rank: Int) -> String? { classes.indices.contains(rank) ? classes[rank].name : nil }

    /// The rank of a request: 0 goes first.
    ///
    /// The field is the application's own word: it may put a caller that a class names lower, and never higher.
    ///
    /// - Parameter named: what the field says.
    package func rank(of caller: Caller, named: String?) -> Int {
        let byCaller = asksWhoCalls ? classes.firstIndex { $0.has(caller) } : nil
        guard let named, let asked = classes.firstIndex(where: { $0.name == named }) else { return byCaller ?? usual }
        return max(asked, byCaller ?? 0)
    }

    /// How many requests of the process may be under way when one of this rank comes.
    package func inFlightMax(rank: Int, of limit: Int) -> Int {
        classes.indices.contains(rank) ? limit * classes[rank].inFlightPercent / 100 : limit
    }
}
