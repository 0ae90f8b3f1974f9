import SluicePolicy
import Testing

@Suite struct `Target table` {
    @Test func `the same target has the same state, whoever asks`() {
        let table = TargetTable()
        let one = table.state(of: TargetID(provider: "a", model: "m"))
        #expect(one === table.state(of: TargetID(provider: "a", model: "m")))
        #expect(one !== table.state(of: TargetID(provider: "b", model: "m")))
        #expect(table.all.map(\.id.provider) == ["a", "b"])
    }

    @Test func `names that callers invent are not kept for ever`() {
        let table = TargetTable()
        for index in 0..<20_000 { _ = table.state(of: TargetID(provider: "a", model: "\(index)")) }
        #expect(table.all.count == 10_000)
        let named = TargetID(provider: "b", model: "named")
        let state = table.state(of: named, isConfigured: true)
        #expect(table.state(of: named) === state && table.all.count == 10_001, "the configuration's own are")
        let first = TargetID(provider: "a", model: "0")
        let kept = table.state(of: first)
        #expect(table.state(of: first, isConfigured: true) === kept)
        let other = TargetID(provider: "a", model: "new")
        #expect(table.state(of: other) === table.state(of: other), "one place has become free")
        #expect(table.all.count == 10_002)
    }
}
