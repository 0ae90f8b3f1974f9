/// Names and patterns with one `*`, compiled for questions: a name that stands there as it is costs one look-up.
package struct NameSet: Sendable, Equatable {
    /// `*` is among them: every name is, even the empty one.
    package private(set) var isAll = false
    private var exact: Set<String> = []
    private var patterns: [NamePattern] = []

    package init(_ names: [String] = []) { insert(names) }

    package static let all = NameSet(["*"])
    package var isEmpty: Bool { !isAll && exact.isEmpty && patterns.isEmpty }

    package mutating func insert(_ names: [String]) {
        for name in names {
            let pattern = NamePattern(name)
            if name == "*" {
                isAll = true
            } else if pattern.hasStar {
                if !patterns.contains(pattern) { patterns.append(pattern) }
            } else {
                exact.insert(name)
            }
        }
    }

    package func contains(_ name: String) -> Bool {
        isAll || exact.contains(name) || patterns.contains { $0.matches(name) }
    }

    /// Whether every name of the other set is in this one, as far as patterns tell: `false` where it cannot be seen.
    package func covers(_ other: NameSet) -> Bool {
        isAll || !other.isAll && other.exact.allSatisfy(contains) && other.patterns.allSatisfy(patterns.contains)
    }
}
