import Foundation
import TestSupport
import Testing

/// Limits of several processes, and what becomes of them when Redis does not answer.
@Suite(.serialized) struct `Limits that processes share` {
    private func configuration(_ upstream: ScriptedUpstream, _ redis: RedisProcess, _ limits: String) -> Configuration {
        var configuration = Configuration(upstream)
        configuration.others = [
            #"redis: {url: "redis://127.0.0.1:\#(redis.port)", timeout_ms: 50}"#, limits,
        ]
        return configuration
    }

    private func awaitRedis(_ sluices: SluiceProcess...) throws {
        for sluice in sluices {
            let deadline = Patience.deadline
            while try sluice.health("/redis").text.contains("\"available\":true") == false {
                if .now > deadline { throw TimedOut("Redis: \(try sluice.health("/redis").text)") }
                usleep(10_000)
            }
        }
    }

    /// Asks from several threads until each has had its turns.
    private func answered(_ sluices: [SluiceProcess], threads: Int = 4, each: Int, _ body: String = Sample.chat) throws
        -> (passed: Int, refused: Int, others: [Int], longest: Duration)
    {
        let results = Recorder<(Int, Duration)>()
        let work = sluices.map { $0.ports[0] }.flatMap { port in
            (0..<threads).map { _ in
                Background {
                    let wire = try Wire(port: port)
                    for _ in 0..<each {
                        let start = ContinuousClock.now
                        let reply = try wire.chat(body)
                        results.record((reply.status, .now - start))
                    }
                    return true
                }
            }
        }
        for one in work { try one.value() }
        let all = results.all
        return (
            all.count { $0.0 == 200 }, all.count { $0.0 == 429 }, all.map(\.0).filter { $0 != 200 && $0 != 429 },
            all.map(\.1).max() ?? .zero
        )
    }

