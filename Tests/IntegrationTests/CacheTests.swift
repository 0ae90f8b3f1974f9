import Foundation
import Testing

/// What the cache does for applications, through the real program.
@Suite struct `The cache` {
    private let chat = #"{"model":"m","temperature":0,"messages":[{"role":"user","content":"Hello"}]}"#
    private var streamed: String { String(chat.dropLast()) + #","stream":true}"# }

    private func configuration(_ upstream: ScriptedUpstream, _ cache: String = "", _ members: String = "")
        -> Configuration
    {
        var configuration = Configuration(upstream, members)
        configuration.others = ["cache: {\(cache)}"]
        return configuration
    }

    /// One that says hello, whole or as a stream.
    private func hello() throws -> ScriptedUpstream {
        try ScriptedUpstream { connection, request in
            guard request.json["stream"].bool == true else { return try connection.reply(Sample.completion) }
            try connection.startStream()
            for event in [Sample.delta("Hé"), Sample.delta("llo\\n😀"), Sample.finish, Sample.usage, Sample.done] {
                try connection.event(event)
            }
            try connection.endStream()
        }
    }

    private func text(_ events: [String]) -> String {
        events.compactMap { JSON($0.dropFirst(6))["choices"][0]["delta"]["content"].string }.joined()
    }

    // MARK: Hits

    @Test func `gives the same answer again, byte for byte, under a head of its own`() throws {
        let upstream = try hello()
        try withSluice(configuration(upstream), upstream) { sluice in
            let first = try sluice.chat(chat, ["x-request-id: one"])
            #expect(first["x-sluice-cache"] == "miss" && first["age"] == nil && first.text == Sample.completion)
            let other =
                #" { "messages" : [{"content":"H\u0065llo","role":"user"}], "temperature":0.0, "model":"m", "user":"u", "stream":false }"#
            let second = try sluice.chat(other, ["x-request-id: two"])
            #expect(second["x-sluice-cache"] == "hit" && second["age"] == "0" && second.text == Sample.completion)
            #expect(second["x-request-id"] == "two" && second["content-type"] == "application/json")
            #expect(
                second["x-sluice-cache-key"] == first["x-sluice-cache-key"] && second["x-sluice-cache-key"]?.count == 16
            )
            #expect(upstream.requests.all.count == 1)
            let line = try sluice.exchangeLine("two")
            #expect(line["sluice.cache.state"].string == "hit" && line["sluice.cache.level"].string == "memory")
            #expect(line["sluice.usage.source"].string == "cache" && line["gen_ai.usage.input_tokens"].int == nil)
            #expect(line["sluice.cache.key"].string == second["x-sluice-cache-key"])
            #expect(try sluice.exchangeLine("one")["sluice.cache.state"].string == "miss")
        }
    }

