import SluiceConfig
import SluiceCore
import SluiceHTTP
import SluiceJSON
import SluiceNet
import SluicePolicy
import SluiceProviders
import Testing

@testable import SluicePipeline

/// Requests that are planned one after another by one worker.
private struct Plans {
    static let a = FakeExchange.provider("a", models: ["m-a", "both"])
    static let b = FakeExchange.provider("b", models: ["both"])
    static let c = FakeExchange.provider("c")

    let snapshot: ConfigSnapshot
    let directory = ModelDirectory()
    let routing: Routing
    let loop: EventLoop

    init(
        _ models: [String: ConfigSnapshot.Model], aliases: [String: String] = [:], rules: [RouteRule] = [],
        defaultProvider: Provider? = nil
    ) throws {
        snapshot = FakeExchange.snapshot(
            [Self.a, Self.b, Self.c], models: models, aliases: aliases, rules: rules, defaultProvider: defaultProvider)
        routing = Routing(directory: directory, seed: 3)
        loop = try EventLoop()
    }

    static func target(_ provider: Provider, _ model: String, _ change: (inout ConfigSnapshot.Target) -> Void = { _ in })
        -> ConfigSnapshot.Target
    {
        var target = ConfigSnapshot.Target(provider: provider, upstreamModel: model)
        change(&target)
        return target
    }

    static func model(_ targets: [ConfigSnapshot.Target], _ change: (inout ConfigSnapshot.Model) -> Void = { _ in })
        -> ConfigSnapshot.Model
    {
        var model = ConfigSnapshot.Model(targets)
        change(&model)
        return model
    }

    func context(_ model: String, fields: [(StaticString, String)] = []) -> RequestContext {
        var head = HeaderFields()
        for field in fields { head.append(lowercaseName: field.0, field.1) }
        let context = FakeExchange(loop, snapshot: snapshot, fields: head).context
        context.model = model
        return context
    }

    /// `provider model` of each, in order.
    func plan(_ context: RequestContext, _ body: String? = nil) throws -> [String] {
        let tape = JSONTape()
        var request = IncomingRequest(body: .none)
        if let body {
            let buffer = ByteBuffer(body)
            try tape.scan(buffer.span)
            request.body = .json(buffer)
        }
        if case .echo = try routing.plan(context, request, tape: tape) { return ["echo"] }
        return context.plan.targets.map { "\($0.provider.name) \($0.upstreamModel)" }
    }

    func plan(_ model: String) throws -> [String] { try plan(context(model)) }
}

@Suite struct `Plans of who may answer` {
    @Test func `a model's own targets come first, by priority, then those that stand in, then those that stand in for them`()
        throws
    {
        let plans = try Plans([
            "x": Plans.model([Plans.target(Plans.b, "x2") { $0.priority = 1 }, Plans.target(Plans.a, "x1")]) {
                $0.fallbacks = ["y", "short", "c/direct", "m-a"]
            },
            "y": Plans.model([Plans.target(Plans.a, "y1"), Plans.target(Plans.a, "x1")]) { $0.fallbacks = ["deep", "z"] },
            "z": Plans.model([Plans.target(Plans.c, "z1")]),
            "deep": Plans.model([Plans.target(Plans.c, "deep1")]),
        ], aliases: ["short": "z"])
        let context = plans.context("x")
        #expect(try plans.plan(context) == ["a x1", "b x2", "a y1", "c z1", "c direct", "a m-a", "c deep1"])
        #expect(!context.plan.isFallback)
        context.plan.position = 2
        #expect(context.plan.isFallback && context.plan.current?.model == "y")
    }

    @Test func `what is closed comes last, behind the models that stand in`() throws {
        let plans = try Plans([
            "x": Plans.model([Plans.target(Plans.a, "x1"), Plans.target(Plans.b, "x2")]) { $0.fallbacks = ["y"] },
            "y": Plans.model([Plans.target(Plans.c, "y1")]),
        ])
        let states = plans.snapshot.lasting.targets
        states.state(of: TargetID(provider: "a", model: "x1")).close(until: .distantFuture)
        #expect(try plans.plan("x") == ["b x2", "c y1", "a x1"])
        states.state(of: TargetID(provider: "b", model: "x2")).close(until: .distantFuture)
        #expect(try plans.plan("x").first == "c y1")
        states.state(of: TargetID(provider: "c", model: "y1")).close(until: .distantFuture)
        #expect(try plans.plan("x").count == 3, "somebody is asked, even so")
    }

