import Testing

@Suite struct `Rate limits` {
    /// One provider, and these limits.
    private func limited(
        _ upstream: ScriptedUpstream, limits: String = "", budgets: String = "", models: String = ""
    ) -> Configuration {
        var configuration = Configuration(upstream)
        configuration.models = models
        configuration.others = ["rate_limits: [\(limits)]", "budgets: [\(budgets)]"]
        return configuration
    }

    private func chat(_ user: String, _ more: String = "") -> String {
        #"{"model":"m","user":"\#(user)","messages":[{"role":"user","content":"Hello"}]\#(more)}"#
    }

    private let perUser = #"{name: "per-user", by: ["user"], limit: 2, per: "minute"}"#

    @Test func `refuse with what SDKs understand, and tell how they stand on every answer`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.reply(Sample.completion, ["x-ratelimit-remaining-requests: 9999", "openai-version: 1"])
        }
        try withSluice(limited(upstream, limits: perUser), upstream) { sluice in
            let first = try sluice.chat(chat("ada"))
            #expect(first.status == 200)
            #expect(first["x-ratelimit-limit-requests"] == "2")
            #expect(first["x-ratelimit-remaining-requests"] == "1")
            #expect(first["x-ratelimit-reset-requests"]?.hasSuffix("s") == true)
            #expect(first["openai-version"] == "1")
            let second = try sluice.chat(chat("ada"))
            #expect(second["x-ratelimit-remaining-requests"] == "0")
            let third = try sluice.chat(chat("ada"), ["x-request-id: third"])
            #expect(third.status == 429)
            #expect(third.json["error"]["code"].string == "rate_limit_exceeded")
            #expect(third.json["error"]["type"].string == "requests")
            #expect(third.json["error"]["message"].string?.contains("\"per-user\"") == true)
            #expect(third["x-sluice-error-owner"] == "policy")
            #expect(third["x-should-retry"] == "true")
            #expect(third["x-ratelimit-remaining-requests"] == "0")
            let seconds = Int(third["retry-after"] ?? "") ?? 0
            let milliseconds = Int(third["retry-after-ms"] ?? "") ?? 0
            #expect(1...30 ~= seconds)
            #expect(milliseconds > (seconds - 1) * 1000 && milliseconds <= seconds * 1000)
            let line = try sluice.exchangeLine("third")
            #expect(line["sluice.limit.name"].string == "per-user")
            #expect(line["http.response.status_code"].int == 429)
            // Others have their own, and nothing of the refused request went out.
            #expect(try sluice.chat(chat("bob")).status == 200)
            #expect(upstream.requests.all.count == 3)
        }
    }

    @Test func `are told in each dialect`() throws {
        let upstream = try ScriptedUpstream()
        let limits = #"{name: "all", limit: 1, per: "hour"}, {name: "tokens", unit: "total_tokens", limit: 1000000}"#
        try withSluice(limited(upstream, limits: limits), upstream) { sluice in
            #expect(try sluice.chat(chat("ada")).status == 200)
            let messages = try sluice.exchange(
                "POST", "/v1/messages", ["anthropic-version: 2023-06-01"],
                #"{"model":"m","max_tokens":10,"messages":[{"role":"user","content":"Hello"}]}"#)
            #expect(messages.status == 429)
            #expect(messages.json["type"].string == "error")
            #expect(messages.json["error"]["type"].string == "rate_limit_error")
            #expect(messages["anthropic-ratelimit-requests-limit"] == "1")
            #expect(messages["anthropic-ratelimit-requests-remaining"] == "0")
            #expect(messages["anthropic-ratelimit-requests-reset"]?.hasSuffix("Z") == true)
            #expect(messages["x-ratelimit-limit-requests"] == nil)
            let platform = try sluice.exchange(
                "POST", "/api/v1/chat/completions", [], #"{"model":"m","parameters":{"prompt":"Hello"}}"#)
            #expect(platform.status == 429)
            #expect(platform.json["code"].int == 429)
            #expect(platform.json["error"]["code"].string == "rate_limit_exceeded")
            #expect(platform.json["error"]["owner"].string == "policy")
        }
    }

    @Test func `hold back tokens that a request may need, and give back what it did not`() throws {
        let gate = Recorder<Bool>()
        let upstream = try ScriptedUpstream { connection, _ in
            try gate.first("leave to answer")
            try connection.reply(Sample.completion)
        }
        let limits = #"{name: "tokens", unit: "total_tokens", limit: 1000, per: "day"}"#
        try withSluice(limited(upstream, limits: limits), upstream) { sluice in
            let wire = try sluice.connect()
            try wire.ask("POST", "/v1/chat/completions", [], chat("ada", #","max_tokens":900"#))
            try upstream.requests.first("the first request")
            // What is under way may need it all.
            let refused = try sluice.chat(chat("ada", #","max_tokens":900"#))
            #expect(refused.status == 429)
            #expect(refused.json["error"]["type"].string == "tokens")
            gate.record(true)
            let first = try wire.readResponse()
            #expect(first["x-ratelimit-limit-tokens"] == "1000")
            #expect(Int(first["x-ratelimit-remaining-tokens"] ?? "").map { $0 < 100 } == true)
            // It needed seven.
            let second = try sluice.chat(chat("ada", #","max_tokens":900"#))
            #expect(second.status == 200)
            let explained = try sluice.health("/limits/explain?model=m").json
            #expect(explained["limits"][0]["used"].int.map { 13...14 ~= $0 } == true, "\(explained)")
            #expect(explained["limits"][0]["held"].int == 0)
            let large = try sluice.chat(chat("ada", #","max_tokens":5000"#))
            #expect(large.status == 429)
            #expect(large["x-should-retry"] == "false")
            #expect(large.json["error"]["message"].string?.contains("too large") == true)
        }
    }

    @Test func `settle a stream at its end, one that breaks, one that nobody reads, and one that fails`() throws {
        let upstream = try ScriptedUpstream { connection, request in
            if request.text.contains("fail") {
                return try connection.reply(#"{"error":{"message":"no"}}"#, status: "500 Oops")
            }
            try connection.startStream()
            try connection.event(Sample.delta("a"))
            if request.text.contains("cut") { return connection.wire.close() }
            if request.text.contains("wait") {
                _ = try connection.awaitEnd()
                return
            }
            for data in [Sample.finish, Sample.usage, Sample.done] { try connection.event(data) }
            try connection.endStream()
        }
        let limits =
            #"{name: "tokens", unit: "output_tokens", limit: 10000, per: "day"}, {name: "at-once", unit: "concurrency", limit: 2}"#
        try withSluice(limited(upstream, limits: limits), upstream) { sluice in
            func used() throws -> Int {
                try sluice.awaitNothingInFlight()
                let limits = try sluice.health("/limits/explain?model=m").json["limits"]
                #expect(limits[0]["held"].int == 0)
                #expect(limits[1]["used"].int == 0)
                return limits[0]["used"].int ?? -1
            }
            func ask(_ word: String) -> String { chat(word, #","stream":true"#) }
            let whole = try sluice.stream(ask("u"))
            #expect(whole.head["x-ratelimit-limit-tokens"] == "10000")
            _ = try whole.rest()
            #expect(try used() == 3)
            _ = try sluice.chat(ask("fail"))
            #expect(try used() == 3)
            _ = try sluice.stream(ask("cut")).untilAnyEnd()
            #expect(try 4...6 ~= used())
            do {
                let wire = try sluice.connect()
                try wire.ask("POST", "/v1/chat/completions", [], ask("wait"))
                let stream = try ResponseStream(wire)
                _ = try stream.next()
                wire.close()
            }
            #expect(try 5...9 ~= used())
        }
    }

    @Test func `count who is under way`() throws {
        let gate = Recorder<Bool>()
        let upstream = try ScriptedUpstream { connection, _ in
            try gate.first("leave to answer")
            try connection.reply(Sample.completion)
        }
        let limits = #"{name: "at-once", by: ["key"], unit: "concurrency", limit: 1}"#
        try withSluice(limited(upstream, limits: limits), upstream) { sluice in
            let wire = try sluice.connect()
            try wire.ask("POST", "/v1/chat/completions", [], Sample.chat)
            try upstream.requests.first("the first request")
            let refused = try sluice.chat()
            #expect(refused.status == 429)
            #expect(refused["retry-after"] == "1")
            gate.record(true)
            #expect(try wire.readResponse().status == 200)
            try sluice.awaitNothingInFlight()
            #expect(try sluice.chat().status == 200)
        }
    }

    @Test func `on a provider leave the other providers`() throws {
        let one = try ScriptedUpstream()
        let two = try ScriptedUpstream()
        var configuration = limited(
            one, limits: #"{name: "mock-only", when: {providers: ["mock"]}, limit: 1, per: "hour"}"#,
            models: #"m: {provider: "mock", fallbacks: ["n"]}, n: {provider: "other"}"#)
        configuration.add("other", two)
        try withSluice(configuration, one, two) { sluice in
            #expect(try sluice.chat(Sample.chat, ["x-request-id: a"]).status == 200)
            let second = try sluice.chat(Sample.chat, ["x-request-id: b"])
            #expect(second.status == 200)
            #expect(one.requests.all.count == 1)
            #expect(two.requests.all.count == 1)
            #expect(try sluice.exchangeLine("b")["sluice.limit.name"].string == nil)
        }
    }

    @Test func `keep what was taken when the configuration changes`() throws {
        let upstream = try ScriptedUpstream()
        let configuration = limited(upstream, limits: #"{name: "all", limit: 2, per: "day"}"#)
        try withSluice(configuration, upstream) { sluice in
            #expect(try sluice.chat().status == 200)
            #expect(try sluice.chat().status == 200)
            var changed = configuration
            changed.others[0] =
                #"rate_limits: [{name: "new", by: ["model"], limit: 50}, {name: "all", limit: 2, per: "day"}]"#
            try sluice.rewriteConfiguration(changed.text)
            try sluice.line("a reload") { $0["message"].string == "configuration reloaded" }
            #expect(try sluice.chat().status == 429)
            #expect(upstream.requests.all.count == 2)
        }
    }

    @Test func `are explained, and shown`() throws {
        let upstream = try ScriptedUpstream()
        let limits = perUser + #", {name: "gpt", when: {models: ["gpt-*"]}, algorithm: "leaky_bucket", limit: 60}"#
        try withSluice(limited(upstream, limits: limits), upstream) { sluice in
            for _ in 0..<2 { _ = try sluice.chat(chat("ada lovelace")) }
            let explained = try sluice.health("/limits/explain?user=ada%20lovelace&model=m").json
            #expect(explained["admitted"].bool == false)
            #expect(explained["refused_by"].array.map(\.string) == ["per-user"])
            #expect(explained["limits"].array.count == 1)
            #expect(explained["limits"][0]["bucket"]["user"].string == "ada lovelace")
            #expect(explained["limits"][0]["remaining"].int == 0)
            #expect((explained["limits"][0]["retry_after_ms"].int ?? 0) > 1000)
            #expect(try sluice.health("/limits/explain?user=bob&model=gpt-5").json["admitted"].bool == true)
            let all = try sluice.health("/limits").json["limits"]
            #expect(all[0]["buckets"].int == 1)
            #expect(all[0]["passed"].int == 2 && all[0]["refused"].int == 0 && all[0]["settled"].int == 2)
            #expect(all[0]["busiest"][0]["bucket"]["user"].string == "ada lovelace")
            #expect(all[1]["kind"].string == "leaky_bucket")
        }
    }
}

@Suite struct `Budgets` {
    private let chat = #"{"model":"m","user":"ada","max_tokens":10,"messages":[{"role":"user","content":"Hello"}]}"#

    @Test func `are spent at the price of the target, and say so once at 80 and 100 percent`() throws {
        let upstream = try ScriptedUpstream()
        var configuration = Configuration(upstream)
        // A token is one of money: seven for a request, and 34 or so reserved.
        configuration.models = #"m: {targets: [{provider: "mock", price: {input: 1000000, output: 1000000}}]}"#
        configuration.others = [
            #"budgets: [{name: "team", by: ["user"], limit: 100, period: "month", utc_offset_minutes: 480}]"#
        ]
        try withSluice(configuration, upstream) { sluice in
            var answered = 0
            while try sluice.chat(chat).status == 200 { answered += 1 }
            // What one request may cost is kept free for it.
            #expect(8...11 ~= answered)
            let refused = try sluice.chat(chat)
            #expect(refused.json["error"]["code"].string == "insufficient_quota")
            #expect(refused.json["error"]["type"].string == "insufficient_quota")
            #expect(refused["x-should-retry"] == "false")
            let explained = try sluice.health("/limits/explain?user=ada").json["limits"][0]
            #expect(explained["used"].int == answered * 7_000_000)
            #expect(try sluice.chat(chat.replacing("ada", with: "bob")).status == 200)
        }
    }

    @Test func `tell of their marks`() throws {
        let upstream = try ScriptedUpstream()
        var configuration = Configuration(upstream)
        configuration.others = [#"budgets: [{name: "tokens", unit: "output_tokens", limit: 20, period: "day"}]"#]
        try withSluice(configuration, upstream) { sluice in
            for _ in 0..<9 { _ = try sluice.chat(chat.replacing(":10,", with: ":2,")) }
            for percent in [80] {
                let line = try sluice.line("\(percent) percent") {
                    $0["message"].string == "budget has reached a mark" && $0["sluice.limit.percent"].int == percent
                }
                #expect(line["sluice.limit.name"].string == "tokens")
            }
            for _ in 0..<2 { _ = try sluice.chat(chat.replacing(":10,", with: ":2,")) }
            try sluice.line("100 percent") { $0["sluice.limit.percent"].int == 100 }
            let marks = sluice.process.output.lines.all.filter { $0.contains("budget has reached a mark") }
            #expect(marks.count == 2)
        }
    }
}
