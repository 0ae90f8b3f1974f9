/// Measures row by row, subject after subject, round after round: what disturbs one disturbs the other as well.
struct Runner {
    let stage: Stage
    let subjects: [any Subject]
    let settings: Settings
    /// Whether all of the subjects do the work of every row, in every round, because somebody asked for them.
    let isThorough: Bool
    let absent: [String]
    let progress: (String) -> Void

    func run(_ rows: [any Row]) throws(Failure) -> Results {
        var results = Results(judged: subjects[0].name, subjects: subjects.map(\.name), absent: absent)
        for row in rows { try measure(row, into: &results) }
        return results
    }

    private func measure(_ row: any Row, into results: inout Results) throws(Failure) {
        var rounds: [String: [[Double]?]] = [:]
        var failures: [String: String] = [:]
        let runs = min(settings.runs, row.runsMax)
        for round in 1...runs {
            let candidates: [(any Subject)?] = (row.measuresDirect ? [nil] : []) + order(in: round)
            for subject in candidates where takesPart(subject, in: row, round) {
                let name = subject?.name ?? Results.direct
                progress("\(row.id) \(round)/\(runs) \(name)")
                let numbers = attempt(row, subject, &failures, &results)
                rounds[name, default: []].append(numbers)
                try stage.check()
            }
        }
        results.add(row, rounds, failures: failures)
    }

    private func takesPart(_ subject: (any Subject)?, in row: any Row, _ round: Int) -> Bool {
        guard let name = subject?.name, name != subjects[0].name else { return true }
        switch row.field {
        case .judged: return false
        case .yardstick: return isThorough || name == Results.yardstick
        case .all: return isThorough || name == Results.yardstick || round == 1
        }
    }

    /// A B, then B A: neither is always the one that comes after the other.
    private func order(in round: Int) -> [(any Subject)?] { round % 2 == 1 ? subjects : subjects.reversed() }

    /// A subject that fails has no number, and the others still have theirs.
    private func attempt(
        _ row: any Row, _ subject: (any Subject)?, _ failures: inout [String: String], _ results: inout Results
    ) -> [Double]? {
        let name = subject?.name ?? Results.direct
        do {
            let upstream = settings.upstream ?? row.upstream
            let session =
                if let subject { try Session(subject, on: stage, upstream, row.policies) } else {
                    Session(direct: stage, upstream)
                }
            defer { session.end() }
            do {
                var settings = settings
                settings.warmUp = max(settings.warmUp, subject?.warmUpMin ?? 0)
                let numbers = try row.measure(session, settings)
                results.add(session, row: row, subject: name)
                return numbers
            } catch {
                failures[name] = [error.description, session.lastWords].compactMap { $0 }.joined(separator: "; ")
            }
        } catch {
            failures[name] = error.description
        }
        progress("\(row.id) \(name): \((failures[name] ?? "").split(separator: "\n").joined(separator: " "))")
        return nil
    }
}
