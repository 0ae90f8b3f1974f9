import Foundation
import Testing

@Suite struct `Several targets of a model` {
    private static let keys = ["alpha": Secrets.provider, "beta": Secrets.otherProvider, "gamma": Secrets.provider]

    /// Providers that answer with their names, after a while.
    private func providers(_ names: String..., slow: [String: TimeInterval] = [:]) throws -> (
        Configuration, [String: ScriptedUpstream]
    ) {
        var configuration = Configuration()
        var upstreams: [String: ScriptedUpstream] = [:]
        for name in names {
            let delay = slow[name] ?? 0
            let upstream = try ScriptedUpstream { connection, _ in
                if delay > 0 { Thread.sleep(forTimeInterval: delay) }
                try connection.reply(#"{"from":"\#(name)"}"#)
            }
            upstreams[name] = upstream
            configuration.add(name, upstream, key: Self.keys[name] ?? Secrets.provider)
        }
        return (configuration, upstreams)
    }

    private func run(
        _ configuration: Configuration, _ upstreams: [String: ScriptedUpstream], _ body: (SluiceProcess) throws -> Void
    ) throws {
        defer { for upstream in upstreams.values { upstream.stop() } }
        try withSluice(configuration) { try body($0) }
    }

    private func chat(_ model: String, _ members: String = "") -> String {
        #"{"model":"\#(model)","messages":[{"role":"user","content":"Hello"}]\#(members)}"#
    }

    /// Who answered.
    private func ask(_ sluice: SluiceProcess, _ body: String, _ fields: [String] = []) throws -> String {
        try sluice.chat(body, fields).json["from"].string ?? "nobody"
    }

    @Test func `share requests by weight over all workers, and the reply says who gave it`() throws {
        var (configuration, upstreams) = try providers("alpha", "beta")
        configuration.workers = 2
        configuration.models =
            #"m: {targets: [{provider: "alpha", upstream_model: "m-a", weight: 3}, {provider: "beta"}]}"#
        try run(configuration, upstreams) { sluice throws in
            for index in 0..<40 {
                let reply = try sluice.chat(chat("m"), ["x-request-id: r\(index)"])
                let from = reply.json["from"].string
                #expect(reply["x-sluice-provider"] == from)
                #expect(reply["x-sluice-model"] == (from == "alpha" ? "m-a" : "m"))
            }
            let (alpha, beta) = (upstreams["alpha"]?.requests.all ?? [], upstreams["beta"]?.requests.all ?? [])
            #expect(27...33 ~= alpha.count && alpha.count + beta.count == 40, "\(alpha.count) of 40")
            #expect(alpha.allSatisfy { $0.json["model"].string == "m-a" && $0["authorization"] == "Bearer \(Secrets.provider)" })
            #expect(beta.allSatisfy { $0["authorization"] == "Bearer \(Secrets.otherProvider)" })
            let line = try sluice.exchangeLine("r7")
            #expect(line["sluice.route.strategy"].string == "weighted" && line["sluice.route.fallback"].string == nil)
            let targets = try sluice.health("/targets").json["targets"]
            #expect(targets[0]["provider"].string == "alpha" && targets[0]["model"].string == "m-a")
            #expect(targets[0]["attempts"].int == alpha.count && targets[0]["failures"].int == 0)
            #expect(targets[0]["outstanding"].int == 0 && targets[0]["models"][0]["weight"].int == 3)
            #expect(targets[0]["latency_ms"]["whole"].isValid && targets[1]["provider"].string == "beta")
        }
    }

    @Test(arguments: [("never", false, false), ("always", true, true), ("auto", true, false)])
    func `are named in the reply as it is configured`(setting: String, several: Bool, one: Bool) throws {
        var (configuration, upstreams) = try providers("alpha", "beta")
        configuration.models = #"m: {targets: [{provider: "alpha"}, {provider: "beta"}]}, n: {provider: "alpha"}"#
        configuration.others = [#"reply_headers: "\#(setting)""#]
        try run(configuration, upstreams) { sluice throws in
            let (chosen, alone) = (try sluice.chat(chat("m")), try sluice.chat(chat("n")))
            #expect((chosen["x-sluice-provider"] != nil) == several && (chosen["x-sluice-model"] != nil) == several)
            #expect((alone["x-sluice-provider"] != nil) == one && (alone["x-sluice-model"] != nil) == one)
        }
    }

    @Test func `that are slow are asked seldom where the fastest is wanted`() throws {
        var (configuration, upstreams) = try providers("alpha", "beta", "gamma", slow: ["beta": 0.3])
        configuration.models =
            #"m: {strategy: "fastest", targets: [{provider: "alpha"}, {provider: "beta"}, {provider: "gamma"}]}"#
        try run(configuration, upstreams) { sluice throws in
            let wire = try sluice.connect()
            for _ in 0..<60 { _ = try wire.chat(chat("m")) }
            let slow = upstreams["beta"]?.requests.all.count ?? 0
            #expect(slow <= 3, "\(slow) of 60")
            #expect(upstreams.values.filter { $0.requests.all.count > 5 }.count == 2)
        }
    }

    @Test func `are chosen for the price, if they can do what is wanted`() throws {
        var (configuration, upstreams) = try providers("alpha", "beta")
        configuration.models = #"""
            m: {strategy: "cheapest", targets: [
              {provider: "alpha", price: {input: 10, output: 30}},
              {provider: "beta", price: {input: 1, output: 3}, context_tokens_max: 1000, capabilities: {images: false}},
            ]}
            """#
        try run(configuration, upstreams) { sluice throws in
            #expect(try ask(sluice, chat("m")) == "beta")
            #expect(try ask(sluice, chat("m", #","max_tokens":5000"#)) == "alpha")
            #expect(try ask(sluice, chat("m", #","x":"\#(String(repeating: "x", count: 8000))""#)) == "alpha")
            let image =
                #"{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y.png"}}]}]}"#
            #expect(try ask(sluice, image) == "alpha")
            #expect(try ask(sluice, chat("m")) == "beta")
        }
    }

    /// Who answers each of twenty users.
    private func owners(_ sluice: SluiceProcess) throws -> [String] {
        try (0..<20).map { try ask(sluice, chat("m", #","user":"u\#($0)""#)) }
    }

    @Test func `keep their callers, when others come as well`() throws {
        var (configuration, upstreams) = try providers("alpha", "beta", "gamma")
        func models(_ names: [String]) -> String {
            #"m: {strategy: "affinity", targets: [\#(names.map { #"{provider: "\#($0)"}"# }.joined(separator: ", "))]}"#
        }
        configuration.models = models(["alpha", "beta"])
        try run(configuration, upstreams) { sluice throws in
            let before = try owners(sluice)
            let again = try owners(sluice)
            #expect(again == before && Set(before).count == 2)
            configuration.models = models(["gamma", "beta", "alpha"])
            try sluice.rewriteConfiguration(configuration.text)
            try sluice.line("the reload") { $0["message"].string == "configuration reloaded" }
            let after = try owners(sluice)
            for (old, new) in zip(before, after) where new != "gamma" { #expect(old == new) }
            #expect(1...14 ~= after.count { $0 == "gamma" }, "\(after)")
        }
    }

    @Test func `follow rules, aliases and patterns`() throws {
        var (configuration, upstreams) = try providers("alpha", "beta")
        configuration.models = #"""
            m: {targets: [{provider: "alpha", weight: 1000}, {provider: "beta"}]}, "fast/*": {provider: "beta", upstream_model: "llama-*"},
            hidden: {provider: "beta", listed: false},
            """#
        configuration.others = [
            #"aliases: {old: "m"}"#,
            #"""
            routes: [
              {name: "search", when: {business_lines: "search"}, prefer: "beta"},
              {name: "vip", when: {users: "vip-*", stream: false}, model: "hidden"},
              {name: "long", when: {body_bytes_min: 4000}, model: "fast/long"},
            ]
            """#,
        ]
        try run(configuration, upstreams) { sluice throws in
            #expect(try ask(sluice, chat("old")) == "alpha")
            #expect(try ask(sluice, chat("m"), ["x-sluice-business-line: search"]) == "beta")
            #expect(try ask(sluice, chat("m", #","user":"vip-1""#), ["x-request-id: vip"]) == "beta")
            #expect(try ask(sluice, chat("fast/70b")) == "beta")
            #expect(try ask(sluice, chat("m", #","x":"\#(String(repeating: "x", count: 4000))""#)) == "beta")
            let asked = upstreams["beta"]?.requests.all.map { $0.json["model"].string ?? "" }
            #expect(asked == ["m", "hidden", "llama-70b", "llama-long"])
            let line = try sluice.exchangeLine("vip")
            #expect(line["sluice.route.rule"].string == "vip" && line["sluice.route.model"].string == "hidden")
            #expect(line["gen_ai.request.model"].string == "m")
            let listed = try sluice.exchange("GET", "/v1/models").json["data"]
            #expect([0, 1, 2].map { listed[$0]["id"].string } == ["m", "old", "echo"])
            #expect(try sluice.exchange("GET", "/v1/models/old").json["owned_by"].string == "alpha")
            let unknown = try sluice.chat(chat("odl"))
            #expect(unknown.status == 404 && unknown.json["error"]["message"].string?.contains(#"Did you mean "old"?"#) == true)
        }
    }

    @Test func `that fail are stood in for, and nothing of them gets out`() throws {
        var (configuration, upstreams) = try providers("beta")
        let failing = try ScriptedUpstream { connection, _ in
            try connection.reply(
                #"{"error":{"message":"down","type":"server_error"}}"#, status: "500 Internal Server Error",
                ["x-ratelimit-remaining-requests: 7", "x-request-id: alpha-1"])
        }
        upstreams["alpha"] = failing
        configuration.add("alpha", failing)
        configuration.models = #"""
            m: {provider: "alpha", fallbacks: ["other"]}, other: {targets: {provider: "beta", upstream_model: "m-b"}},
            """#
        try run(configuration, upstreams) { sluice throws in
            let reply = try sluice.chat(chat("m"), ["x-request-id: r1"])
            #expect(reply.json["from"].string == "beta" && reply["x-sluice-model"] == "m-b")
            #expect(reply["x-ratelimit-remaining-requests"] == nil && reply["x-upstream-request-id"] == nil)
            let line = try sluice.exchangeLine("r1")
            #expect(line["sluice.route.fallback"].string == "other" && line["gen_ai.provider.name"].string == "beta")
            #expect(line["sluice.upstream.attempts"].int == 2)
            let (alpha, beta) = (failing.requests.all, upstreams["beta"]?.requests.all ?? [])
            #expect(alpha.count == 1 && alpha.first?["authorization"] == "Bearer \(Secrets.provider)")
            #expect(beta.count == 1 && beta.first?["authorization"] == "Bearer \(Secrets.otherProvider)")
            #expect(alpha.first?.json["model"].string == "m" && beta.first?.json["model"].string == "m-b")
            let targets = try sluice.health("/targets").json["targets"]
            #expect(targets[0]["provider"].string == "alpha" && targets[0]["failures"].int == 1)
            #expect(targets[1]["failures"].int == 0 && targets[1]["outstanding"].int == 0)
        }
    }

    @Test func `have the model's own timeouts and capabilities`() throws {
        var (configuration, upstreams) = try providers("alpha", "beta", slow: ["beta": 1.5])
        configuration.models = #"""
            slow: {provider: "beta", timeouts: {first_byte_ms: 150}}, patient: {provider: "beta"},
            whole: {provider: "beta", timeouts: {total_ms: 200}},
            plain: {targets: {provider: "alpha", capabilities: {tools: false}}},
            """#
        try run(configuration, upstreams) { sluice throws in
            let slow = try sluice.chat(chat("slow"))
            #expect(slow.status == 504 && slow.json["error"]["code"].string == "upstream_timeout")
            let whole = try sluice.chat(chat("whole"))
            #expect(whole.status == 504 && whole.json["error"]["code"].string == "total_timeout")
            #expect(try sluice.chat(chat("patient")).status == 200)
            let plain = try sluice.chat(chat("plain", #","tools":[{"type":"function","function":{"name":"f"}}]"#))
            #expect(plain["x-sluice-dropped-fields"]?.contains("tools") == true)
            #expect(upstreams["alpha"]?.requests.all.first?.json["tools"].isValid == false)
        }
    }
}
