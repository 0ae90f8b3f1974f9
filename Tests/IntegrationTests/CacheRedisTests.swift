import Foundation
import TestSupport
import Testing

/// Answers that several processes share through a real Redis.
@Suite struct `The cache in Redis` {
    private let chat =
        #"{"model":"m","temperature":0,"messages":[{"role":"user","content":"a very private question"}]}"#

    /// Names of entries end in a brace, those of locks and of what was purged in a letter.
    private let entries = "sluice:cache:*[0-9a-f]}"

    private func configuration(_ upstream: ScriptedUpstream, _ redis: RedisProcess, _ cache: String = "")
        -> Configuration
    {
        var configuration = Configuration(upstream)
        configuration.others = [
            "cache: {\(cache)}", #"redis: {url: "redis://127.0.0.1:\#(redis.port)", timeout_ms: 200}"#,
        ]
        return configuration
    }

    /// Two processes, whose memories are apart.
    private func withTwo(
        _ configuration: Configuration, _ upstream: ScriptedUpstream, other: Configuration? = nil,
        _ body: (SluiceProcess, SluiceProcess) throws -> Void
    ) throws {
        try withSluice(configuration, upstream) { one in
            try withSluice(other ?? configuration) { two in
                for sluice in [one, two] { try awaitRedis(sluice) }
                try body(one, two)
            }
        }
    }

    private func awaitRedis(_ sluice: SluiceProcess, is state: String = "up") throws {
        let deadline = Patience.deadline
        while try sluice.health().json["redis"].string != state {
            if .now > deadline { throw TimedOut("Redis: \(try sluice.health().json)") }
            usleep(10_000)
        }
    }

    private func awaitKeys(_ redis: RedisProcess, _ pattern: String, _ count: Int) throws {
        let deadline = Patience.deadline
        while !redis.ask("KEYS \(pattern)").hasPrefix("*\(count)\r\n") {
            if .now > deadline { throw TimedOut("\(count) keys: \(redis.ask("KEYS *"))") }
            usleep(10_000)
        }
    }

    private func purge(_ sluice: SluiceProcess, _ body: String) throws {
        let wire = try Wire(port: sluice.adminPort)
        try wire.ask("POST", "/cache/purge", [], body)
        #expect(try wire.readResponse().status == 200)
    }

    @Test func `is shared by processes, and kept in the memory of each`() throws {
        let redis = try RedisProcess()
        defer { redis.remove() }
        let upstream = try ScriptedUpstream()
        try withTwo(configuration(upstream, redis), upstream) { one, two in
            #expect(try one.chat(chat)["x-sluice-cache"] == "miss")
            try awaitKeys(redis, entries, 1)
            let reply = try two.chat(chat, ["x-request-id: two"])
            #expect(reply["x-sluice-cache"] == "hit" && reply.text == Sample.completion)
            #expect(try two.exchangeLine("two")["sluice.cache.level"].string == "redis")
            _ = try two.chat(chat, ["x-request-id: three"])
            #expect(try two.exchangeLine("three")["sluice.cache.level"].string == "memory")
            #expect(upstream.requests.all.count == 1)
            try awaitKeys(redis, "sluice:cache:*:lock", 0)
            let report = try two.health("/cache").json
            #expect(report["requests"]["redis_hits"].int == 1 && report["requests"]["memory_hits"].int == 1)
        }
    }