    @Test func `what a request needs decides where targets differ`() throws {
        let text = "{providers: {a: {base_url: 'https://a'}}, models: {x: {targets: {provider: 'a', capabilities: {images: false}}}}}"
        let rules = try ServerConfiguration.load(text: Array(text.utf8)).value.models[0].targets[0].capabilities
        let plans = try Plans([
            "x": Plans.model([
                Plans.target(Plans.a, "blind") { $0.capabilities = rules },
                Plans.target(Plans.b, "seeing") { $0.traits.contextTokensMax = 1000 },
            ]) { $0.fallbacks = ["y"] },
            "y": Plans.model([Plans.target(Plans.c, "large")]),
        ])
        let image =
            #"{"model":"x","messages":[{"role":"user","content":[{"type":"text","text":"?"},{"type":"image_url","image_url":{"url":"http://x"}}]}]}"#
        let long = #"{"model":"x","messages":[{"role":"user","content":"\#(String(repeating: "word ", count: 1600))"}]}"#
        for _ in 0..<8 {
            #expect(try plans.plan(plans.context("x"), image).first == "c large", "neither sees so large an image")
            #expect(try plans.plan(plans.context("x"), long) == ["a blind", "c large", "b seeing"])
            #expect(try plans.plan(plans.context("x"), #"{"model":"x","messages":[]}"#).last == "c large")
        }
    }

    @Test func `each model has its own timeouts, and the whole is the one's that was asked for`() throws {
        let plans = try Plans([
            "x": Plans.model([Plans.target(Plans.a, "x1")]) {
                $0.timeouts.connect = .milliseconds(50)
                $0.timeouts.total = .seconds(7)
                $0.fallbacks = ["y"]
            },
            "y": Plans.model([Plans.target(Plans.b, "y1")]) { $0.timeouts.firstToken = .seconds(2) },
        ])
        let context = plans.context("x")
        _ = try plans.plan(context)
        context.begin(context.plan.targets[0])
        #expect(context.timeouts.connect == .milliseconds(50) && context.timeouts.total == .seconds(7))
        #expect(context.timeouts.firstToken == plans.snapshot.timeouts.firstToken)
        context.begin(context.plan.targets[1])
        #expect(context.timeouts.connect == plans.snapshot.timeouts.connect)
        #expect(context.timeouts.firstToken == .seconds(2) && context.timeouts.total == .seconds(7))
    }

    @Test func `a caller stays with a target, through a configuration that adds others`() throws {
        func plans(_ targets: [ConfigSnapshot.Target]) throws -> Plans {
            try Plans(["x": Plans.model(targets) { $0.strategy = .affinity; $0.affinity = .header("x-session") }])
        }
        let few = try plans([Plans.target(Plans.a, "1"), Plans.target(Plans.b, "2")])
        let many = try plans([Plans.target(Plans.c, "3"), Plans.target(Plans.b, "2"), Plans.target(Plans.a, "1")])
        var moved = 0
        for session in 0..<60 {
            let before = try few.plan(few.context("x", fields: [("x-session", "s\(session)")]))
            let after = try many.plan(many.context("x", fields: [("x-session", "s\(session)")]))
            #expect(try few.plan(few.context("x", fields: [("x-session", "s\(session)")])) == before)
            if after[0] == "c 3" { moved += 1 } else { #expect(after[0] == before[0]) }
        }
        #expect(8...35 ~= moved, "\(moved)")
        #expect(!few.snapshot.asksWhoCalls, "a header is there without asking who it is")
    }
}

@Suite struct `Names of models` {
    @Test func `a whole name comes before patterns, and of those the one that says more`() throws {
        let plans = try Plans([
            "gpt-4": Plans.model([Plans.target(Plans.a, "exact")]),
            "gpt-*": Plans.model([Plans.target(Plans.a, "wide-*")]),
            "gpt-4*": Plans.model([Plans.target(Plans.b, "narrow")]),
            "*-vision": Plans.model([Plans.target(Plans.b, "*")]),
            "*": Plans.model([Plans.target(Plans.c, "any-*")]),
        ])
        for (model, target) in [
            ("gpt-4", "a exact"), ("gpt-4o", "b narrow"), ("gpt-3", "a wide-3"), ("gpt-", "a wide-"), ("x-vision", "b x"),
            ("other", "c any-other"), ("a/other", "a other"), ("echo", "echo"), ("both", "c any-both"),
        ] {
            #expect(try plans.plan(model) == [target], "\(model)")
            #expect(try plans.plan(model) == [target], "the second time as the first")
        }
        let context = plans.context("gpt-3")
        _ = try plans.plan(context)
        #expect(context.plan.route?.name == "gpt-*", "limits know it by the name in the configuration")
    }

