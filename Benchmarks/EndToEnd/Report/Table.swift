/// The results as a table for the terminal.
enum Table {
    private static let nameWidth = 38
    private static let unitWidth = 7
    private static let numberWidth = 10

    static func text(_ results: Results) -> String {
        var lines = [header(results), String(repeating: "-", count: header(results).count)]
        for line in results.lines { lines.append(self.line(line, results)) }
        lines += footnotes(results)
        return lines.joined(separator: "\n")
    }

    /// The rows, and what each metric has to reach.
    static func list(_ rows: [any Row]) -> String {
        rows.flatMap { row in
            row.metrics.map { metric in
                Text.left(row.id, 14) + Text.left(row.upstream.rawValue, 10) + Text.left(metric.name, nameWidth)
                    + Text.left(metric.unit, unitWidth)
                    + bar(metric.bar)
            }
        }.joined(separator: "\n")
    }

    private static func header(_ results: Results) -> String {
        let numbers = results.subjects.map { Text.right($0, numberWidth) }.joined()
        return Text.left("", nameWidth) + Text.left("unit", unitWidth) + numbers + Text.right("ratio", numberWidth)
            + Text.right("bar", numberWidth + 4) + "  verdict"
    }

    private static func line(_ line: Results.Line, _ results: Results) -> String {
        let numbers = results.subjects.map { subject in
            Text.right(results.median(line, subject).map(Text.short) ?? missing(line, subject), numberWidth)
        }
        let ratio = results.ratio(line, results.judged).map { Text.fixed($0, digits: 2) } ?? ""
        let verdict = results.verdict(line)
        return Text.left(line.metric.name, nameWidth) + Text.left(line.metric.unit, unitWidth) + numbers.joined()
            + Text.right(ratio, numberWidth) + Text.right(bar(line.metric.bar), numberWidth + 4)
            + (verdict == .none ? "" : "  \(verdict.rawValue)")
    }

    private static func missing(_ line: Results.Line, _ subject: String) -> String {
        line.failures[subject] == nil ? "" : "failed"
    }

    private static func bar(_ bar: Metric.Bar) -> String {
        switch bar {
        case .none: ""
        case .ratioAtMost(let bound): "<= \(Text.fixed(bound, digits: 1)) nginx"
        case .atMost(let bound): "<= \(Text.fixed(bound, digits: digits(bound)))"
        case .atLeast(let bound): ">= \(Text.fixed(bound, digits: digits(bound)))"
        case .certainlyAtMost(let bound): "surely <= \(Text.fixed(bound, digits: digits(bound)))"
        }
    }

    private static func digits(_ bound: Double) -> Int {
        [0, 1].first { digits in Double(Text.fixed(bound, digits: digits)) == bound } ?? 2
    }

    private static func footnotes(_ results: Results) -> [String] {
        var notes: [String] = []
        for line in results.lines {
            for (subject, reason) in line.failures.sorted(by: { $0.key < $1.key }) {
                let note = "\(line.rowID), \(subject): \(reason)"
                if !notes.contains(note) { notes.append(note) }
            }
        }
        var lines = notes.isEmpty ? [] : ["", "failed:"] + notes
        if !results.notes.isEmpty { lines += [""] + results.notes.map { "\($0.row), \($0.subject): \($0.text)" } }
        if !results.absent.isEmpty {
            lines += ["", "absent: \(results.absent.joined(separator: ", ")) (Benchmarks/run --install-peers)"]
        }
        return lines
    }
}
