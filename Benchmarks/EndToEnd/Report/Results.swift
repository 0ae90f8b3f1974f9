/// The numbers of all rounds, and what they amount to.
struct Results {
    /// One line of the table.
    struct Line {
        let rowID: String
        let metric: Metric
        /// A number for each round, by the subject's name; no number for a round that failed. Where the metric is over
        /// direct, `direct` has the absolute number and the others what they add to it.
        var values: [String: [Double?]] = [:]
        /// The judged subject's lower ends of intervals, where this is the upper one.
        var lowerEnds: [Double] = []
        /// Why a subject has no number, by its name.
        var failures: [String: String] = [:]
    }

    /// Open: what was seen is too little to tell.
    enum Verdict: String { case pass, fail, open, none }

    static let yardstick = "nginx"
    static let direct = "direct"

    /// The subject that the bars are for, and the others in the order of their columns.
    let judged: String
    let subjects: [String]
    /// Proxies that would have been measured, had they been installed.
    let absent: [String]
    private(set) var lines: [Line] = []
    /// What is to be known of a row's numbers: by row and subject.
    private(set) var notes: [(row: String, subject: String, text: String)] = []
    /// What numbers were made of: by row and subject, of the last round.
    private(set) var points: [(row: String, subject: String, points: [(x: Double, y: Double)])] = []

    init(judged: String, subjects: [String], absent: [String] = []) {
        self.absent = absent
        self.judged = judged
        self.subjects = subjects
    }

    /// Adds the numbers of all rounds of a row: by subject, by round, by metric.
    mutating func add(_ row: any Row, _ rounds: [String: [[Double]?]], failures: [String: String]) {
        for (index, metric) in row.metrics.enumerated() {
            var line = Line(rowID: row.id, metric: metric, failures: failures)
            let direct = rounds[Self.direct] ?? []
            if case .certainlyAtMost = metric.bar {
                line.lowerEnds = (rounds[judged] ?? []).compactMap { $0?[index - 1] }
            }
            for (subject, numbers) in rounds where subject != Self.direct || row.measuresDirect {
                guard subject != Self.direct || metric.isOverDirect || !row.metrics.contains(where: \.isOverDirect) else {
                    continue
                }
                line.values[subject] = numbers.enumerated().map { round, numbers in
                    guard let number = numbers?[index] else { return nil }
                    guard metric.isOverDirect && subject != Self.direct else { return number }
                    guard round < direct.count, let base = direct[round] else { return nil }
                    return number - base[index]
                }
            }
            lines.append(line)
        }
    }

    mutating func add(_ session: Session, row: any Row, subject: String) {
        for text in session.notes where !notes.contains(where: { $0 == (row.id, subject, text) }) {
            notes.append((row.id, subject, text))
        }
        guard !session.points.isEmpty else { return }
        points.removeAll { $0.row == row.id && $0.subject == subject }
        points.append((row.id, subject, session.points))
    }

    /// The median over the rounds; `nil` without a number.
    func median(_ line: Line, _ subject: String) -> Double? {
        let values = (line.values[subject] ?? []).compactMap { $0 }
        return values.isEmpty ? nil : Statistics.median(values)
    }

    /// The median of a subject's number over the yardstick's of the same round; `nil` where that means nothing.
    func ratio(_ line: Line, _ subject: String) -> Double? {
        guard subject != Self.yardstick, !line.metric.isOverDirect else { return nil }
        let pairs = zip(line.values[subject] ?? [], line.values[Self.yardstick] ?? [])
        let ratios = pairs.compactMap { number, base -> Double? in
            guard let number, let base, base > 0 else { return nil }
            return number / base
        }
        return ratios.isEmpty ? nil : Statistics.median(ratios)
    }

    /// Whether the judged subject does what the metric asks. A failed measurement fails; without a yardstick there is no
    /// verdict on a ratio.
    func verdict(_ line: Line) -> Verdict {
        if line.metric.bar == .none { return line.failures[judged] == nil ? .none : .fail }
        guard let number = median(line, judged), line.failures[judged] == nil else { return .fail }
        switch line.metric.bar {
        case .none: return .none
        case .atMost(let bound): return number <= bound ? .pass : .fail
        case .atLeast(let bound): return number >= bound ? .pass : .fail
        case .certainlyAtMost(let bound):
            if number <= bound { return .pass }
            return !line.lowerEnds.isEmpty && Statistics.median(line.lowerEnds) > bound ? .fail : .open
        case .ratioAtMost(let bound):
            if judged == Self.yardstick { return .none }
            guard let ratio = ratio(line, judged) else { return .none }
            return ratio <= bound ? .pass : .fail
        }
    }

    /// The rate that the judged subject kept up in the open loop; `nil` when that row was not measured.
    var sustainedRate: Double? {
        lines.first { $0.rowID == LatencyRow.plain.id }.map { median($0, judged) ?? 0 }
    }

    var failedLines: [Line] { lines.filter { verdict($0) == .fail } }
}
