import Testing

@testable import SluicePipeline

@Suite struct `Where images may be from` {
    @Test func `hosts are allowed by name or by what they are below`() {
        var policy = MediaPolicy()
        #expect(policy.allows("anything"))
        policy.hosts = ["a.example", "*.b.example"]
        #expect(policy.allows("a.example") && policy.allows("x.b.example"))
        #expect(!policy.allows("b.example") && !policy.allows("ab.example") && !policy.allows("xb.example"))
    }
}
