import Testing

@testable import sluice_bench

@Suite struct `The benchmark's command line` {
    @Test func `what quick sets, other options change, wherever they stand`() throws {
        let options = try Options(["--runs", "4", "--quick", "--only", "latency,chat"])
        #expect(options.settings.runs == 4)
        #expect(options.settings.window == Settings.quick.window)
        #expect(try options.rows().map(\.id) == ["latency", "chat"])
    }

    @Test(arguments: [["--runs"], ["--runs", "0"], ["--rate", "fast"], ["--fast"], ["--upstream", "nginx"],
        ["--soak", "72"], ["--soak", "h"], ["--soak", "9s"], ["--soak", "-1h"], ["--soak", "2000h"]])
    func `a wrong argument is refused`(arguments: [String]) {
        #expect(throws: Failure.self) { try Options(arguments) }
    }

    @Test(arguments: [("90s", 90), ("30m", 1_800), ("72h", 259_200)])
    func `a soak's length has a unit`(text: String, seconds: Int) throws {
        #expect(try Options(["--soak", text, "--quick"]).settings.soak == seconds * Clock.second)
    }

    @Test func `a row that does not exist is refused`() throws {
        let options = try Options(["--only", "chat,nothing"])
        #expect(throws: Failure.self) { try options.rows() }
    }

    @Test func `an upstream that is named is under every row`() throws {
        #expect(try Options([]).settings.upstream == nil)
        #expect(try Options(["--upstream", "stand-in"]).settings.upstream == .standIn)
    }

    @Test func `every row has a bar, so that strict judges it`() {
        for row in Rows.all { #expect(row.metrics.contains { $0.bar != .none }, "\(row.id)") }
    }

    @Test func `a behaviour survives its model name`() {
        let behaviours: [Behaviour] = [
            .plain, .delayed(milliseconds: 50), .burst(eventCount: 1_000), .paced(eventCount: 5, milliseconds: 10),
            .silent,
        ]
        for behaviour in behaviours { #expect(Behaviour(modelName: behaviour.modelName) == behaviour) }
    }
}
