/// All metrics at one moment, by family: what every format is written from.
package struct MetricCollection: Sendable {
    package enum Value: Sendable, Equatable {
        case number(Double)
        /// How many values each bucket has, not added up, the infinite one last.
        case histogram(counts: [Int], sum: Double)
    }

    package struct Sample: Sendable {
        package let values: [String]
        package let value: Value
        /// Of a histogram: one a bucket, as far as there are any. Empty if there is none.
        package var exemplars: [MetricExemplar?] = []
    }

    package struct Group: Sendable {
        package let family: MetricFamily
        /// No two have the same values.
        package var samples: [Sample] = []
    }

    package private(set) var groups: [Group] = []
    private var places: [String: Int] = [:]

    package init() {}

    /// A family is told of even when it has no series yet, so that dashboards find it.
    package mutating func declare(_ family: MetricFamily) { _ = place(family) }

    package mutating func add(
        _ family: MetricFamily, _ values: [String] = [], _ value: Value, exemplars: [MetricExemplar?] = []
    ) {
        groups[place(family)].samples.append(Sample(values: values, value: value, exemplars: exemplars))
    }

    package mutating func add(_ family: MetricFamily, _ values: [String] = [], _ number: Int) {
        add(family, values, .number(family.value(of: number)))
    }

    /// Gives the labels of families other names.
    ///
    /// - Parameter labels: the names for a family; `nil`: those it has.
    mutating func rename(_ labels: (MetricFamily) -> [String]?) {
        for index in groups.indices {
            guard let names = labels(groups[index].family) else { continue }
            groups[index] = Group(family: groups[index].family.naming(names), samples: groups[index].samples)
        }
    }

    private mutating func place(_ family: MetricFamily) -> Int {
        if let place = places[family.name] { return place }
        places[family.name] = groups.count
        groups.append(Group(family: family))
        return groups.count - 1
    }
}