    @Test(arguments: [0, 10])
    func `together never let pass more than the limit, and few fewer`(leasePercent: Int) throws {
        let redis = try RedisProcess()
        let upstream = try ScriptedUpstream()
        let configuration = configuration(
            upstream, redis,
            #"rate_limits: [{name: "fleet", scope: "fleet", limit: 200, per: "day", lease_percent: \#(leasePercent)}]"#)
        try withSluice(configuration, upstream) { one in
            try withSluice(configuration) { two in
                try awaitRedis(one, two)
                let result = try answered([one, two], each: 50)
                #expect(result.others.isEmpty)
                #expect(result.passed <= 200)
                // What one has taken in advance, another cannot have.
                #expect(result.passed >= 200 - 2 * 2 * leasePercent)
                #expect(result.passed + result.refused == 400)
                let report = try one.health("/limits").json
                #expect(report["decided"].string == "as_configured")
            }
        }
    }

    @Test func `stay within the stated bound when Redis is killed, and no request waits for it`() throws {
        let redis = try RedisProcess()
        let upstream = try ScriptedUpstream()
        let configuration = configuration(
            upstream, redis,
            #"rate_limits: [{name: "fleet", scope: "fleet", limit: 200, per: "day", lease_percent: 5, local_share_percent: 50}]"#
        )
        try withSluice(configuration, upstream) { one in
            try withSluice(configuration) { two in
                try awaitRedis(one, two)
                let before = try answered([one, two], each: 10)
                #expect(before.passed == 80)
                redis.kill()
                let after = try answered([one, two], each: 60)
                #expect(after.others.isEmpty)
                // N × share of the limit, and what was leased.
                let bound = 80 + 2 * 100 + 2 * 10
                #expect(before.passed + after.passed <= bound)
                #expect(after.passed >= 2 * 100 - 2)
                #expect(after.longest < .seconds(2), "\(after.longest)")
                try one.line("news") { $0["message"].string == "limits are local now" }
                #expect(try one.health("/limits").json["decided"].string == "local")
                let refused = try one.chat()
                #expect(refused.status == 429)
                #expect(refused["x-sluice-limits"] == "local")
            }
        }
    }

    @Test func `cost no request when Redis is paused under load`() throws {
        let redis = try RedisProcess()
        let upstream = try ScriptedUpstream()
        let configuration = configuration(
            upstream, redis,
            #"rate_limits: [{name: "fleet", scope: "fleet", limit: 1000000000, per: "hour", lease_percent: 0}], budgets: [{name: "tokens", scope: "fleet", unit: "total_tokens", limit: 100000000}]"#
        )
        try withSluice(configuration, upstream) { sluice in
            try awaitRedis(sluice)
            let load = Load(sluice.ports)
            try load.more(50)
            redis.pause()
            try load.more(100)
            try sluice.line("news") { $0["message"].string == "limits are local now" }
            redis.resume()
            try sluice.line("better news") { $0["message"].string == "limits are shared again" }
            try load.more(50)
            let totals = try load.stop()
            let failures = totals.failures.prefix(3)
            #expect(failures.isEmpty)
        }
    }

    private func chat(_ members: String) -> String {
        #"{"model":"m",\#(members)"messages":[{"role":"user","content":"Hello"}]}"#
    }

    @Test(arguments: [0, 10])
    func `give back in Redis what a request did not need`(leasePercent: Int) throws {
        let redis = try RedisProcess()
        let upstream = try ScriptedUpstream()
        let configuration = configuration(
            upstream, redis,
            #"rate_limits: [{name: "tokens", unit: "total_tokens", scope: "fleet", limit: 5000, per: "day", lease_percent: \#(leasePercent)}]"#
        )
        try withSluice(configuration, upstream) { one in
            try withSluice(configuration) { two in
                try awaitRedis(one, two)
                // Each may need a thousand, and needs seven.
                for _ in 0..<20 {
                    #expect(try one.chat(chat(#""max_tokens":1000,"#)).status == 200)
                    #expect(try two.chat(chat(#""max_tokens":1000,"#)).status == 200)
                }
            }
        }
    }

    @Test func `take nothing from one limit where another refuses`() throws {
        let redis = try RedisProcess()
        let upstream = try ScriptedUpstream()
        let configuration = configuration(
            upstream, redis,
            #"""
            rate_limits: [
              {name: "house", scope: "fleet", limit: 20, per: "day", lease_percent: 0},
              {name: "user", by: ["user"], scope: "fleet", limit: 1, per: "day", lease_percent: 0},
            ]
            """#)
        try withSluice(configuration, upstream) { sluice in
            try awaitRedis(sluice)
            #expect(try sluice.chat(chat(#""user":"ada","#)).status == 200)
            for _ in 0..<30 {
                let refused = try sluice.chat(chat(#""user":"ada","#))
                #expect(refused.status == 429)
                #expect(refused.json["error"]["message"].string?.contains("\"user\"") == true)
            }
            for number in 0..<15 { #expect(try sluice.chat(chat(#""user":"u\#(number)","#)).status == 200) }
        }
    }

    @Test func `say when it is worth another try, however many ask`() throws {
        let redis = try RedisProcess()
        let upstream = try ScriptedUpstream()
        let configuration = configuration(
            upstream, redis, #"rate_limits: [{name: "fleet", scope: "fleet", limit: 2, per: "hour"}], cache: {}"#)
        let asked = chat(#""temperature":0,"#)
        try withSluice(configuration, upstream) { sluice in
            try awaitRedis(sluice)
            #expect(try sluice.chat(asked)["x-ratelimit-remaining-requests"] == "1")
            let hit = try sluice.chat(asked)
            #expect(hit["x-sluice-cache"] == "hit" && hit["x-ratelimit-remaining-requests"] == "0")
            for _ in 0..<5 {
                let refused = try sluice.chat(asked)
                #expect(refused.status == 429 && Int(refused["retry-after"] ?? "") ?? 0 > 1000)
            }
            let explained = try sluice.health("/limits/explain?model=m").json["limits"][0]
            // The first of two comes back after half an hour, both after an hour.
            #expect(1_700_000...1_800_000 ~= explained["retry_after_ms"].int ?? 0, "\(explained)")
        }
    }

    @Test func `let in again in time whoever has used more than there ever is`() throws {
        let redis = try RedisProcess()
        let upstream = try ScriptedUpstream(
            reply: Sample.completion.replacing(#""completion_tokens":2"#, with: #""completion_tokens":1500"#))
        var configuration = configuration(
            upstream, redis,
            #"rate_limits: [{name: "tokens", unit: "output_tokens", scope: "fleet", limit: 500, per: "second"}]"#)
        configuration.limits = "output_tokens_reserved: 10"
        try withSluice(configuration, upstream) { one in
            try withSluice(configuration) { two in
                try awaitRedis(one, two)
                #expect(try one.chat().status == 200)
                // The whole fleet hears of it.
                let deadline = Patience.deadline
                while try two.chat().status == 200 { if .now > deadline { throw TimedOut("a refusal") } }
                #expect(try one.chat().status == 429)
                // Each has spent three seconds.
                while try one.chat().status == 429 {
                    if .now > deadline { throw TimedOut("to be let in") }
                    usleep(50_000)
                }
            }
        }
    }

    @Test func `remember what was spent of a budget when a process starts again`() throws {
        let redis = try RedisProcess()
        let upstream = try ScriptedUpstream()
        let configuration = configuration(
            upstream, redis,
            #"budgets: [{name: "tokens", scope: "fleet", by: ["user"], unit: "output_tokens", limit: 100, period: "day"}]"#
        )
        let chat = #"{"model":"m","user":"ada","max_tokens":20,"messages":[{"role":"user","content":"Hello"}]}"#
        func used(_ sluice: SluiceProcess) throws -> Int? {
            try sluice.health("/limits/explain?user=ada").json["limits"][0]["used"].int
        }
        try withSluice(configuration, upstream) { one in
            try awaitRedis(one)
            for _ in 0..<5 { #expect(try one.chat(chat).status == 200) }
            #expect(try used(one) == 10)
            try withSluice(configuration) { two in
                try awaitRedis(two)
                #expect(try two.chat(chat).status == 200)
                #expect(try used(two) == 12)
                // What is spent while Redis is away is told when it is back, once.
                redis.pause()
                for _ in 0..<5 { #expect(try two.chat(chat).status == 200) }
                redis.resume()
                let deadline = Patience.deadline
                while true {
                    let spent = redis.ask(
                        "EVAL \"local s = 0 for _, k in ipairs(redis.call('KEYS', '*')) do s = s + redis.call('HGET', k, 'spent') end return s\" 0"
                    )
                    if spent.hasPrefix(":22\r\n") { break }
                    if .now > deadline { throw TimedOut("what was spent: \(spent)") }
                    usleep(50_000)
                }
            }
        }
        let again = try ScriptedUpstream()
        var restarted = configuration
        restarted.providers = []
        restarted.add("mock", again)
        try withSluice(restarted, again) { three in
            try awaitRedis(three)
            #expect(try three.chat(chat).status == 200)
            #expect(try used(three) == 24)
        }
    }
}