    @Test func `what a star stands for cannot lead elsewhere in a path`() throws {
        let plans = try Plans(["x-*": Plans.model([Plans.target(Plans.a, "*")])])
        #expect(try plans.plan("x-fine") == ["a fine"])
        #expect(throws: Rejection.self) { try plans.plan("x-..") }
        #expect(throws: Rejection.self) { try plans.plan("x-../../admin") }
    }

    @Test func `an alias is another name, through other aliases, for whatever answers it`() throws {
        let plans = try Plans(
            ["x": Plans.model([Plans.target(Plans.a, "x1")])],
            aliases: ["old": "older", "older": "x", "direct": "b/m", "test": "echo", "listed": "m-a", "lost": "nobody's"])
        for (model, target) in [("old", "a x1"), ("direct", "b m"), ("test", "echo"), ("listed", "a m-a")] {
            #expect(try plans.plan(model) == [target])
        }
        let rejection = #expect(throws: Rejection.self) { try plans.plan("lost") }
        #expect(rejection?.message.contains(#""lost" stands for "nobody's""#) == true)
    }

    @Test func `a name that nobody knows is asked about`() throws {
        let plans = try Plans(["gpt-4o-mini": Plans.model([Plans.target(Plans.a, "x")])])
        let rejection = #expect(throws: Rejection.self) { try plans.plan("gpt-4o-mni") }
        #expect(rejection?.message.contains(#"Did you mean "gpt-4o-mini"?"#) == true)
        #expect(#expect(throws: Rejection.self) { try plans.plan("something-else") }?.message.contains("Did you") == false)
    }

    @Test func `names that callers invent are not kept for ever, nor is what a list said`() throws {
        let plans = try Plans([:], defaultProvider: Plans.a)
        for index in 0..<3000 { #expect(try plans.plan("n\(index)") == ["a n\(index)"]) }
        #expect(try plans.plan("n1") == ["a n1"])
        plans.directory.replace(["n1"], of: "c")
        #expect(try plans.plan("n1") == ["c n1"])
        plans.directory.replace([], of: "c")
        #expect(try plans.plan("n1") == ["a n1"])
    }

    @Test func `lists have configured names and aliases, but no patterns and nothing hidden`() throws {
        let plans = try Plans(
            [
                "x": Plans.model([Plans.target(Plans.b, "x1"), Plans.target(Plans.a, "x2")]), "gpt-*": Plans.model([Plans.target(Plans.a, "*")]),
                "hidden": Plans.model([Plans.target(Plans.a, "h")]) { $0.isListed = false },
            ], aliases: ["y": "x", "z": "hidden", "four": "gpt-4", "lost": "nobody-knows"])
        let listed = plans.snapshot.routes.listed
        #expect(listed.map(\.name) == ["four", "x", "y"] && listed.map(\.owner) == ["a", "b", "b"])
    }
}

@Suite struct `Rules` {
    private func condition(_ change: (inout RouteCondition) -> Void) -> RouteCondition {
        var condition = RouteCondition()
        change(&condition)
        return condition
    }

    private func plans() throws -> Plans {
        let rules = [
            RouteRule(name: "vip", condition: condition { $0.users = [NamePattern("ann")] }, model: "nick"),
            RouteRule(name: "search", condition: condition { $0.businessLines = [NamePattern("search")] }, preferred: ["b"]),
            RouteRule(
                name: "gold",
                condition: condition { $0.headers = [.init(name: "x-tier", values: [NamePattern("gold"), NamePattern("plat*")])] },
                weights: ["a": 0, "c": 5]),
            RouteRule(name: "long", condition: condition { $0.bodyBytes = 1000...Int.max }, model: "c/large"),
            RouteRule(name: "streams", condition: condition { $0.isStream = true; $0.models = [NamePattern("both")] }, preferred: ["c", "b"]),
        ]
        return try Plans(
            [
                "x": Plans.model([Plans.target(Plans.a, "x"), Plans.target(Plans.b, "x"), Plans.target(Plans.c, "x")]),
                "best": Plans.model([Plans.target(Plans.c, "best")]),
            ], aliases: ["nick": "best"], rules: rules)
    }

    @Test func `the first that matches decides`() throws {
        let plans = try plans()
        var context = plans.context("x")
        context.caller.user = "ann"
        context.caller.businessLine = "search"
        #expect(try plans.plan(context) == ["c best"] && context.plan.rule == "vip")
        #expect(context.plan.route?.name == "best" && context.model == "x")
        for _ in 0..<10 {
            context = plans.context("x")
            context.caller.businessLine = "search"
            #expect(try plans.plan(context).first == "b x" && context.plan.targets.count == 3)
        }
        context = plans.context("x")
        _ = try plans.plan(context)
        #expect(context.plan.rule == nil)
        #expect(plans.snapshot.asksWhoCalls)
    }

