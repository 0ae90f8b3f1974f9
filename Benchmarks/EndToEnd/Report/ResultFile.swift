/// The results as JSON, every round of them, for comparing and drawing.
enum ResultFile {
    static func text(_ results: Results, machine: Machine, settings: Settings, versions: [String: String]) -> String {
        let object = object([
            ("format", "2"),
            ("date", string(machine.date)),
            ("machine", self.machine(machine)),
            ("settings", self.settings(settings)),
            ("versions", self.object(versions.sorted { $0.key < $1.key }.map { ($0.key, string($0.value)) })),
            ("judged", string(results.judged)),
            ("absent", "[" + results.absent.map { string($0) }.joined(separator: ",") + "]"),
            ("rows", "[\n  " + results.lines.map { row($0, results) }.joined(separator: ",\n  ") + "\n]"),
            ("notes", "[" + results.notes.map { note($0) }.joined(separator: ",") + "]"),
            ("points", "[" + results.points.map { points($0) }.joined(separator: ",\n  ") + "]"),
        ])
        return object + "\n"
    }

    private static func row(_ line: Results.Line, _ results: Results) -> String {
        let subjects = line.values.keys.sorted().map { subject -> (String, String) in
            let values = (line.values[subject] ?? []).map { number($0) }.joined(separator: ",")
            return (
                subject,
                object([
                    ("median", number(results.median(line, subject))), ("ratio", number(results.ratio(line, subject))),
                    ("values", "[\(values)]"),
                ])
            )
        }
        return object([
            ("row", string(line.rowID)),
            ("metric", string(line.metric.name.drop { $0 == " " })),
            ("detail", line.metric.name.hasPrefix(" ") ? "true" : "false"),
            ("unit", string(line.metric.unit)),
            ("over_direct", line.metric.isOverDirect ? "true" : "false"),
            ("bar", bar(line.metric.bar)),
            ("verdict", results.verdict(line) == .none ? "null" : string(results.verdict(line).rawValue)),
            ("subjects", object(subjects)),
            ("failures", object(line.failures.sorted { $0.key < $1.key }.map { ($0.key, string($0.value)) })),
        ])
    }

    private static func note(_ note: (row: String, subject: String, text: String)) -> String {
        object([("row", string(note.row)), ("subject", string(note.subject)), ("text", string(note.text))])
    }

    private static func points(_ points: (row: String, subject: String, points: [(x: Double, y: Double)])) -> String {
        let pairs = points.points.map { "[\(number($0.x)),\(number($0.y))]" }.joined(separator: ",")
        return object([("row", string(points.row)), ("subject", string(points.subject)), ("points", "[\(pairs)]")])
    }

    private static func bar(_ bar: Metric.Bar) -> String {
        switch bar {
        case .none: "null"
        case .ratioAtMost(let bound): object([("ratio_at_most", number(bound))])
        case .atMost(let bound): object([("at_most", number(bound))])
        case .atLeast(let bound): object([("at_least", number(bound))])
        case .certainlyAtMost(let bound): object([("certainly_at_most", number(bound))])
        }
    }

    private static func machine(_ machine: Machine) -> String {
        object([
            ("processor", string(machine.processor)), ("cores", "\(Processor.coreCount)"),
            ("memory_bytes", "\(machine.memoryByteCount)"), ("kernel", string(machine.kernel)),
            ("load_average", string(machine.loadAverage)),
        ])
    }

    private static func settings(_ settings: Settings) -> String {
        object([
            ("runs", "\(settings.runs)"), ("warm_up_ms", "\(settings.warmUp / Clock.millisecond)"),
            ("window_ms", "\(settings.window / Clock.millisecond)"), ("rate_per_second", "\(settings.rate)"),
            ("peer_runs", "1"), ("soak_s", "\(settings.soak / Clock.second)"),
            ("silent_streams", "\(settings.silentStreamCount)"), ("burst_requests", "\(settings.burstRequestCount)"),
        ])
    }

    private static func object(_ members: [(String, String)]) -> String {
        "{" + members.map { "\(string($0.0)):\($0.1)" }.joined(separator: ",") + "}"
    }

    private static func number(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "null" }
        return Text.fixed(value, digits: 4)
    }

    private static func string(_ text: some StringProtocol) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "\n": quoted += "\\n"
            case "\u{0}"..."\u{1F}": quoted += " "
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
