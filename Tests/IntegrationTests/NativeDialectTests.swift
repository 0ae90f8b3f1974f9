import Foundation
import Testing

/// Providers in China in their own words, through the whole program.
@Suite struct `Native dialects` {
    struct Case: CustomTestStringConvertible, Sendable {
        let dialect: String
        let model: String
        let target: String
        /// Of a request with `stream`, where it differs.
        let field: (name: String, value: String)?
        let whole: String
        let stream: [String]
        let call: String
        let error: (body: String, status: Int, code: String)
        /// The second turn's messages, as the provider gets them.
        let secondTurn: String
        var testDescription: String { dialect }
    }

    static let ernie = Case(
        dialect: "ernie", model: "ERNIE-4.0-8K", target: "/v1/chat/completions_pro", field: nil,
        whole:
            #"{"id":"r1","object":"chat.completion","created":1,"result":"Blue.","is_truncated":false,"need_clear_history":false,"finish_reason":"normal","usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}"#,
        stream: [
            #"data: {"id":"r1","sentence_id":0,"is_end":false,"result":"Bl","usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}}"#,
            #"data: {"id":"r1","sentence_id":1,"is_end":true,"result":"ue.","usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":11}}"#,
        ],
        call:
            #"{"id":"r1","is_end":true,"result":"","finish_reason":"function_call","function_call":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"},"usage":{"prompt_tokens":30,"completion_tokens":12,"total_tokens":42}}"#,
        error: (
            #"{"error_code":336003,"error_msg":"the max length of current question is 2000","id":"r1"}"#, 400,
            "context_length_exceeded"
        ),
        secondTurn:
            #"[{"role":"user","content":"Weather in Oslo?"},{"role":"assistant","content":"","function_call":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}},{"role":"function","name":"get_weather","content":"{\"result\":\"4 C, rain\"}"}]"#
    )

    static let dashScope = Case(
        dialect: "dashscope", model: "qwen-max", target: "/v1/services/aigc/text-generation/generation",
        field: ("x-dashscope-sse", "enable"),
        whole:
            #"{"status_code":200,"request_id":"r1","output":{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":"Blue."}}]},"usage":{"input_tokens":9,"output_tokens":2,"total_tokens":11}}"#,
        stream: [
            "id:1\nevent:result\n:HTTP_STATUS/200\n"
                + #"data:{"output":{"choices":[{"message":{"content":"Bl","role":"assistant"},"finish_reason":"null"}]},"usage":{"total_tokens":10,"input_tokens":9,"output_tokens":1},"request_id":"r1"}"#,
            "id:2\nevent:result\n:HTTP_STATUS/200\n"
                + #"data:{"output":{"choices":[{"message":{"content":"ue.","role":"assistant"},"finish_reason":"stop"}]},"usage":{"total_tokens":11,"input_tokens":9,"output_tokens":2},"request_id":"r1"}"#,
        ],
        call:
            #"{"request_id":"r1","output":{"choices":[{"finish_reason":"tool_calls","message":{"role":"assistant","content":"","tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}}]}}]},"usage":{"input_tokens":40,"output_tokens":12,"total_tokens":52}}"#,
        error: (
            #"{"code":"InvalidParameter","message":"Range of input length should be [1, 30720]","request_id":"r1"}"#,
            400, "context_length_exceeded"
        ),
        secondTurn:
            #"[{"role":"user","content":"Weather in Oslo?"},{"role":"assistant","content":"","tool_calls":[{"id":"ID","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}}]},{"role":"tool","tool_call_id":"ID","content":"4 C, rain"}]"#
    )

    static let hunyuan = Case(
        dialect: "hunyuan", model: "hunyuan-turbos-latest", target: "/v1/", field: ("x-tc-action", "ChatCompletions"),
        whole:
            #"{"Response":{"RequestId":"rq","Note":"AI generated","Choices":[{"Index":0,"Message":{"Role":"assistant","Content":"Blue."},"FinishReason":"stop"}],"Created":1,"Id":"r1","Usage":{"PromptTokens":9,"CompletionTokens":2,"TotalTokens":11}}}"#,
        stream: [
            #"data: {"Choices":[{"Index":0,"Delta":{"Role":"assistant","Content":"Bl"},"FinishReason":""}],"Created":1,"Id":"r1","Usage":{"PromptTokens":9,"CompletionTokens":1,"TotalTokens":10}}"#,
            #"data: {"Choices":[{"Index":0,"Delta":{"Role":"assistant","Content":"ue."},"FinishReason":"stop"}],"Created":1,"Id":"r1","Usage":{"PromptTokens":9,"CompletionTokens":2,"TotalTokens":11}}"#,
        ],
        call:
            #"{"Response":{"RequestId":"rq","Choices":[{"Index":0,"Message":{"Role":"assistant","Content":"","ToolCalls":[{"Id":"call_1","Type":"function","Function":{"Name":"get_weather","Arguments":"{\"city\":\"Oslo\"}"},"Index":0}]},"FinishReason":"tool_calls"}],"Created":1,"Id":"r1","Usage":{"PromptTokens":30,"CompletionTokens":12,"TotalTokens":42}}}"#,
        error: (
            #"{"Response":{"Error":{"Code":"FailedOperation.EngineServerLimitExceeded","Message":"engine limit"},"RequestId":"rq-04"}}"#,
            429,
            "rate_limit_exceeded"
        ),
        secondTurn:
            #"[{"Role":"user","Content":"Weather in Oslo?"},{"Role":"assistant","Content":"","ToolCalls":[{"Id":"ID","Type":"function","Function":{"Name":"get_weather","Arguments":"{\"city\":\"Oslo\"}"}}]},{"Role":"tool","ToolCallId":"ID","Content":"4 C, rain"}]"#
    )

