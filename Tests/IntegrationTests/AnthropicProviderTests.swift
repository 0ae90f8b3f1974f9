import Foundation
import Testing

/// Replies in Anthropic's dialect.
enum AnthropicSample {
    static let message =
        #"{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[{"type":"text","text":"Hi."}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":5,"cache_creation_input_tokens":1,"cache_read_input_tokens":2,"output_tokens":3}}"#

    static func event(_ name: String, _ members: String = "") -> String {
        "event: \(name)\ndata: {\"type\":\"\(name)\"\(members.isEmpty ? "" : "," + members)}\n\n"
    }

    static let start = event(
        "message_start",
        #""message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":5,"output_tokens":1}}"#
    )

    static func text(_ pieces: String...) -> [String] {
        [event("content_block_start", #""index":0,"content_block":{"type":"text","text":""}"#)]
            + pieces.map { event("content_block_delta", #""index":0,"delta":{"type":"text_delta","text":"\#($0)"}"#) }
            + [event("content_block_stop", #""index":0"#)]
    }

    static let end = [
        event("message_delta", #""delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":7}"#),
        event("message_stop"),
    ]

    static func error(_ type: String, _ message: String) -> String {
        #"{"type":"error","error":{"type":"\#(type)","message":"\#(message)"},"request_id":"req_011"}"#
    }

    static let stream = [start, event("ping")] + text("Hé", "llo") + end

    /// A provider of the dialect.
    static func configuration(_ upstream: ScriptedUpstream) -> Configuration {
        Configuration(upstream, #"dialect: "anthropic", auth: "header:x-api-key""#)
    }

    static func streaming(_ events: [String], isClosed: Bool = false) throws -> ScriptedUpstream {
        try ScriptedUpstream { connection, _ in
            try connection.startStream(["request-id: req_up"])
            for event in events { try connection.chunk(event) }
            if isClosed { connection.isOver = true } else { try connection.endStream() }
        }
    }
}

@Suite struct `Chat with an Anthropic provider` {
    @Test func `is asked in its words and answered in OpenAI's`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.reply(AnthropicSample.message, ["request-id: req_up"])
        }
        try withSluice(AnthropicSample.configuration(upstream), upstream) { sluice in
            let reply = try sluice.chat(
                Sample.chat, ["x-api-key: \(Secrets.application)", "anthropic-beta: other", "x-request-id: one"])
            let request = try upstream.requests.first("the request")
            #expect(request.startLine == "POST /v1/messages HTTP/1.1")
            #expect(
                request.text
                    == #"{"model":"m","max_tokens":4096,"messages":[{"role":"user","content":[{"type":"text","text":"Hello"}]}]}"#
            )
            #expect(
                request.values("x-api-key") == [Secrets.provider]
                    && request.values("anthropic-version") == ["2023-06-01"])
            #expect(request.values("anthropic-beta").isEmpty && request.values("authorization").isEmpty)
            #expect(!request.head.contains(Secrets.application))
            #expect(reply.json["choices"][0]["message"]["content"].string == "Hi.")
            #expect(reply.json["usage"]["prompt_tokens"].int == 8 && reply.json["usage"]["total_tokens"].int == 11)
            #expect(reply["x-upstream-request-id"] == "req_up" && reply["request-id"] == nil)
            #expect(reply["x-sluice-adapted-fields"]?.contains("max_tokens") == true)
            #expect(try sluice.exchangeLine("one")["gen_ai.usage.input_tokens"].int == 8)
        }
    }

    @Test func `is streamed`() throws {
        let upstream = try AnthropicSample.streaming(AnthropicSample.stream)
        try withSluice(AnthropicSample.configuration(upstream), upstream) { sluice in
            let events = try sluice.stream(Sample.streamedChatWithUsage).rest()
            #expect(events.last == "data: [DONE]")
            let chunks = events.dropLast().map { JSON($0.dropFirst(6)) }
            #expect(chunks.compactMap { $0["choices"][0]["delta"]["content"].string }.joined() == "Héllo")
            #expect(
                chunks.last?["usage"]["completion_tokens"].int == 7 && chunks.last?["usage"]["prompt_tokens"].int == 5)
            #expect(try upstream.requests.first("the request").text.contains(#""stream":true"#))
        }
    }

    @Test func `a stream that is cut ends in an error`() throws {
        let upstream = try AnthropicSample.streaming(Array(AnthropicSample.stream.dropLast(1)))
        try withSluice(AnthropicSample.configuration(upstream), upstream) { sluice in
            let (came, isClean) = try sluice.stream().untilAnyEnd()
            #expect(
                !isClean && JSON(came.last?.dropFirst(6) ?? "")["error"]["code"].string == "upstream_truncated",
                "\(came)")
            #expect(!came.contains("data: [DONE]"))
        }
    }

    @Test func `a stream that fails ends in that error`() throws {
        let hasArrived = DispatchSemaphore(value: 0)
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.startStream()
            for event in [AnthropicSample.start] + AnthropicSample.text("a") { try connection.chunk(event) }
            hasArrived.wait()
            try connection.chunk("event: error\ndata: \(AnthropicSample.error("overloaded_error", "Overloaded"))\n\n")
            try connection.endStream()
        }
        try withSluice(AnthropicSample.configuration(upstream), upstream) { sluice in
            let stream = try sluice.stream()
            _ = try stream.next()
            hasArrived.signal()
            let (came, isClean) = try stream.untilAnyEnd()
            let error = JSON(came.last?.dropFirst(6) ?? "")["error"]
            #expect(!isClean && error["code"].string == "server_is_overloaded", "\(came)")
        }
    }

    @Test func `a stream that begins with an error is a reply with a status`() throws {
        let upstream = try AnthropicSample.streaming([
            AnthropicSample.start, AnthropicSample.event("ping"),
            "event: error\ndata: \(AnthropicSample.error("rate_limit_error", "slow: \(Secrets.provider)"))\n\n",
        ])
        try withSluice(AnthropicSample.configuration(upstream), upstream) { sluice in
            let reply = try sluice.chat(Sample.streamedChat)
            #expect(reply.status == 429 && reply.json["error"]["code"].string == "rate_limit_exceeded", "\(reply.text)")
            #expect(!reply.text.contains(Secrets.provider))
        }
    }

    @Test func `its errors are OpenAI's, and keep the key`() throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.reply(
                AnthropicSample.error("overloaded_error", "Overloaded, \(Secrets.provider)"), status: "529 Overloaded",
                ["retry-after: 7"])
        }
        try withSluice(AnthropicSample.configuration(upstream), upstream) { sluice in
            let reply = try sluice.chat()
            #expect(reply.status == 503 && reply.json["error"]["type"].string == "service_unavailable_error")
            #expect(reply["retry-after"] == "7" && !reply.text.contains(Secrets.provider))
        }
    }

    @Test func `what it cannot be told is left out, and named`() throws {
        let upstream = try ScriptedUpstream(reply: AnthropicSample.message)
        try withSluice(AnthropicSample.configuration(upstream), upstream) { sluice in
            let single = try sluice.chat(#"{"model":"m","n":2,"messages":[{"role":"user","content":"Hi"}]}"#)
            #expect(single["x-sluice-dropped-fields"] == "n")
            let lossy = try sluice.chat(#"{"model":"m","seed":1,"messages":[{"role":"user","content":"Hi"}]}"#)
            #expect(lossy["x-sluice-dropped-fields"] == "seed")
        }
    }

    @Test func `takes thinking back in the next turn`() throws {
        let upstream = try ScriptedUpstream(
            reply:
                #"{"id":"msg_1","type":"message","role":"assistant","model":"c","content":[{"type":"thinking","thinking":"T","signature":"s=="},{"type":"tool_use","id":"toolu_1","name":"now","input":{}}],"stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":1}}"#
        )
        try withSluice(AnthropicSample.configuration(upstream), upstream) { sluice in
            let head = #"{"model":"m","reasoning_effort":"high","messages":[{"role":"user","content":"?"}"#
            let first = try sluice.chat(head + "]}")
            let body = first.text
            let range = try #require(body.range(of: #""message":"#))
            let end = try #require(body.range(of: #","logprobs""#))
            let message = body[range.upperBound..<end.lowerBound]
            _ = try sluice.chat(
                head + ",\(message)," + #"{"role":"tool","tool_call_id":"toolu_1","content":"noon"}]}"#)
            let sent = try #require(upstream.requests.all.last).json["messages"]
            #expect(
                sent[1]["content"][0]["signature"].string == "s==" && sent[1]["content"][0]["thinking"].string == "T")
            #expect(
                sent[1]["content"][1]["id"].string == "toolu_1" && sent[2]["content"][0]["type"].string == "tool_result"
            )
        }
    }
}