    @Test func `weights of a rule take the place of the targets' own`() throws {
        let plans = try plans()
        var first: [String: Int] = [:]
        for tier in ["gold", "platinum", "silver, gold"] {
            for _ in 0..<40 {
                let plan = try plans.plan(plans.context("x", fields: [("x-tier", tier)]))
                first[plan[0], default: 0] += 1
                #expect(plan[2] == "a x")
            }
        }
        #expect(first["c x", default: 0] > 80 && first["b x", default: 0] > 10, "\(first)")
        #expect(try plans.plan(plans.context("x", fields: [("x-tier", "silver")])).count == 3)
    }

    @Test func `a preferred provider is asked for what several have without the configuration`() throws {
        let plans = try plans()
        #expect(try plans.plan("both") == ["a both"])
        let context = plans.context("both")
        context.isStream = true
        #expect(try plans.plan(context) == ["b both"], "c does not have it")
        plans.directory.replace(["both"], of: "c")
        #expect(try plans.plan(context) == ["c both"])
        #expect(try plans.plan("both") == ["a both"])
    }
}

@Suite struct `What a request needs` {
    private static func needs(_ text: String) throws -> RequestNeeds {
        let tape = JSONTape()
        let bytes = Array(text.utf8)
        try tape.scan(bytes.span)
        return RequestNeeds(tape.root(over: bytes.span))
    }

    @Test(arguments: [
        (#"{"messages":[]}"#, []), (#"{"tools":[],"tool_choice":"auto"}"#, []),
        (#"{"tools":[{}],"tool_choice":"auto"}"#, [.tools]), (#"{"functions":[{}]}"#, [.tools]),
        (#"{"tools":[{}],"tool_choice":"required"}"#, [.tools, .forcedTools]),
        (#"{"tools":[{}],"tool_choice":{"type":"function","function":{"name":"f"}}}"#, [.tools, .forcedTools]),
        (#"{"tools":[{}],"tool_choice":{"type":"any"}}"#, [.tools, .forcedTools]),
        (#"{"tools":[{}],"tool_choice":{"type":"auto"}}"#, [.tools]),
        (#"{"response_format":{"type":"json_schema"}}"#, [.jsonSchema]), (#"{"response_format":{"type":"text"}}"#, []),
        (#"{"text":{"format":{"type":"json_object"}}}"#, [.jsonObject]),
        (#"{"messages":[{"content":"x"},{"content":[{"type":"image_url"},{"type":"input_audio"}]}]}"#, [.images, .audio]),
        (#"{"messages":[{"content":[{"type":"image","source":{}},{"type":"document"}]}]}"#, [.images, .files]),
        (#"{"messages":[{"content":[{"type":"tool_result","content":[{"type":"image"}]}]}]}"#, [.images]),
        (#"{"input":[{"role":"user","content":[{"type":"input_image"},{"type":"input_file"}]}]}"#, [.images, .files]),
        (#"{"input":"text","messages":7,"tools":{},"tool_choice":[],"response_format":3,"text":null}"#, []),
        (#"{"messages":[[[{"type":"image"}]],null,{"content":{"type":"image"}}]}"#, []),
    ] as [(String, Abilities)])
    func `is read from every dialect`(text: String, abilities: Abilities) throws {
        #expect(try Self.needs(text).abilities == abilities)
    }

    @Test func `tokens are estimated from the text, and data of images does not count as text`() throws {
        let text = String(repeating: "word ", count: 800)
        #expect(950...1050 ~= (try Self.needs(#"{"messages":[{"content":"\#(text)"}]}"#).inputTokens))
        let data = String(repeating: "A", count: 400_000)
        let image = #"{"messages":[{"content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,\#(data)"}}]}]}"#
        #expect(900...1200 ~= (try Self.needs(image).inputTokens))
    }

    @Test(arguments: [
        (#"{"max_tokens":5}"#, 5), (#"{"max_completion_tokens":6,"max_tokens":5}"#, 6), (#"{"max_output_tokens":7}"#, 7),
        ("{}", nil), (#"{"max_tokens":-1}"#, 0), (#"{"max_tokens":"many"}"#, nil),
    ] as [(String, Int?)])
    func `the answer's limit is what the dialect calls it`(text: String, tokens: Int?) throws {
        #expect(try Self.needs(text).outputTokens == tokens)
    }
}