    static let all = [ernie, dashScope, hunyuan]

    private func configuration(_ upstream: ScriptedUpstream, _ dialect: Case) -> Configuration {
        Configuration(upstream, #"dialect: "\#(dialect.dialect)""#)
    }

    private func chat(_ dialect: Case, _ more: String = "") -> String {
        #"{"model":"\#(dialect.model)","messages":[{"role":"user","content":"Name one colour."}]\#(more)}"#
    }

    /// Where a request has its messages.
    private func messages(_ request: JSON, _ dialect: Case) -> JSON {
        switch dialect.dialect {
        case "dashscope": request["input"]["messages"]
        case "hunyuan": request["Messages"]
        default: request["messages"]
        }
    }

    @Test(arguments: all)
    func `a chat is asked and answered`(dialect: Case) throws {
        let upstream = try ScriptedUpstream(reply: dialect.whole)
        try withSluice(configuration(upstream, dialect), upstream) { sluice in
            let reply = try sluice.chat(chat(dialect, #","logit_bias":{"1":2}"#))
            let request = try upstream.requests.first("the request")
            #expect(request.target == dialect.target && request["authorization"] == "Bearer \(Secrets.provider)")
            #expect(messages(request.json, dialect)[0].value != nil)
            #expect(
                reply.status == 200 && reply.json["choices"][0]["message"]["content"].string == "Blue.", "\(reply.text)"
            )
            #expect(reply.json["id"].string == "r1" && reply.json["usage"]["total_tokens"].int == 11)
            #expect(reply.json["choices"][0]["finish_reason"].string == "stop")
            #expect(reply["x-sluice-dropped-fields"] == "logit_bias")
        }
    }

    @Test(arguments: all)
    func `a stream ends as OpenAI's do, though the provider says no DONE`(dialect: Case) throws {
        let upstream = try ScriptedUpstream(streaming: dialect.stream.map { Array(($0 + "\n\n").utf8) })
        try withSluice(configuration(upstream, dialect), upstream) { sluice in
            let events = try sluice.stream(chat(dialect, #","stream":true,"stream_options":{"include_usage":true}"#))
                .rest()
            if let field = dialect.field {
                #expect(try upstream.requests.first("the request")[field.name] == field.value)
            }
            let chunks = events.dropLast().map { JSON($0.dropFirst(6)) }
            #expect(
                chunks.compactMap { $0["choices"][0]["delta"]["content"].string } == ["", "Bl", "ue."], "\(events)")
            #expect(chunks.compactMap { $0["choices"][0]["finish_reason"].string } == ["stop"])
            #expect(
                chunks.last?["usage"]["total_tokens"].int == 11 && chunks.last?["usage"]["completion_tokens"].int == 2)
            #expect(events.last == "data: [DONE]")
        }
    }

    @Test(arguments: all)
    func `a stream that is cut is an error`(dialect: Case) throws {
        let upstream = try ScriptedUpstream(streaming: [Array((dialect.stream[0] + "\n\n").utf8)])
        try withSluice(configuration(upstream, dialect), upstream) { sluice in
            let (events, isClean) = try sluice.stream(chat(dialect, #","stream":true"#)).untilAnyEnd()
            #expect(
                !isClean && JSON(events.last?.dropFirst(6) ?? "")["error"]["code"].string == "upstream_truncated",
                "\(events)")
        }
    }

    @Test(arguments: all)
    func `a tool is called and its result sent back`(dialect: Case) throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.reply(connection.served == 1 ? dialect.call : dialect.whole)
        }
        try withSluice(configuration(upstream, dialect), upstream) { sluice in
            let tools =
                #""tools":[{"type":"function","function":{"name":"get_weather","description":"d","parameters":{"type":"object","properties":{}}}}]"#
            let question = #"{"role":"user","content":"Weather in Oslo?"}"#
            let wire = try sluice.connect()
            let first = try wire.chat(#"{"model":"\#(dialect.model)","messages":[\#(question)],\#(tools)}"#)
            let choice = first.json["choices"][0]
            let call = choice["message"]["tool_calls"][0]
            #expect(choice["finish_reason"].string == "tool_calls", "\(first.text)")
            #expect(call["function"]["arguments"].string == #"{"city":"Oslo"}"#)
            let id = try #require(call["id"].string)
            #expect(first.text.contains("tool_calls") && !id.isEmpty)
            let answer =
                #"{"role":"assistant","content":null,"tool_calls":[{"id":"\#(id)","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}}]},{"role":"tool","tool_call_id":"\#(id)","content":"4 C, rain"}"#
            let second = try wire.chat(#"{"model":"\#(dialect.model)","messages":[\#(question),\#(answer)],\#(tools)}"#)
            #expect(second.json["choices"][0]["message"]["content"].string == "Blue.", "\(second.text)")
            let sent = messages(upstream.requests.all[1].json, dialect)
            var expected = dialect.secondTurn.replacingOccurrences(of: "ID", with: id)
            // Providers that want no empty content get a placeholder beside the call only where they need it.
            expected = expected.replacingOccurrences(of: "\n", with: "")
            #expect(
                NSArray(array: sent.value as? [Any] ?? []) == NSArray(array: JSON(expected).value as? [Any] ?? []),
                "\(sent)")
        }
    }

    @Test(arguments: all, [false, true])
    func `an error in a reply with status 200 is a response with its status`(dialect: Case, isStream: Bool) throws {
        let upstream = try ScriptedUpstream(reply: dialect.error.body)
        try withSluice(configuration(upstream, dialect), upstream) { sluice in
            let reply = try sluice.chat(chat(dialect, isStream ? #","stream":true"# : ""))
            #expect(
                reply.status == dialect.error.status && reply.json["error"]["code"].string == dialect.error.code,
                "\(reply.text)")
        }
    }

    @Test(arguments: [
        (dashScope, "id:1\nevent:error\n:HTTP_STATUS/400\ndata:" + dashScope.error.body + "\n\n", 400),
        (
            hunyuan,
            #"data: {"Choices":[],"ErrorMsg":{"Msg":"engine timeout","Code":4001},"Created":1,"Id":"r1"}"# + "\n\n", 504
        ),
        (ernie, #"data: {"error_code":18,"error_msg":"Open api qps request limit reached"}"# + "\n\n", 429),
    ])
    func `an error as a stream's first event is a response with its status`(dialect: Case, event: String, status: Int)
        throws
    {
        let upstream = try ScriptedUpstream(streaming: [Array(event.utf8)])
        try withSluice(configuration(upstream, dialect), upstream) { sluice in
            let reply = try sluice.chat(chat(dialect, #","stream":true"#))
            #expect(reply.status == status, "\(reply.text)")
        }
    }

    @Test(arguments: [
        (
            ernie, "/v1/embeddings/embedding-v1",
            #"{"id":"as-1","object":"embedding_list","data":[{"embedding":[1.0,0.0],"index":0}],"usage":{"prompt_tokens":4,"total_tokens":4}}"#
        ),
        (
            dashScope, "/v1/services/embeddings/text-embedding/text-embedding",
            #"{"output":{"embeddings":[{"text_index":0,"embedding":[1.0,0.0]}]},"usage":{"total_tokens":4},"request_id":"r1"}"#
        ),
        (
            hunyuan, "/v1/",
            #"{"Response":{"Data":[{"Embedding":[1.0,0.0],"Index":0}],"Usage":{"PromptTokens":4,"TotalTokens":4}}}"#
        ),
    ])
    func `embeddings are made, and their errors told`(dialect: Case, target: String, answer: String) throws {
        let upstream = try ScriptedUpstream { connection, _ in
            try connection.reply(connection.served == 1 ? answer : dialect.error.body)
        }
        try withSluice(configuration(upstream, dialect), upstream) { sluice in
            let wire = try sluice.connect()
            let request = #"{"model":"Embedding-V1","input":"alpha"}"#
            let reply = try wire.exchange("POST", "/v1/embeddings", [], request)
            #expect(reply.status == 200 && reply.json["data"][0]["embedding"][0].value as? Double == 1, "\(reply.text)")
            #expect(reply.json["usage"]["prompt_tokens"].int == 4)
            let sent = try upstream.requests.first("the request")
            #expect(sent.target == target)
            if dialect.dialect == "hunyuan" { #expect(sent["x-tc-action"] == "GetEmbedding") }
            let failed = try wire.exchange("POST", "/v1/embeddings", [], request)
            #expect(
                failed.status == dialect.error.status && failed.json["error"]["code"].string == dialect.error.code,
                "\(failed.text)")
        }
    }
}
