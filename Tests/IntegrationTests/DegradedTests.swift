import Foundation
import Testing

@Suite struct `Answers in place of providers` {
    private static let sorry = "We are having trouble, please try again in a minute."

    private func configuration(_ degraded: String, upstream: ScriptedUpstream? = nil) throws -> Configuration {
        var configuration = Configuration()
        if let upstream {
            configuration = Configuration(upstream)
        } else {
            // Nobody listens there.
            let (fd, port) = try ScriptedUpstream.listen()
            close(fd)
            configuration.providers = [#"mock: {base_url: "http://127.0.0.1:\#(port)/v1", api_key: "any"}"#]
        }
        configuration.others = ["degraded: {\(degraded)}"]
        return configuration
    }

    private static var text: String { #"text: "\#(sorry)""# }

    @Test func `a chat gets the configured text, whole and marked`() throws {
        try withSluice(configuration(Self.text)) { sluice in
            let reply = try sluice.chat(Sample.chat, ["x-request-id: r1"])
            #expect(reply.status == 200 && reply["x-sluice-degraded"] == "static", "\(reply.text)")
            let json = reply.json
            #expect(json["object"].string == "chat.completion" && json["model"].string == "m")
            #expect(json["choices"][0]["message"]["content"].string == Self.sorry)
            #expect(json["choices"][0]["finish_reason"].string == "stop")
            #expect(json["usage"]["total_tokens"].int == 0)
            let line = try sluice.exchangeLine("r1")
            #expect(line["sluice.degraded"].string == "static" && line["event.outcome"].string == "degraded")
            #expect(line["error.code"].string == "upstream_connect" && line["sluice.error.owner"].string == "provider")
            #expect(line["http.response.status_code"].int == 200)
        }
    }

    @Test func `a stream gets it as a stream that is complete`() throws {
        try withSluice(configuration(Self.text)) { sluice in
            let stream = try sluice.stream(Sample.streamedChatWithUsage)
            #expect(stream.head.status == 200 && stream.head["x-sluice-degraded"] == "static")
            let events = try stream.rest().map { String($0.dropFirst("data: ".count)) }
            #expect(events.last == "[DONE]")
            let chunks = events.dropLast().map { JSON($0) }
            let text = chunks.compactMap { $0["choices"][0]["delta"]["content"].string }.joined()
            #expect(text == Self.sorry)
            #expect(chunks.contains { $0["choices"][0]["finish_reason"].string == "stop" })
            #expect(chunks.last?["usage"]["total_tokens"].int == 0)
        }
    }

    @Test func `every dialect gets it in its own words`() throws {
        try withSluice(configuration(Self.text)) { sluice in
            let messages = try sluice.exchange(
                "POST", "/v1/messages", ["anthropic-version: 2023-06-01"],
                #"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"Hello"}]}"#)
            #expect(messages.status == 200 && messages.json["content"][0]["text"].string == Self.sorry)
            #expect(messages.json["stop_reason"].string == "end_turn" && messages["x-sluice-degraded"] == "static")
            let envelope = try sluice.exchange(
                "POST", "/api/v1/chat/completions", [], #"{"model":"m","parameters":{"prompt":"Hello"},"request_id":"q"}"#)
            #expect(envelope.json["data"]["result"].string == Self.sorry && envelope.json["code"].int == 200)
            #expect(envelope.json["data"]["model_info"]["provider"].string == "sluice")
            let responses = try sluice.exchange("POST", "/v1/responses", [], #"{"model":"m","input":"Hello"}"#)
            #expect(responses.status == 200 && responses.json["object"].string == "response", "\(responses.text)")
            #expect(responses.json["output"][0]["content"][0]["text"].string == Self.sorry)
            let completion = try sluice.exchange("POST", "/v1/completions", [], #"{"model":"m","prompt":"Hello"}"#)
            #expect(completion.json["object"].string == "text_completion")
            #expect(completion.json["choices"][0]["text"].string == Self.sorry)
            let embeddings = try sluice.exchange("POST", "/v1/embeddings", [], #"{"model":"m","input":"Hello"}"#)
            #expect(embeddings.status == 502 && embeddings["x-sluice-degraded"] == nil)
        }
    }

    @Test func `streams of other dialects end as theirs do`() throws {
        try withSluice(configuration(Self.text)) { sluice in
            func events(_ path: String, _ body: String) throws -> String {
                let wire = try sluice.connect()
                try wire.ask("POST", path, [], body)
                let stream = try ResponseStream(wire)
                #expect(stream.head.status == 200 && stream.head["x-sluice-degraded"] == "static")
                return try stream.rest().joined(separator: "\n")
            }
            let messages = try events(
                "/v1/messages", #"{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"Hello"}]}"#)
            #expect(messages.contains(Self.sorry) && messages.contains("event: message_stop"))
            let responses = try events("/v1/responses", #"{"model":"m","stream":true,"input":"Hello"}"#)
            #expect(responses.contains(Self.sorry) && responses.contains("event: response.completed"))
            let completion = try events("/v1/completions", #"{"model":"m","stream":true,"prompt":"Hello"}"#)
            #expect(completion.contains(Self.sorry) && completion.hasSuffix("data: [DONE]"))
        }
    }

    @Test func `a whole completion can be configured, for a model of its own`() throws {
        let degraded = """
            text: "for all", models: {m: {json: {choices: [{message: {role: "assistant", content: null, tool_calls: [
                {id: "call_1", type: "function", function: {name: "page", arguments: "{}"}}]}, finish_reason: "tool_calls"}],
                usage: {prompt_tokens: 1, completion_tokens: 2, total_tokens: 3}}}}
            """
        try withSluice(configuration(degraded)) { sluice in
            let reply = try sluice.chat().json
            #expect(reply["choices"][0]["message"]["tool_calls"][0]["function"]["name"].string == "page")
            #expect(reply["choices"][0]["finish_reason"].string == "tool_calls")
            #expect(reply["usage"]["total_tokens"].int == 3)
            let other = try sluice.chat(#"{"model":"n","messages":[{"role":"user","content":"a"}]}"#).json
            #expect(other["choices"][0]["message"]["content"].string == "for all")
        }
    }

    @Test func `it may have another status, which SDKs take for an error`() throws {
        try withSluice(configuration(Self.text + ", status: 503")) { sluice in
            for body in [Sample.chat, Sample.streamedChat] {
                let reply = try sluice.chat(body)
                #expect(reply.status == 503 && reply["x-sluice-degraded"] == "static" && reply["retry-after"] != nil)
                #expect(reply["x-sluice-error-owner"] == "provider")
                #expect(reply.json["choices"][0]["message"]["content"].string == Self.sorry)
            }
        }
    }

    @Test(arguments: [(503, true), (429, true), (500, true), (400, false), (404, false), (422, false)])
    func `a provider's failure is answered, the caller's own is told`(status: Int, isAnswered: Bool) throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.reply(#"{"error":{"message":"no","type":"t","code":"c"}}"#, status: "\(status) X")
        }
        try withSluice(configuration(Self.text, upstream: upstream), upstream) { sluice in
            let reply = try sluice.chat()
            #expect(reply.status == (isAnswered ? 200 : status), "\(reply.text)")
            #expect((reply["x-sluice-degraded"] == "static") == isAnswered)
            if !isAnswered { #expect(reply.json["error"]["code"].string == "c") }
        }
    }

    @Test func `what has begun is not finished by another answer`() throws {
        let upstream = try ScriptedUpstream { connection, request in
            if request.text.contains("empty") {
                try connection.startStream()
            } else {
                try connection.startStream()
                try connection.event(Sample.delta("a"))
            }
            connection.isOver = true
        }
        try withSluice(configuration(Self.text, upstream: upstream), upstream) { sluice in
            let (events, isClean) = try sluice.stream().untilAnyEnd()
            #expect(!isClean && events.count == 2 && events[1].contains("upstream_truncated"), "\(events)")
            // Nothing had gone out: the application sees one answer, from its beginning.
            let other = try sluice.stream(
                #"{"model":"m","stream":true,"messages":[{"role":"user","content":"empty"}]}"#)
            #expect(other.head["x-sluice-degraded"] == "static")
            #expect(try other.rest().last == "data: [DONE]")
        }
    }

    @Test func `an answer that is kept goes before the configured one, and is marked as what it is`() throws {
        let isDown = Recorder<Bool>()
        let upstream = try ScriptedUpstream { connection, _ in
            if isDown.all.isEmpty { return try connection.reply(Sample.completion) }
            try connection.reply(#"{"error":{"message":"no","type":"t","code":"c"}}"#, status: "503 X")
        }
        let chat = #"{"model":"m","temperature":0,"messages":[{"role":"user","content":"Hello"}]}"#
        let other = #"{"model":"m","temperature":0,"messages":[{"role":"user","content":"Something else"}]}"#
        var configuration = try configuration(Self.text, upstream: upstream)
        configuration.others.append("cache: {ttl_ms: 1000, ttl_jitter: 0, stale_if_error_ms: 60000}")
        try withSluice(configuration, upstream) { sluice in
            #expect(try sluice.chat(chat)["x-sluice-cache"] == "miss")
            isDown.record(true)
            usleep(1_200_000)
            let kept = try sluice.chat(chat, ["x-request-id: r1"])
            #expect(kept.status == 200 && kept["x-sluice-degraded"] == "stale" && kept["x-sluice-cache"] == "stale")
            #expect(kept.json["choices"][0]["message"]["content"].string == "Hi.")
            let line = try sluice.exchangeLine("r1")
            #expect(line["sluice.degraded"].string == "stale" && line["event.outcome"].string == "degraded")
            let fixed = try sluice.chat(other)
            #expect(fixed["x-sluice-degraded"] == "static", "\(fixed.head)")
            // What was said in its place is not kept as the answer.
            #expect(try sluice.chat(other)["x-sluice-degraded"] == "static")
        }
    }

    @Test func `limits are told as what they are, a provider that is full is not`() throws {
        let turnstile = Turnstile()
        let upstream = try ScriptedUpstream { connection, _ in
            turnstile.pass()
            try connection.reply(Sample.completion)
        }
        var configuration = try configuration(Self.text, upstream: upstream)
        configuration.models = #"limited: {provider: "mock"}"#
        configuration.defaultProvider = "mock"
        configuration.others.append(
            "concurrency: {models: {limited: {max_concurrency: 1}}, providers: {mock: {max_concurrency: 2}}, queue_max: 0}")
        try withSluice(configuration, upstream) { sluice in
            let limited = #"{"model":"limited","messages":[{"role":"user","content":"a"}]}"#
            let wires = try [limited, Sample.chat].map { body in
                let wire = try sluice.connect()
                try wire.ask("POST", "/v1/chat/completions", [], body)
                return wire
            }
            try upstream.requests.count(2, "requests")
            #expect(try sluice.chat(limited).json["error"]["code"].string == "model_busy")
            #expect(try sluice.chat()["x-sluice-degraded"] == "static")
            turnstile.open(2)
            for wire in wires { #expect(try wire.readResponse().status == 200) }
        }
    }
}
