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
    }
}
