import Foundation
import Testing

@Suite struct `Applications that speak Messages` {
    private let path = "/v1/messages"
    private let request = #"{ "model" : "m", "max_tokens":9, "messages":[{"role":"user","content":"Hi"}],"top_k": 3 }"#
    private var streamed: String { String(request.dropLast(1)) + #","stream":true}"# }
    private let fields = [
        "x-api-key: \(Secrets.application)", "anthropic-version: 2026-10-21", "anthropic-beta: a-1,b-2",
        "anthropic-beta: c-3",
    ]

    private func stream(_ sluice: SluiceProcess, _ body: String, _ fields: [String] = []) throws -> ResponseStream {
        let wire = try sluice.connect()
        try wire.ask("POST", path, fields, body)
        return try ResponseStream(wire)
    }

    // MARK: To a provider that speaks Messages too

    @Test func `pass byte for byte`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.reply(
                AnthropicSample.message,
                ["request-id: req_up", "anthropic-ratelimit-requests-remaining: 4", "set-cookie: a=b"])
        }
        try withSluice(AnthropicSample.configuration(upstream), upstream) { sluice in
            let reply = try sluice.exchange("POST", path + "?beta=true", fields + ["x-request-id: same"], request)
            let sent = try upstream.requests.first("the request")
            #expect(sent.text == request && sent.startLine == "POST /v1/messages?beta=true HTTP/1.1")
            #expect(
                sent.values("x-api-key") == [Secrets.provider] && sent.values("anthropic-version") == ["2026-10-21"])
            #expect(sent.values("anthropic-beta") == ["a-1,b-2", "c-3"])
            #expect(!sent.head.contains(Secrets.application) && !sent.head.contains(Secrets.cookie))
            #expect(reply.text == AnthropicSample.message && reply["request-id"] == reply["x-request-id"])
            #expect(
                reply["x-upstream-request-id"] == "req_up" && reply["anthropic-ratelimit-requests-remaining"] == "4")
            #expect(reply["set-cookie"] == nil)
            let line = try sluice.exchangeLine("same")
            #expect(line["gen_ai.usage.input_tokens"].int == 8 && line["gen_ai.usage.output_tokens"].int == 3)
            #expect(line["url.path"].string == "/v1/messages")
        }
    }

    @Test func `get another model's name spliced in, and a version if they named none`() throws {
        let upstream = try ScriptedUpstream(reply: AnthropicSample.message)
        var configuration = AnthropicSample.configuration(upstream)
        configuration.models = #"m: {provider: "mock", upstream_model: "claude-x"}"#
        try withSluice(configuration, upstream) { sluice in
            _ = try sluice.exchange("POST", path, [], request)
            let sent = try upstream.requests.first("the request")
            #expect(sent.text == request.replacingOccurrences(of: #""m""#, with: #""claude-x""#))
            #expect(sent.values("anthropic-version") == ["2023-06-01"])
        }
    }

    @Test func `get streams event by event as they are`() throws {
        let events = AnthropicSample.stream + [": trailing\n\n"]
        let upstream = try AnthropicSample.streaming(events)
        try withSluice(AnthropicSample.configuration(upstream), upstream) { sluice in
            let stream = try stream(sluice, streamed, ["x-request-id: st"])
            _ = try stream.rest()
            #expect(String(decoding: stream.received, as: UTF8.self) == events.joined())
            #expect(try upstream.requests.first("the request").text == streamed, "nothing is asked for that was not")
            let line = try sluice.exchangeLine("st")
            #expect(line["gen_ai.usage.input_tokens"].int == 5 && line["gen_ai.usage.output_tokens"].int == 7)
        }
    }

    @Test func `get a stream's first error as a status`() throws {
        let upstream = try AnthropicSample.streaming([
            AnthropicSample.start, AnthropicSample.event("ping"),
            "event: error\ndata: \(AnthropicSample.error("overloaded_error", "Over \(Secrets.provider)"))\n\n",
        ])
        try withSluice(AnthropicSample.configuration(upstream), upstream) { sluice in
            let reply = try sluice.exchange("POST", path, ["x-request-id: first"], streamed)
            #expect(reply.status == 503 && reply.json["type"].string == "error")
            #expect(
                reply.json["error"]["type"].string == "overloaded_error" && reply.json["request_id"].string == "first")
            #expect(!reply.text.contains(Secrets.provider))
        }
    }

    @Test(arguments: [true, false])
    func `get an honest end of a stream that is cut`(isClosed: Bool) throws {
        let upstream = try AnthropicSample.streaming(Array(AnthropicSample.stream.dropLast(1)), isClosed: isClosed)
        try withSluice(AnthropicSample.configuration(upstream), upstream) { sluice in
            let (events, isClean) = try stream(sluice, streamed).untilAnyEnd()
            let lines = (events.last ?? "").split(separator: "\n")
            #expect(!isClean && lines.first == "event: error", "\(events)")
            let error = JSON(lines.last?.dropFirst(6) ?? "")
            #expect(error["type"].string == "error" && error["error"]["type"].string == "api_error")
            #expect(error["error"]["message"].string?.contains("mock") == true)
        }
    }

    @Test func `get the provider's own errors, without its key`() throws {
        let body = AnthropicSample.error("overloaded_error", "Over \(Secrets.provider)")
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.reply(body, status: "529 Overloaded", ["retry-after: 3"])
        }
        try withSluice(AnthropicSample.configuration(upstream), upstream) { sluice in
            let reply = try sluice.exchange("POST", path, [], request)
            #expect(reply.status == 529 && reply["retry-after"] == "3")
            #expect(
                reply.text
                    == body.replacingOccurrences(
                        of: Secrets.provider, with: String(repeating: "*", count: Secrets.provider.count)))
        }
    }

    @Test func `have their tokens counted by the provider`() throws {
        let upstream = try ScriptedUpstream(reply: #"{"input_tokens":14}"#)
        try withSluice(AnthropicSample.configuration(upstream), upstream) { sluice in
            let reply = try sluice.exchange("POST", path + "/count_tokens", fields, request)
            #expect(reply.text == #"{"input_tokens":14}"# && reply["x-sluice-usage"] == nil)
            #expect(try upstream.requests.first("the request").target == "/v1/messages/count_tokens")
        }
    }

    // MARK: To any other provider

    @Test func `get a message from a provider that speaks OpenAI's dialect`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let reply = try sluice.exchange("POST", path, fields + ["x-request-id: two"], request)
            let sent = try upstream.requests.first("the request")
            #expect(sent.startLine == "POST /v1/chat/completions HTTP/1.1")
            #expect(sent.text == #"{"model":"m","messages":[{"role":"user","content":"Hi"}],"max_tokens":9}"#)
            #expect(sent.values("authorization") == ["Bearer \(Secrets.provider)"])
            #expect(!sent.head.contains("anthropic-") && !sent.head.contains(Secrets.application))
            let json = reply.json
            #expect(json["type"].string == "message" && json["content"][0]["text"].string == "Hi.", "\(reply.text)")
            #expect(json["stop_reason"].string == "end_turn" && json["usage"]["input_tokens"].int == 5)
            #expect(reply["x-sluice-dropped-fields"] == "top_k" && reply["request-id"] == "two")
        }
    }

    @Test func `get its streams as events of their own`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            for event in [Sample.delta("Hé"), Sample.delta("llo"), Sample.finish, Sample.usage, Sample.done] {
                try connection.event(event)
            }
            try connection.endStream()
        }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let events = try stream(sluice, streamed).rest()
            let names = events.compactMap { $0.split(separator: "\n").first?.dropFirst(7) }
            #expect(
                names == [
                    "message_start", "content_block_start", "content_block_delta", "content_block_delta",
                    "content_block_stop",
                    "message_delta", "message_stop",
                ], "\(events)")
            let data = events.map { JSON($0.split(separator: "\n").last?.dropFirst(6) ?? "") }
            #expect(data[2]["delta"]["text"].string == "Hé" && data[5]["usage"]["output_tokens"].int == 3)
            #expect(data[5]["delta"]["stop_reason"].string == "end_turn")
            #expect(try upstream.requests.first("the request").json["stream_options"]["include_usage"].bool == true)
        }
    }

    @Test func `get a ping into a silence`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            try connection.event(Sample.delta("a"))
            usleep(400_000)
            for event in [Sample.finish, Sample.done] { try connection.event(event) }
            try connection.endStream()
        }
        var configuration = Configuration(upstream)
        configuration.timeouts = "keepalive_comment_ms: 100"
        try withSluice(configuration, upstream) { sluice in
            let events = try stream(sluice, streamed).rest()
            #expect(events.contains("event: ping\ndata: {\"type\":\"ping\"}"), "\(events)")
        }
    }

    @Test(arguments: [
        (#"{"error":{"message":"no","type":"x","code":"y"}}"#, "400 Bad Request", 400, "invalid_request_error"),
        (#"{"error":{"message":"no"}}"#, "429 Too Many Requests", 429, "rate_limit_error"),
        ("oops", "503 Service Unavailable", 503, "overloaded_error"), ("", "500 Oops", 500, "api_error"),
    ])
    func `get errors in their own shape`(body: String, line: String, status: Int, type: String) throws {
        let upstream = try ScriptedUpstream { connection, _ in try connection.reply(body, status: line) }
        try withSluice(Configuration(upstream), upstream) { sluice in
            let reply = try sluice.exchange("POST", path, ["x-request-id: e"], request)
            #expect(reply.status == status && reply.json.keys == ["error", "request_id", "type"], "\(reply.text)")
            #expect(reply.json["error"]["type"].string == type && reply.json["request_id"].string == "e")
        }
    }

    @Test func `get their tokens estimated`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let reply = try sluice.exchange("POST", path + "/count_tokens", fields, request)
            #expect((reply.json["input_tokens"].int ?? 0) > 0 && reply["x-sluice-usage"] == "estimated")
            #expect(upstream.requests.all.isEmpty)
        }
    }

    // MARK: To Sluice itself

    @Test(arguments: [
        ("POST", "/v1/messages", "{", 400, "invalid_request_error"),
        ("POST", "/v1/messages", #"{"model":"m"}"#, 400, "invalid_request_error"),
        ("GET", "/v1/messages", nil, 405, "invalid_request_error"),
        ("POST", "/v1/messages/batches/x", "{}", 404, "not_found_error"),
        (
            "POST", "/v1/messages",
            #"{"model":"m","messages":[{"role":"user","content":[{"type":"container_upload"}]}]}"#, 400,
            "invalid_request_error"
        ),
    ])
    func `are told what was wrong in their own shape`(
        method: String, path: String, body: String?, status: Int, type: String
    ) throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream), upstream) { sluice in
            let reply = try sluice.exchange(method, path, [], body)
            #expect(reply.status == status && reply.json["error"]["type"].string == type, "\(reply.text)")
            #expect(upstream.requests.all.isEmpty)
        }
    }

    @Test func `see the models in their own shape`() throws {
        let upstream = try ScriptedUpstream()
        try withSluice(Configuration(upstream, #"models: ["m1"]"#), upstream) { sluice in
            let list = try sluice.exchange("GET", "/v1/models?limit=20", ["anthropic-version: 2023-06-01"]).json
            #expect(list["data"].array.map { $0["id"].string } == ["m1", "echo"] && list["has_more"].bool == false)
            #expect(
                list["data"][0]["type"].string == "model" && list["first_id"].string == "m1"
                    && list["last_id"].string == "echo")
            let one = try sluice.exchange("GET", "/v1/models/m1", ["anthropic-version: 2023-06-01"]).json
            #expect(one["type"].string == "model" && one["display_name"].string == "m1")
            #expect(try sluice.exchange("GET", "/v1/models").json["object"].string == "list")
        }
    }
}
