import Testing

@testable import SluicePolicy

@Suite struct `Patterns of names` {
    @Test(arguments: [
        ("gpt-4", "gpt-4", nil as String?, true), ("gpt-4", "gpt-4o", nil, false), ("gpt-*", "gpt-4o", "4o", true),
        ("gpt-*", "gpt-", "", true), ("gpt-*", "gpt", nil, false), ("*", "anything", "anything", true), ("*", "", "", true),
        ("*-preview", "o1-preview", "o1", true), ("a*a", "a", nil, false), ("a*a", "aa", "", true), ("a*b", "aXb", "X", true),
        ("a*b", "ab/c", nil, false), ("", "", nil, true), ("模*", "模型", "型", true), ("é*", "e\u{301}x", nil, false),
    ])
    func `a star stands for any text`(pattern: String, name: String, rest: String?, matches: Bool) {
        let pattern = NamePattern(pattern)
        #expect(pattern.rest(of: name).map { Array($0.utf8) } == rest.map { Array($0.utf8) })
        #expect(pattern.matches(name) == matches)
    }

    @Test func `the more a pattern says the more specific it is`() {
        #expect(NamePattern("gpt-4*").literalByteCount > NamePattern("gpt-*").literalByteCount)
        #expect(NamePattern("*").literalByteCount == 0 && !NamePattern("x").hasStar)
        #expect(NamePattern("llama-*-chat").filled(with: "3") == "llama-3-chat" && NamePattern("x").filled(with: "3") == "x")
    }
}

private struct Facts: RouteFacts {
    var model = "gpt-4o"
    var caller = Caller()
    var scene: String?
    var isStream = false
    var bodyByteCount = 100
    var headers: [String: String] = [:]

    func header(_ lowercaseName: String) -> String? { headers[lowercaseName] }
    func hasHeader(_ lowercaseName: String, matching patterns: [NamePattern]) -> Bool {
        guard let value = headers[lowercaseName] else { return false }
        return patterns.isEmpty || patterns.contains { $0.matches(value) }
    }
}

@Suite struct `Conditions of rules` {
    private typealias Change = (inout RouteCondition) -> Void

    private func facts() -> Facts {
        var facts = Facts()
        facts.caller.user = "ann"
        facts.caller.role = "admin"
        facts.caller.team = "core"
        facts.caller.businessLine = "search"
        facts.scene = "summary"
        facts.headers = ["x-tier": "gold"]
        return facts
    }

    private func condition(_ change: Change) -> RouteCondition {
        var condition = RouteCondition()
        change(&condition)
        return condition
    }

    private func patterns(_ texts: String...) -> [NamePattern] { texts.map { NamePattern($0) } }

    @Test func `each of them holds or not`() {
        let table: [(Change, Bool)] = [
            ({ _ in }, true),
            ({ $0.models = patterns("o1", "gpt-*") }, true), ({ $0.models = patterns("gpt-4") }, false),
            ({ $0.users = patterns("ann") }, true), ({ $0.users = patterns("bob") }, false),
            ({ $0.roles = patterns("user", "admin") }, true), ({ $0.roles = patterns("adm") }, false),
            ({ $0.teams = patterns("co*") }, true), ({ $0.teams = patterns("x*") }, false),
            ({ $0.businessLines = patterns("search") }, true), ({ $0.businessLines = patterns("ads") }, false),
            ({ $0.scenes = patterns("sum*") }, true), ({ $0.scenes = patterns("chat") }, false),
            ({ $0.headers = [.init(name: "x-tier", values: patterns("silver", "gold"))] }, true),
            ({ $0.headers = [.init(name: "x-tier", values: [])] }, true),
            ({ $0.headers = [.init(name: "x-tier", values: []), .init(name: "x-other", values: [])] }, false),
            ({ $0.headers = [.init(name: "x-tier", values: patterns("silver"))] }, false),
            ({ $0.bodyBytes = 100...100 }, true), ({ $0.bodyBytes = 101...Int.max }, false), ({ $0.bodyBytes = 0...99 }, false),
            ({ $0.isStream = false }, true), ({ $0.isStream = true }, false),
            ({ $0.users = patterns("ann"); $0.roles = patterns("admin"); $0.isStream = false }, true),
            ({ $0.users = patterns("ann"); $0.roles = patterns("user") }, false),
        ]
        for (index, row) in table.enumerated() {
            #expect(condition(row.0).matches(facts()) == row.1, "row \(index)")
        }
    }

    @Test func `somebody who says nothing of himself is nobody in particular, even for a star`() {
        let facts = Facts()
        #expect(!condition { $0.users = patterns("*") }.matches(facts))
        #expect(!condition { $0.scenes = patterns("*") }.matches(facts))
        #expect(condition { $0.models = patterns("*") }.matches(facts))
    }

    @Test func `who calls is asked for only where it matters`() {
        #expect(condition { $0.teams = patterns("x") }.asksWhoCalls && condition { $0.users = patterns("x") }.asksWhoCalls)
        #expect(!condition { $0.models = patterns("x"); $0.scenes = patterns("y"); $0.isStream = true }.asksWhoCalls)
        #expect(AffinityKey.user.asksWhoCalls && !AffinityKey.header("x").asksWhoCalls)
    }

    @Test func `a session is what its kind says, and nothing if the request has none`() {
        let facts = facts()
        #expect(AffinityKey.user.hash(of: facts) == Rendezvous.hash("ann"))
        #expect(AffinityKey.businessLine.hash(of: facts) == Rendezvous.hash("search"))
        #expect(AffinityKey.header("x-tier").hash(of: facts) == Rendezvous.hash("gold"))
        #expect(AffinityKey.header("x-other").hash(of: facts) == nil && AffinityKey.key.hash(of: facts) == nil)
        #expect(AffinityKey.address.hash(of: facts) == nil, "an empty one is none")
    }
}
