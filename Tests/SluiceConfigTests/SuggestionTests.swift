import SluiceConfig
import Testing

@Suite struct `A suggestion` {
    @Test(
        arguments: [
            ("idle", "idle_ms", nil), ("idel_ms", "idle_ms", "idle_ms"), ("lissteners", "listeners", "listeners"),
            ("listner", "listeners", "listeners"), ("x", "y", "y"), ("api-key", "api_key", "api_key"),
            ("completely", "different", nil),
            ("", "a", nil), ("provider", "providers", "providers"),
        ] as [(String, String, String?)])
    func `is made for a name that is near`(wrong: String, right: String, suggestion: String?) {
        #expect(Suggestion.nearest(to: wrong, among: ["zzzzzzzzzzzzzzzz", right]) == suggestion)
    }

    @Test func `is the nearest, and the first of equals`() {
        #expect(Suggestion.nearest(to: "lag", among: ["log", "lab", "lug"]) == "log")
        #expect(
            Suggestion.nearest(to: String(repeating: "a", count: 65), among: [String(repeating: "a", count: 64)]) == nil
        )
    }
}