    @Test func `shows nothing of what it holds where it is encrypted`() throws {
        let redis = try RedisProcess()
        defer { redis.remove() }
        let upstream = try ScriptedUpstream(
            reply: Sample.completion.replacingOccurrences(of: "Hi.", with: "a very secret answer"))
        let sealed = configuration(upstream, redis, #"encryption_key: "\#(String(repeating: "k", count: 40))""#)
        let other = configuration(upstream, redis, #"encryption_key: "another key""#)
        try withTwo(sealed, upstream, other: other) { one, two in
            _ = try one.chat(chat)
            try awaitKeys(redis, entries, 1)
            let key =
                redis.ask("KEYS \(entries)").components(separatedBy: "\r\n").first { $0.hasPrefix("sluice:cache:") }
                ?? ""
            let value = redis.ask("GET \(key)")
            #expect(value.contains("SLC") && !value.contains("secret") && !value.contains("chat.completion"))
            #expect(!redis.ask("DUMP \(key)").contains("secret") && !key.contains("private"))
            #expect(try two.chat(chat)["x-sluice-cache"] == "miss", "the wrong key is a miss, and no error")
            #expect(try two.health("/cache").json["redis_unreadable"].int == 1)
        }
    }

    @Test func `is shown where it is not`() throws {
        let redis = try RedisProcess()
        defer { redis.remove() }
        let upstream = try ScriptedUpstream(
            reply: Sample.completion.replacingOccurrences(of: "Hi.", with: "a very secret answer"))
        try withSluice(configuration(upstream, redis), upstream) { sluice in
            try awaitRedis(sluice)
            _ = try sluice.chat(chat)
            try awaitKeys(redis, entries, 1)
            let key =
                redis.ask("KEYS \(entries)").components(separatedBy: "\r\n").first { $0.hasPrefix("sluice:cache:") }
                ?? ""
            #expect(redis.ask("GET \(key)").contains("secret"), "the search above would have found it")
            let ttl = Int(redis.ask("PTTL \(key)").dropFirst().prefix { $0.isNumber }) ?? 0
            #expect((3_200_000...3_960_000).contains(ttl))
        }
    }

    @Test func `is asked once by a whole fleet`() throws {
        let redis = try RedisProcess()
        defer { redis.remove() }
        let upstream = try ScriptedUpstream { connection, _ in
            usleep(500_000)
            try connection.reply(Sample.completion)
        }
        try withTwo(configuration(upstream, redis), upstream) { one, two in
            let wires = try (0..<20).map { index in
                let wire = try (index % 2 == 0 ? one : two).connect()
                try wire.ask("POST", "/v1/chat/completions", [], chat)
                return wire
            }
            for wire in wires { #expect(try wire.readResponse().text == Sample.completion) }
            #expect(upstream.requests.all.count == 1)
        }
    }

    @Test func `does not wait long for a process that asks`() throws {
        let redis = try RedisProcess()
        defer { redis.remove() }
        let gate = DispatchSemaphore(value: 0)
        let calls = CallCounter()
        let upstream = try ScriptedUpstream { connection, _ in
            if calls.increment() == 1 { _ = gate.wait(timeout: .now() + 60) }
            try connection.reply(Sample.completion)
        }
        try withTwo(configuration(upstream, redis, "fleet_wait_ms: 400"), upstream) { one, two in
            let wire = try one.connect()
            try wire.ask("POST", "/v1/chat/completions", [], chat)
            try upstream.requests.first("the request")
            let start = ContinuousClock.now
            #expect(try two.chat(chat).text == Sample.completion)
            #expect((Duration.milliseconds(200)...Duration.seconds(5)).contains(ContinuousClock.now - start))
            gate.signal()
            #expect(try wire.readResponse().status == 200)
        }
    }

    @Test func `is purged for processes that begin later too`() throws {
        let redis = try RedisProcess()
        defer { redis.remove() }
        let upstream = try ScriptedUpstream()
        try withTwo(configuration(upstream, redis), upstream) { one, two in
            _ = try one.chat(chat)
            try awaitKeys(redis, entries, 1)
            try purge(one, #"{"model":"m"}"#)
            try awaitKeys(redis, "sluice:cache:purges", 1)
            #expect(try two.chat(chat)["x-sluice-cache"] == "miss", "it has asked for nothing yet, and knows")
            // An answer is kept after it has been given; nobody waits for that.
            usleep(500_000)
            #expect(try one.chat(chat)["x-sluice-cache"] == "hit", "the new answer")
            #expect(upstream.requests.all.count == 2)
        }
    }

    @Test func `is purged in other processes at once`() throws {
        let redis = try RedisProcess()
        defer { redis.remove() }
        let calls = CallCounter()
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.reply(Sample.completion.replacingOccurrences(of: "Hi.", with: "\(calls.increment())"))
        }
        try withTwo(configuration(upstream, redis), upstream) { one, two in
            _ = try one.chat(chat)
            try awaitKeys(redis, entries, 1)
            let old = try two.chat(chat).text
            let deadline = Patience.deadline
            while redis.ask("PUBSUB NUMSUB sluice:cache:purge").components(separatedBy: "\r\n:").last?.hasPrefix("2")
                != true
            {
                if .now > deadline { throw TimedOut("both to listen") }
                usleep(10_000)
            }
            try purge(one, #"{"model":"m"}"#)
            while try two.chat(chat).text == old {
                if .now > deadline { throw TimedOut("a new answer") }
                usleep(20_000)
            }
            #expect(upstream.requests.all.count == 2)
        }
    }

    /// What is published while a process does not listen is found out from the note beside it, also where nothing is asked of Redis.
    @Test func `is purged within ten seconds in a process that did not listen`() throws {
        let redis = try RedisProcess()
        defer { redis.remove() }
        let upstream = try ScriptedUpstream()
        try withSluice(configuration(upstream, redis), upstream) { sluice in
            try awaitRedis(sluice)
            _ = try sluice.chat(chat)
            try awaitKeys(redis, entries, 1)
            #expect(try sluice.chat(chat)["x-sluice-cache"] == "hit")
            let now = Int(Date().timeIntervalSince1970 * 1000)
            _ = redis.ask("HSET sluice:cache:purges m:m \(now)")
            let start = ContinuousClock.now
            while try sluice.chat(chat)["x-sluice-cache"] == "hit" {
                if ContinuousClock.now - start > Patience.usual { throw TimedOut("the purge to be found") }
                usleep(100_000)
            }
            #expect(ContinuousClock.now - start < .seconds(12), "ten seconds, and a busy machine's slowness")
        }
    }

    /// Nobody asks Redis once it is back: all that is wanted is in the memory.
    @Test func `is purged in a process whose Redis was away when it began to keep things`() throws {
        let redis = try RedisProcess()
        defer { redis.remove() }
        let upstream = try ScriptedUpstream()
        redis.pause()
        try withSluice(configuration(upstream, redis), upstream) { sluice in
            try awaitRedis(sluice, is: "down")
            _ = try sluice.chat(chat)
            #expect(try sluice.chat(chat)["x-sluice-cache"] == "hit")
            redis.resume()
            _ = redis.ask("HSET sluice:cache:purges m:m \(Int(Date().timeIntervalSince1970 * 1000))")
            let deadline = Patience.deadline
            while try sluice.chat(chat)["x-sluice-cache"] == "hit" {
                if .now > deadline { throw TimedOut("the purge to be found") }
                usleep(100_000)
            }
        }
    }

    @Test func `is purged in Redis too when Redis was away at that moment`() throws {
        let redis = try RedisProcess()
        defer { redis.remove() }
        let upstream = try ScriptedUpstream()
        var configuration = configuration(upstream, redis)
        configuration.others[1] = #"redis: {url: "redis://127.0.0.1:\#(redis.port)", timeout_ms: 20}"#
        try withSluice(configuration, upstream) { sluice in
            try awaitRedis(sluice)
            _ = try sluice.chat(chat)
            try awaitKeys(redis, entries, 1)
            redis.pause()
            for number in 0..<10 { _ = try sluice.chat(chat.replacingOccurrences(of: "very", with: "\(number)")) }
            try awaitRedis(sluice, is: "down")
            try purge(sluice, #"{"model":"m"}"#)
            redis.resume()
            try awaitKeys(redis, "sluice:cache:purges", 1)
            #expect(redis.ask("HKEYS sluice:cache:purges").contains("m:m"))
        }
    }

    @Test func `remembers no more purges than are read in one go`() throws {
        let redis = try RedisProcess()
        defer { redis.remove() }
        let upstream = try ScriptedUpstream()
        try withSluice(configuration(upstream, redis), upstream) { sluice in
            try awaitRedis(sluice)
            _ = redis.ask(
                "EVAL \"for n = 1, 1200 do redis.call('hset', KEYS[1], 't:' .. n, n) end return 1\" 1 sluice:cache:purges")
            _ = try sluice.chat(chat)
            try awaitKeys(redis, entries, 1)
            try purge(sluice, #"{"tenant":"somebody"}"#)
            let deadline = Patience.deadline
            while !redis.ask("HLEN sluice:cache:purges").hasPrefix(":1\r\n") {
                if .now > deadline { throw TimedOut("one note: \(redis.ask("HLEN sluice:cache:purges"))") }
                usleep(10_000)
            }
            // The latest of them: nobody gets what any of them was about.
            #expect(redis.ask("HGET sluice:cache:purges a:").split(separator: "\r\n").last.flatMap { Int($0) } ?? 0 > 1_700_000_000_000)
        }
    }

    @Test func `costs nothing when Redis dies, and comes back with it`() throws {
        let redis = try RedisProcess()
        defer { redis.remove() }
        let upstream = try ScriptedUpstream()
        try withSluice(configuration(upstream, redis), upstream) { sluice in
            try awaitRedis(sluice)
            _ = try sluice.chat(chat)
            redis.kill()
            for number in 0..<5 {
                let start = ContinuousClock.now
                let question = chat.replacingOccurrences(of: "private", with: "private \(number)")
                #expect(try sluice.chat(question).status == 200)
                #expect(ContinuousClock.now - start < .seconds(1))
            }
            #expect(try sluice.chat(chat)["x-sluice-cache"] == "hit", "the memory is still there")
            try redis.start()
            try awaitRedis(sluice)
            _ = try sluice.chat(chat.replacingOccurrences(of: "private", with: "other"))
            try awaitKeys(redis, entries, 1)
        }
    }

    @Test func `holds replies under idempotency keys for all processes`() throws {
        let redis = try RedisProcess()
        defer { redis.remove() }
        let gate = DispatchSemaphore(value: 0)
        let upstream = try ScriptedUpstream { connection, _ in
            _ = gate.wait(timeout: .now() + 60)
            try connection.reply(Sample.completion)
        }
        try withTwo(configuration(upstream, redis), upstream) { one, two in
            let field = ["idempotency-key: shared"]
            let first = try one.connect()
            try first.ask("POST", "/v1/chat/completions", field, Sample.chat)
            try upstream.requests.first("the request")
            let second = try two.connect()
            try second.ask("POST", "/v1/chat/completions", field, Sample.chat)
            usleep(200_000)
            gate.signal()
            #expect(try first.readResponse().text == Sample.completion)
            let reply = try second.readResponse()
            #expect(reply.text == Sample.completion && reply["x-sluice-idempotent"] == "replayed")
            #expect(try two.chat(Sample.echo, field).json["error"]["code"].string == "idempotency_conflict")
            #expect(upstream.requests.all.count == 1)
        }
    }

    @Test func `keeps the answer of a model that stands in for a moment only`() throws {
        let redis = try RedisProcess()
        defer { redis.remove() }
        let calls = CallCounter()
        let first = try ScriptedUpstream { connection, _ in
            if calls.increment() > 1 { return try connection.reply(Sample.completion) }
            try connection.reply(#"{"error":{"message":"No."}}"#, status: "503 Service Unavailable")
        }
        let second = try ScriptedUpstream()
        var configuration = Configuration(first)
        configuration.add("other", second)
        configuration.models = #"m: {provider: "mock", fallbacks: ["n"]}, n: {provider: "other"}"#
        configuration.others = [
            "cache: {stale_if_error_ms: 600000}", #"redis: {url: "redis://127.0.0.1:\#(redis.port)", timeout_ms: 200}"#,
        ]
        try withSluice(configuration, first, second) { sluice in
            try awaitRedis(sluice)
            func life(_ question: String) throws -> Int {
                redis.ask("FLUSHALL")
                #expect(try sluice.chat(question)["x-sluice-cache"] == "miss")
                #expect(try sluice.chat(question)["x-sluice-cache"] == "hit")
                try awaitKeys(redis, entries, 1)
                let name = redis.ask("KEYS \(entries)").components(separatedBy: "\r\n").first { $0.hasPrefix("sluice") } ?? ""
                return Int(redis.ask("PTTL \(name)").filter(\.isNumber)) ?? -1
            }
            #expect(try 1...10_000 ~= life(chat))
            #expect(second.requests.all.count == 1)
            #expect(try life(chat.replacingOccurrences(of: "very", with: "most")) > 600_000)
            #expect(second.requests.all.count == 1)
        }
    }

    /// One process asks, one more request waits beside it, and one in another process; the first try fails.
    @Test func `lets one at a time do the work under an idempotency key, also after a failure`() throws {
        let redis = try RedisProcess()
        defer { redis.remove() }
        let gate = DispatchSemaphore(value: 0)
        let calls = CallCounter()
        let upstream = try ScriptedUpstream { connection, _ in
            if calls.increment() == 1 {
                _ = gate.wait(timeout: .now() + 60)
                return try connection.reply(#"{"error":{"message":"No."}}"#, status: "503 Service Unavailable")
            }
            usleep(400_000)
            try connection.reply(Sample.completion)
        }
        try withTwo(configuration(upstream, redis), upstream) { one, two in
            let wires = try [one, one, two].map { sluice in
                let wire = try sluice.connect()
                try wire.ask("POST", "/v1/chat/completions", ["idempotency-key: shared"], Sample.chat)
                try awaitKeys(redis, "sluice:idempotency:*:lock", 1)
                return wire
            }
            for (sluice, count) in [(one, 2), (two, 1)] {
                while try sluice.health().json["in_flight"].int ?? 0 < count { usleep(5000) }
            }
            gate.signal()
            let statuses = try wires.map { try $0.readResponse().status }
            #expect(statuses == [503, 200, 200])
            #expect(upstream.requests.all.count == 2)
        }
    }

    @Test func `holds a lock no longer than its process lives, and as long as the work takes`() throws {
        let redis = try RedisProcess()
        defer { redis.remove() }
        let gate = DispatchSemaphore(value: 0)
        let upstream = try ScriptedUpstream { connection, _ in
            _ = gate.wait(timeout: .now() + 60)
            try connection.reply(Sample.completion)
        }
        try withSluice(configuration(upstream, redis), upstream) { sluice in
            try awaitRedis(sluice)
            let wire = try sluice.connect()
            try wire.ask("POST", "/v1/chat/completions", ["idempotency-key: k"], chat)
            try awaitKeys(redis, "sluice:idempotency:*:lock", 1)
            let name = redis.ask("KEYS *idempotency*:lock").components(separatedBy: "\r\n").first { $0.hasPrefix("sluice") } ?? ""
            func rest() -> Int { Int(redis.ask("PTTL \(name)").filter(\.isNumber)) ?? -1 }
            let first = rest()
            #expect(0...10_000 ~= first)
            let deadline = Patience.deadline
            var last = first
            while rest() <= last {
                last = rest()
                if .now > deadline { throw TimedOut("the lock to be kept") }
                usleep(20_000)
            }
            gate.signal()
            #expect(try wire.readResponse().status == 200)
            try awaitKeys(redis, "*:lock", 0)
        }
    }
}
