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

    /// Whether every name of the other is one of this. A pattern is covered by what its text matches, star and all: a star in
    /// place of any text is only matched by another star.
    func covers(_ other: NameSet) -> Bool {
        isAll || !other.isAll && other.exact.allSatisfy(contains) && other.patterns.allSatisfy { contains($0.text) }
    }

    package func contains(_ name: String) -> Bool {
        isAll || exact.contains(name) || patterns.contains { $0.matches(name) }
    }
}