    @Test func `gives a whole answer as a stream, and a stream as a whole answer`() throws {
        let upstream = try hello()
        try withSluice(configuration(upstream), upstream) { sluice in
            _ = try sluice.chat(chat)
            let stream = try sluice.stream(String(streamed.dropLast()) + #","stream_options":{"include_usage":true}}"#)
            #expect(
                stream.head["x-sluice-cache"] == "hit"
                    && stream.head["content-type"]?.hasPrefix("text/event-stream") == true)
            let events = try stream.rest()
            #expect(text(events) == "Hi." && events.last == "data: [DONE]")
            #expect(events.contains { JSON($0.dropFirst(6))["usage"]["total_tokens"].int == 7 })
            #expect(events.contains { JSON($0.dropFirst(6))["choices"][0]["finish_reason"].string == "stop" })

            let question = streamed.replacingOccurrences(of: "Hello", with: "Other")
            #expect(text(try sluice.stream(question).rest()) == "Héllo\n😀")
            let whole = try sluice.chat(chat.replacingOccurrences(of: "Hello", with: "Other"))
            #expect(
                whole["x-sluice-cache"] == "hit" && whole.json["object"].string == "chat.completion", "\(whole.text)")
            #expect(whole.json["choices"][0]["message"]["content"].string == "Héllo\n😀")
            #expect(whole.json["usage"]["total_tokens"].int == 8, "the stream was not asked for it")
            #expect(text(try sluice.stream(question).rest()) == "Héllo\n😀")
            #expect(upstream.requests.all.count == 2)
        }
    }

    @Test func `cuts long answers into events of a good size, never within a character`() throws {
        let long = String(repeating: "Été 😀 \\ud83d\\ude00\\n", count: 2000)
        let upstream = try ScriptedUpstream(reply: Sample.completion.replacingOccurrences(of: "Hi.", with: long))
        try withSluice(configuration(upstream), upstream) { sluice in
            let whole = try sluice.chat(chat).json["choices"][0]["message"]["content"].string
            let events = try sluice.stream(streamed).rest()
            #expect(text(events) == whole && events.count > 10 && events.allSatisfy { $0.utf8.count < 4000 })
        }
    }

    @Test func `serves each dialect in its own words`() throws {
        let upstream = try hello()
        try withSluice(configuration(upstream), upstream) { sluice in
            let message = #"{"model":"m","temperature":0,"max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}"#
            let first = try sluice.exchange("POST", "/v1/messages", [], message)
            let second = try sluice.exchange("POST", "/v1/messages", ["x-request-id: mine"], message)
            #expect(second["x-sluice-cache"] == "hit" && second["request-id"] == "mine" && second.text == first.text)
            let wire = try sluice.connect()
            try wire.ask("POST", "/v1/messages", [], String(message.dropLast()) + #","stream":true}"#)
            let stream = try ResponseStream(wire)
            #expect(stream.head["x-sluice-cache"] == "hit")
            let events = try stream.rest()
            #expect(
                events.first?.hasPrefix("event: message_start") == true
                    && events.last?.hasPrefix("event: message_stop") == true)
            #expect(events.contains { $0.contains(#""text":"Hi.""#) })
            #expect(upstream.requests.all.count == 1)

            let envelope = #"{"model":"m","parameters":{"prompt":"Hi","temperature":0},"request_id":"R"}"#
            _ = try sluice.exchange(
                "POST", "/api/v1/chat/completions", [], envelope.replacingOccurrences(of: "R", with: "q-1"))
            let reply = try sluice.exchange(
                "POST", "/api/v1/chat/completions", [], envelope.replacingOccurrences(of: "R", with: "q-2"))
            #expect(reply["x-sluice-cache"] == "hit" && reply.json["request_id"].string == "q-2")
            #expect(
                reply.json["data"]["result"].string == "Hi."
                    && reply.json["data"]["model_info"]["provider"].string == "mock")
            #expect(reply.json["data"]["usage"]["total_tokens"].int == 7)
            let streaming = #"{"model":"m","parameters":{"prompt":"Hi","temperature":0,"stream":true}}"#
            let platform = try sluice.connect()
            try platform.ask("POST", "/api/v1/chat/completions", [], streaming)
            let pieces = try ResponseStream(platform).rest().compactMap {
                JSON($0.dropFirst(6))["data"]["delta"].string
            }
            #expect(pieces.joined() == "Hi.")
            #expect(upstream.requests.all.count == 2)
        }
    }

    @Test func `keeps platform streams for whole replies`() throws {
        let upstream = try hello()
        try withSluice(configuration(upstream), upstream) { sluice in
            let wire = try sluice.connect()
            try wire.ask(
                "POST", "/api/v1/chat/completions", [],
                #"{"model":"m","parameters":{"prompt":"Hi","temperature":0,"stream":true}}"#)
            _ = try ResponseStream(wire).rest()
            let reply = try sluice.exchange(
                "POST", "/api/v1/chat/completions", [], #"{"model":"m","parameters":{"prompt":"Hi","temperature":0}}"#)
            #expect(reply["x-sluice-cache"] == "hit" && reply.json["data"]["result"].string == "Héllo\n😀")
        }
    }

    @Test func `serves responses, completions and embeddings too`() throws {
        let response =
            #"{"id":"resp_1","object":"response","created_at":1,"status":"completed","model":"m","output":[{"type":"message","id":"msg_1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Hi.","annotations":[]}]}],"usage":{"input_tokens":3,"output_tokens":1,"total_tokens":4}}"#
        let completion =
            #"{"id":"cmpl-1","object":"text_completion","created":1,"model":"m","choices":[{"text":"Hi.","index":0,"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}"#
        let embeddings =
            #"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5]}],"model":"m","usage":{"prompt_tokens":1,"total_tokens":1}}"#
        let upstream = try ScriptedUpstream { connection, request in
            switch request.target {
            case "/v1/responses": try connection.reply(response)
            case "/v1/completions": try connection.reply(completion)
            default: try connection.reply(embeddings)
            }
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            for (path, body, reply) in [
                ("/v1/responses", #"{"model":"m","temperature":0,"input":"Hi","store":false}"#, response),
                ("/v1/completions", #"{"model":"m","temperature":0,"prompt":"Hi"}"#, completion),
                ("/v1/embeddings", #"{"model":"m","input":"Hi"}"#, embeddings),
            ] {
                _ = try sluice.exchange("POST", path, [], body)
                let again = try sluice.exchange("POST", path, [], body)
                #expect(again["x-sluice-cache"] == "hit" && again.text == reply, "\(path)")
                if path == "/v1/embeddings" { continue }
                let wire = try sluice.connect()
                try wire.ask("POST", path, [], String(body.dropLast()) + #","stream":true}"#)
                let stream = try ResponseStream(wire)
                let events = try stream.rest()
                #expect(
                    stream.head["x-sluice-cache"] == "hit" && events.contains { $0.contains("Hi.") },
                    "\(path): \(events)")
                let last = path == "/v1/responses" ? "event: response.completed" : "data: [DONE]"
                #expect(events.last?.hasPrefix(last) == true, "\(path): \(events)")
            }
            #expect(upstream.requests.all.count == 3)
        }
    }

    // MARK: What is not kept

    @Test(arguments: [
        #"{"finish_reason":"tool_calls","index":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}}"#,
        #"{"finish_reason":"content_filter","index":0,"message":{"role":"assistant","content":"x"}}"#,
        #"{"finish_reason":null,"index":0,"message":{"role":"assistant","content":"x"}}"#,
    ])
    func `keeps no answer that is not an end`(choice: String) throws {
        let upstream = try ScriptedUpstream(
            reply: #"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[\#(choice)]}"#)
        try withSluice(configuration(upstream), upstream) { sluice throws in
            for _ in 0..<3 { #expect(try sluice.chat(chat)["x-sluice-cache"] == "miss") }
            #expect(upstream.requests.all.count == 3)
        }
    }

    @Test func `keeps no stream that was cut off`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            try connection.event(Sample.delta("half an ans"))
            connection.isOver = true
        }
        try withSluice(configuration(upstream), upstream) { sluice in
            for _ in 0..<2 { #expect(try !sluice.stream(streamed).untilAnyEnd().isClean) }
            #expect(upstream.requests.all.count >= 2)
            let admin = try sluice.health("/cache").json
            #expect(admin["memory"]["entries"].int == 0 && admin["requests"]["misses"].int == 2)
        }
    }

    @Test func `leaves alone what would be answered differently another time, unless it is asked to`() throws {
        let upstream = try hello()
        try withSluice(configuration(upstream, #"models: {"any": {nondeterministic: true}}"#), upstream) {
            sluice throws in
            for body in [
                Sample.chat, #"{"model":"m","temperature":0.7,"messages":[]}"#,
                #"{"model":"m","temperature":0,"messages":[],"tools":[{"type":"web_search"}]}"#,
            ] {
                for _ in 0..<2 { #expect(try sluice.chat(body)["x-sluice-cache"] == "bypass", "\(body)") }
            }
            #expect(upstream.requests.all.count == 6)
            let any = Sample.chat.replacingOccurrences(of: #""m""#, with: #""mock/any""#)
            #expect(try sluice.chat(any)["x-sluice-cache"] == "bypass", "the name that was asked for counts")
            for expected in ["miss", "hit"] {
                #expect(try sluice.chat(Sample.chat, ["x-sluice-cache: use"])["x-sluice-cache"] == expected)
            }
        }
    }

    @Test func `keeps errors that would come again, for a while, and no others`() throws {
        let tooLong =
            #"{"error":{"message":"Too long.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#
        let busy = #"{"error":{"message":"Busy.","type":"rate_limit_error","param":null,"code":"rate_limit_exceeded"}}"#
        let upstream = try ScriptedUpstream { connection, request in
            if request.text.contains("busy") { return try connection.reply(busy, status: "429 Too Many Requests") }
            try connection.reply(tooLong, status: "400 Bad Request")
        }
        try withSluice(configuration(upstream, "error_ttl_ms: 2000"), upstream) { sluice in
            let first = try sluice.chat(chat)
            let second = try sluice.chat(chat)
            #expect(first.status == 400 && second.status == 400 && second["x-sluice-cache"] == "hit")
            #expect(
                second.json["error"]["code"].string == "context_length_exceeded"
                    && second.json["error"]["param"].string == "messages")
            #expect(second.json["error"]["message"].string == "Too long.")
            try awaitTrue("its end") { try sluice.chat(chat)["x-sluice-cache"] == "miss" }
            let question = chat.replacingOccurrences(of: "Hello", with: "busy")
            for _ in 0..<2 { #expect(try sluice.chat(question)["x-sluice-cache"] == "miss") }
        }
    }

    // MARK: Who shares

    @Test func `keeps callers apart`() throws {
        let upstream = try hello()
        try withSluice(
            configuration(upstream, #"scenes: {"all": {scope: "global"}, "mine": {scope: "user"}}"#), upstream
        ) { sluice throws in
            func ask(_ key: String, _ fields: [String] = []) throws -> String? {
                let wire = try sluice.connect()
                var head =
                    "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer \(key)\r\ncontent-length: \(chat.utf8.count)\r\n"
                for field in fields { head += field + "\r\n" }
                try wire.send(head + "\r\n" + chat)
                return try wire.readResponse()["x-sluice-cache"]
            }
            #expect(try ask("a") == "miss" && ask("a") == "hit" && ask("b") == "miss" && ask("b") == "hit")
            #expect(try ask("a", ["x-sluice-team: t"]) == "miss", "a team of the same key is another caller")
            func envelope(_ scene: String, _ user: String) throws -> String? {
                try sluice.exchange(
                    "POST", "/api/v1/chat/completions", [],
                    #"{"model":"m","parameters":{"prompt":"Hi","temperature":0,"prompt_id":"\#(scene)"},"user_info":{"user_id":"\#(user)"}}"#
                )["x-sluice-cache"]
            }
            #expect(
                try envelope("mine", "u1") == "miss" && envelope("mine", "u2") == "miss"
                    && envelope("mine", "u1") == "hit")
            #expect(try envelope("all", "u1") == "miss" && envelope("all", "u2") == "hit")
        }
    }

    // MARK: Time

    @Test func `forgets after its time, which a request may choose`() throws {
        let upstream = try hello()
        try withSluice(configuration(upstream, "ttl_ms: 2000, ttl_jitter: 0"), upstream) { sluice in
            _ = try sluice.chat(chat)
            let other = chat.replacingOccurrences(of: "Hello", with: "Longer")
            _ = try sluice.chat(other, ["x-sluice-cache-ttl: 60"])
            #expect(try sluice.chat(chat)["x-sluice-cache"] == "hit")
            try awaitTrue("its end") { try sluice.chat(chat)["x-sluice-cache"] == "miss" }
            let kept = try sluice.chat(other)
            #expect(kept["x-sluice-cache"] == "hit" && (Int(kept["age"] ?? "") ?? 0) >= 1)
            #expect(try sluice.chat(other, ["cache-control: max-age=0"])["x-sluice-cache"] == "miss")
        }
    }

    @Test func `does as a request wants`() throws {
        let upstream = try hello()
        try withSluice(configuration(upstream), upstream) { sluice throws in
            #expect(try sluice.chat(chat, ["cache-control: no-store"])["x-sluice-cache"] == "bypass")
            #expect(try sluice.chat(chat, ["x-sluice-cache-ttl: 0"])["x-sluice-cache"] == "miss")
            #expect(try sluice.chat(chat)["x-sluice-cache"] == "miss")
            #expect(try sluice.chat(chat, ["cache-control: no-cache"])["x-sluice-cache"] == "miss")
            #expect(try sluice.chat(chat, ["x-sluice-cache: bypass"])["x-sluice-cache"] == "bypass")
            #expect(try sluice.chat(chat)["x-sluice-cache"] == "hit")
            #expect(upstream.requests.all.count == 5)
        }
    }

    @Test func `renews through one while the others get what there is`() throws {
        let gate = DispatchSemaphore(value: 0)
        let calls = CallCounter()
        let upstream = try ScriptedUpstream { connection, _ in
            if calls.increment() > 1 { _ = gate.wait(timeout: .now() + 10) }
            try connection.reply(Sample.completion)
        }
        try withSluice(
            configuration(upstream, "ttl_ms: 2000, ttl_jitter: 0, stale_while_revalidate_ms: 60000"), upstream
        ) { sluice in
            _ = try sluice.chat(chat)
            usleep(2_100_000)
            let renewing = try sluice.connect()
            try renewing.ask("POST", "/v1/chat/completions", [], chat)
            try upstream.requests.count(2, "requests")
            for _ in 0..<3 {
                let reply = try sluice.chat(chat)
                #expect(reply["x-sluice-cache"] == "stale" && (Int(reply["age"] ?? "") ?? 0) >= 2)
            }
            gate.signal()
            #expect(try renewing.readResponse()["x-sluice-cache"] == "miss")
            #expect(try sluice.chat(chat)["x-sluice-cache"] == "hit")
            #expect(upstream.requests.all.count == 2)
        }
    }

    @Test(arguments: ["503 Service Unavailable", "429 Too Many Requests", ""])
    func `gives what is old in place of a failure`(failure: String) throws {
        let calls = CallCounter()
        let upstream = try ScriptedUpstream { connection, _ in
            if calls.increment() == 1 { return try connection.reply(Sample.completion) }
            if failure.isEmpty {
                connection.isOver = true
                return
            }
            try connection.reply(#"{"error":{"message":"No.","type":"server_error","code":"x"}}"#, status: failure)
        }
        try withSluice(configuration(upstream, "ttl_ms: 1000, ttl_jitter: 0, stale_if_error_ms: 60000"), upstream) {
            sluice throws in
            _ = try sluice.chat(chat)
            usleep(1_100_000)
            let reply = try sluice.chat(chat, ["x-request-id: old"])
            #expect(reply.status == 200 && reply["x-sluice-cache"] == "stale" && reply.text == Sample.completion)
            let stream = try sluice.stream(streamed)
            let rest = try stream.rest()
            #expect(stream.head["x-sluice-cache"] == "stale" && text(rest) == "Hi.")
            let line = try sluice.exchangeLine("old")
            #expect(line["event.outcome"].string == "degraded" && line["sluice.cache.state"].string == "stale")
        }
    }

    // MARK: Operators

    @Test func `tells users apart however long their names are`() throws {
        let upstream = try hello()
        try withSluice(configuration(upstream, #"scope: "user""#), upstream) { sluice throws in
            let long = String(repeating: "n", count: 300)
            for name in [long + "a", long + "b", String(long.prefix(128))] {
                #expect(try sluice.chat(chat, ["x-sluice-user: \(name)"])["x-sluice-cache"] == "miss")
                #expect(try sluice.chat(chat, ["x-sluice-user: \(name)"])["x-sluice-cache"] == "hit")
                let body = String(chat.dropLast()) + #","user":"\#(name)b"}"#
                #expect(try sluice.chat(body)["x-sluice-cache"] == "miss")
            }
            #expect(upstream.requests.all.count == 6)
        }
    }

    @Test func `is looked at and purged through the admin port`() throws {
        let upstream = try hello()
        try withSluice(configuration(upstream), upstream) { sluice in
            func purge(_ body: String, _ fields: [String] = []) throws -> HTTPMessage {
                let wire = try Wire(port: sluice.adminPort)
                try wire.ask("POST", "/cache/purge", fields, body)
                return try wire.readResponse()
            }
            let key = try #require(try sluice.chat(chat)["x-sluice-cache-key"])
            let scene = #"{"model":"other","parameters":{"prompt":"Hi","temperature":0,"prompt_id":"s"}}"#
            _ = try sluice.exchange("POST", "/api/v1/chat/completions", ["x-sluice-team: t"], scene)
            _ = try sluice.chat(chat)
            var report = try sluice.health("/cache").json
            #expect(report["memory"]["entries"].int == 2 && report["requests"]["memory_hits"].int == 1)
            #expect((report["memory"]["bytes"].int ?? 0) > 500 && report["memory"]["bytes_max"].int == 67_108_864)
            for (body, count) in [
                (#"{"model":"nobody"}"#, 0), (#"{"tenant":"x"}"#, 0), (#"{"scene":"s"}"#, 1),
                (#"{"key":"\#(key)"}"#, 1),
                (#"{"all":true}"#, 0),
            ] {
                #expect(try purge(body).json["purged"].int == count, "\(body)")
            }
            #expect(try sluice.chat(chat)["x-sluice-cache"] == "miss")
            #expect(try purge(#"{"model":"m"}"#).json["purged"].int == 1)
            _ = try sluice.exchange("POST", "/api/v1/chat/completions", ["x-sluice-team: t"], scene)
            #expect(try purge(#"{"tenant":"t"}"#).json["purged"].int == 1)
            for body in ["{}", "[]", "x", #"{"all":false}"#, #"{"model":"a","scene":"b"}"#, #"{"key":"12"}"#] {
                #expect(try purge(body).status == 400, "\(body)")
            }
            #expect(try purge(#"{"all":true}"#, ["origin: http://evil.test"]).status == 403)
            report = try sluice.health("/cache").json
            #expect(report["memory"]["entries"].int == 0 && report["in_flight"].int == 0)
        }
    }

    @Test func `is not there unless it is configured`() throws {
        let upstream = try hello()
        try withSluice(Configuration(upstream), upstream) { sluice throws in
            for _ in 0..<2 { #expect(try sluice.chat(chat)["x-sluice-cache"] == nil) }
            #expect(upstream.requests.all.count == 2)
            #expect(try sluice.health("/cache").json["enabled"].bool == false)
        }
    }
}

/// Counts calls of a script.
final class CallCounter: @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0
    func increment() -> Int {
        lock.withLock {
            count += 1
            return count
        }
    }
}
