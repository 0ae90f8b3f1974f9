/// Measures row by row, subject after subject, round after round: what disturbs one disturbs the other as well.
struct Runner {
    let stage: Stage
    let subjects: [any Subject]
    let settings: Settings
    let progress: (String) -> Void

    func run(_ rows: [any Row]) throws(Failure) -> Results {
        var results = Results(judged: subjects[0].name, subjects: subjects.map(\.name))
        for row in rows { try measure(row, into: &results) }
        return results
    }

    private func measure(_ row: any Row, into results: inout Results) throws(Failure) {
        var rounds: [String: [[Double]?]] = [:]
        var failures: [String: String] = [:]
        for round in 1...settings.runs {
            let candidates: [(any Subject)?] = (row.needsDirect ? [nil] : []) + order(in: round)
            for subject in candidates where row.isForProxies || subject?.name == subjects[0].name {
                let name = subject?.name ?? Results.direct
                progress("\(row.id) \(round)/\(settings.runs) \(name)")
                let numbers = attempt(row, subject, &failures)
                rounds[name, default: []].append(numbers)
                try stage.check()
            }
        }
        results.add(row, rounds, failures: failures)
    }

    /// A B, then B A: neither is always the one that comes after the other.
    private func order(in round: Int) -> [(any Subject)?] { round % 2 == 1 ? subjects : subjects.reversed() }

    /// A subject that fails has no number, and the others still have theirs.
    private func attempt(_ row: any Row, _ subject: (any Subject)?, _ failures: inout [String: String]) -> [Double]? {
        let name = subject?.name ?? Results.direct
        do {
            let upstream = settings.upstream ?? row.upstream
            let session =
                if let subject { try Session(subject, on: stage, upstream, row.policies) } else {
                    Session(direct: stage, upstream)
                }
            defer { session.end() }
            do {
                return try row.measure(session, settings)
            } catch {
                failures[name] = [error.description, session.lastWords].compactMap { $0 }.joined(separator: "; ")
            }
        } catch {
            failures[name] = error.description
        }
        progress("\(row.id) \(name): \(failures[name] ?? "")")
        return nil
    }
}
