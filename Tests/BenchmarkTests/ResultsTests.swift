import Testing

@testable import sluice_bench

@Suite struct `What the numbers amount to` {
    private struct FakeRow: Row {
        var id = "fake"
        let metrics: [Metric]
        func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] { [] }
    }

    private static func results(
        _ metric: Metric, _ rounds: [String: [[Double]?]], failures: [String: String] = [:]
    ) -> Results {
        var results = Results(judged: "sluice", subjects: ["sluice", "nginx"])
        results.add(FakeRow(metrics: [metric]), rounds, failures: failures)
        return results
    }

    @Test func `a ratio is taken within each round, so a machine that slows down does not change it`() {
        let results = Self.results(
            Metric("work", "µs", .ratioAtMost(1.3)), ["sluice": [[12], [24], [36]], "nginx": [[10], [20], [30]]])
        #expect(results.ratio(results.lines[0], "sluice") == 1.2)
        #expect(results.verdict(results.lines[0]) == .pass)
    }

    @Test func `a proxy dearer than its bar fails`() {
        let results = Self.results(
            Metric("work", "µs", .ratioAtMost(1.3)), ["sluice": [[14], [28], [42]], "nginx": [[10], [20], [30]]])
        #expect(results.verdict(results.lines[0]) == .fail)
    }

    @Test func `what a proxy adds is its number less the direct one of the same round`() {
        let results = Self.results(
            Metric("added", "ms", .atMost(1), isOverDirect: true),
            ["direct": [[5], [7]], "sluice": [[5.5], [7.5]], "nginx": [[7], [9]]])
        #expect(results.median(results.lines[0], "sluice") == 0.5)
        #expect(results.median(results.lines[0], "nginx") == 2)
        #expect(results.verdict(results.lines[0]) == .pass)
    }

    @Test func `a round that failed fails the row, whatever the others say`() {
        let results = Self.results(
            Metric("work", "µs", .atMost(10)), ["sluice": [[1], nil, [1]]], failures: ["sluice": "status 500"])
        #expect(results.median(results.lines[0], "sluice") == 1)
        #expect(results.verdict(results.lines[0]) == .fail)
    }

    @Test func `without nginx there is no verdict on a ratio`() {
        let results = Self.results(Metric("work", "µs", .ratioAtMost(1)), ["sluice": [[1]]])
        #expect(results.verdict(results.lines[0]) == .none)
    }

    @Test(arguments: [(-0.2, 0.4, Results.Verdict.pass), (0.6, 0.9, .fail), (-3, 5, .open), (0.5, 0.6, .open)])
    func `a bound that the interval straddles is neither kept nor missed`(
        lower: Double, upper: Double, verdict: Results.Verdict
    ) {
        let row = FakeRow(metrics: [Metric("low", "MB/h"), Metric("high", "MB/h", .certainlyAtMost(0.5))])
        var results = Results(judged: "sluice", subjects: ["sluice"])
        results.add(row, ["sluice": [[lower, upper]]], failures: [:])
        #expect(results.verdict(results.lines[0]) == .none)
        #expect(results.verdict(results.lines[1]) == verdict)
    }

    @Test func `the upstream's own number is beside those of a row that asks for it, and subtracted from none`() {
        struct SearchRow: Row {
            let id = "search"
            let metrics = [Metric("rate", "TPS", .atLeast(1))]
            let measuresDirect = true
            func measure(_ session: Session, _ settings: Settings) throws(Failure) -> [Double] { [] }
        }
        var results = Results(judged: "sluice", subjects: ["sluice"])
        results.add(SearchRow(), ["direct": [[900]], "sluice": [[400]]], failures: [:])
        #expect(results.median(results.lines[0], "direct") == 900)
        #expect(results.median(results.lines[0], "sluice") == 400)
    }

    @Test(arguments: [(999.9, Results.Verdict.fail), (1_000, .pass), (20_000, .pass)])
    func `a rate must reach its bar`(rate: Double, verdict: Results.Verdict) {
        let results = Self.results(Metric("rate", "TPS", .atLeast(1_000)), ["sluice": [[rate]]])
        #expect(results.verdict(results.lines[0]) == verdict)
    }

    @Test(arguments: [(0.004, "0.00"), (12.34, "12.3"), (1_234.5, "1235"), (-0.31, "-0.31")])
    func `numbers are printed with the digits that mean something`(number: Double, text: String) {
        #expect(Text.short(number) == text)
    }

    @Test func `every row has its own name, and every metric of a stream or request its unit`() {
        #expect(Set(Rows.all.map(\.id)).count == Rows.all.count)
        #expect(Rows.all.allSatisfy { !$0.metrics.isEmpty && $0.metrics.allSatisfy { !$0.unit.isEmpty } })
    }
}
