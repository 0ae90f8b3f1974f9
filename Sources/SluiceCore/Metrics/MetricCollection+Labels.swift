extension MetricCollection {
    /// The same metrics, to be told with other labels around them: a label of a metric that is called as one of those gets
    /// `exported_` before its name, as Prometheus does when it scrapes. Otherwise series would become one that are not.
    package func yielding(to names: Set<String>) -> MetricCollection {
        var yielded = self
        yielded.rename { family in
            if family.labels.allSatisfy({ !names.contains($0) }) { return nil }
            var taken = names.union(family.labels)
            return family.labels.map { label in
                if !names.contains(label) { return label }
                var label = label
                repeat { label = "exported_" + label } while taken.contains(label)
                taken.insert(label)
                return label
            }
        }
        return yielded
    }

    /// Every series of a family, in the text formats' spelling: the parts of a histogram, each with a suffix and its bound.
    ///
    /// - Parameter body: called with the suffix of the family's name, what stands in `le`, and the value.
    package static func forEachSeries(
        of family: MetricFamily, _ value: Value, _ body: (_ suffix: StaticString, _ bound: String?, Double) -> Void
    ) {
        switch value {
        case .number(let number): body(family.isCounter ? "_total" : "", nil, number)
        case .histogram(let counts, let sum):
            guard case .histogram(let scale) = family.kind else { return }
            var total = 0
            for (index, count) in counts.enumerated() {
                total += count
                body("_bucket", index < scale.texts.count ? scale.texts[index] : "+Inf", Double(total))
            }
            body("_sum", nil, sum)
            body("_count", nil, Double(total))
        }
    }
}
