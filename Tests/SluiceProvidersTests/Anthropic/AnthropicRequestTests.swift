import SluiceCore
import SluiceJSON
import SluiceProviders
import TestSupport
import Testing

@Suite struct `Requests to Anthropic` {
    private let dialect = AnthropicDialect()

    private var capabilities: Capabilities {
        var capabilities = Capabilities()
        capabilities.reasoning = .adaptive
        return capabilities
    }

    private func encoded(_ members: String, _ change: (inout Capabilities) -> Void = { _ in }) throws -> (
        body: String, report: FieldReport
    ) {
        var capabilities = capabilities
        change(&capabilities)
        return try Transcoder.request(#"{"model":"m","max_tokens":9000,\#(members)}"#, to: dialect, capabilities)
    }

    private let hello = #""messages":[{"role":"user","content":"Hi"}]"#

    @Test(arguments: ["A1", "A2", "A3", "A5", "A6", "A7"])
    func `are those of the sheet`(name: String) throws {
        var capabilities = capabilities
        capabilities.sampling = name != "A5"
        let (body, _) = try Transcoder.request(
            try Golden.text("Anthropic/\(name).oai-chat-req.json"), to: dialect, capabilities)
        #expect(isSame(body, try Golden.text("Anthropic/\(name).anthropic-req.json")), "\(body)")
    }

    @Test func `name what they had to leave out or change`() throws {
        let (_, report) = try Transcoder.request(
            try Golden.text("Anthropic/A5.oai-chat-req.json"), to: dialect,
            {
                var some = capabilities
                some.sampling = false
                return some
            }())
        #expect(report.lost == ["temperature"])
        let lossy = try encoded(
            hello
                + #","seed":1,"logprobs":true,"frequency_penalty":0,"n":1,"store":false,"temperature":2,"top_p":0.5,"future":{"a":1}"#
        )
        #expect(lossy.report.lost.sorted() == ["future", "logprobs", "seed", "top_p"], "\(lossy.report.lost)")
        #expect(lossy.report.adapted == ["temperature: 1, the most there is"])
    }

    @Test func `carry thinking back before the call that it led to`() throws {
        let history =
            #""messages":[{"role":"user","content":"?"},{"role":"assistant","content":null,"reasoning_details":[{"type":"reasoning.text","text":"Think.","signature":"sig==","format":"anthropic-claude-v1","index":0},{"type":"reasoning.encrypted","data":"xx","format":"anthropic-claude-v1"},{"type":"reasoning.encrypted","data":"yy","format":"amazon-bedrock-v1"}],"tool_calls":[{"id":"a.b:0","type":"function","function":{"name":"now","arguments":""}}]},{"role":"tool","tool_call_id":"a.b:0","content":"noon"}]"#
        let (body, report) = try encoded(history + #","reasoning_effort":"high""#) { $0.reasoning = .budget }
        let expected =
            #"{"model":"m","max_tokens":9000,"thinking":{"type":"enabled","budget_tokens":4096},"messages":[{"role":"user","content":[{"type":"text","text":"?"}]},{"role":"assistant","content":[{"type":"thinking","thinking":"Think.","signature":"sig=="},{"type":"redacted_thinking","data":"xx"},{"type":"tool_use","id":"a_b_0","name":"now","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"a_b_0","content":[{"type":"text","text":"noon"}]}]}]}"#
        #expect(isSame(body, expected), "\(body)")
        #expect(report.lost.isEmpty && report.adapted.isEmpty)
    }

    @Test(arguments: [Capabilities.Reasoning.budget, .adaptive])
    func `go without thinking where the application has lost it and the model insists`(style: Capabilities.Reasoning)
        throws
    {
        let stripped =
            #""messages":[{"role":"user","content":"?"},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"now","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a","content":"noon"}]"#
        let (body, report) = try encoded(stripped + #","reasoning_effort":"low""#) { $0.reasoning = style }
        #expect(body.contains("\"thinking\"") == (style == .adaptive))
        #expect(report.adapted.contains { $0.hasPrefix("reasoning_effort:") } == (style == .budget))
        let given = try encoded(stripped + #","thinking":{"type":"enabled","budget_tokens":2000}"#)
        #expect(!given.body.contains("\"thinking\"") && given.report.adapted.count == 1)
        // The next turn thinks again.
        let next =
            stripped.dropLast() + #",{"role":"assistant","content":"Noon."},{"role":"user","content":"And now?"}]"#
        #expect(
            try encoded(next + #","reasoning_effort":"low""#) { $0.reasoning = .budget }.body.contains("\"thinking\""))
    }

    @Test func `keep a forced tool rather than thinking, where both cannot be had`() throws {
        let forced =
            hello
            + #","tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required","reasoning_effort":"high""#
        let (body, report) = try encoded(forced) { $0.reasoning = .budget }
        #expect(body.contains(#""tool_choice":{"type":"any"}"#) && !body.contains("\"thinking\""))
        #expect(report.adapted.count == 1)
        let unforced = try encoded(forced) { $0.forcedTools = false }
        #expect(
            unforced.body.contains(#""tool_choice":{"type":"auto"}"#)
                && unforced.body.contains("You must call one of the tools"))
    }

    @Test func `ask for a schema by a tool where there is no field for it`() throws {
        let format =
            hello
            + #","response_format":{"type":"json_schema","json_schema":{"name":"v","schema":{"type":"object","properties":{}}}}"#
        let (body, report) = try encoded(format) { $0.jsonSchema = false }
        #expect(body.contains(#""tool_choice":{"type":"tool","name":"sluice_json_answer"}"#), "\(body)")
        #expect(report.adapted == ["response_format: by a forced tool"])
        let assembly = try Transcoder.whole(
            #"{"content":[{"type":"tool_use","id":"t","name":"sluice_json_answer","input":{"a":"\u00e9"}}],"stop_reason":"tool_use"}"#,
            from: dialect)
        #expect(assembly.text.map { ReplyText.escaped($0.span).string } == #"{"a":"\u00e9"}"#)
        #expect(assembly.finishReason == .stop && assembly.calls.isEmpty)
    }

    @Test func `pass Anthropic's own fields through`() throws {
        let (body, report) = try encoded(
            #""messages":[{"role":"system","content":[{"type":"text","text":"S","cache_control":{"type":"ephemeral"}}]},{"role":"user","content":[{"type":"text","text":"Hi","cache_control":{"type":"ephemeral","ttl":"1h"}},{"type":"document","source":{"type":"text","media_type":"text/plain","data":"x"}}]}],"tools":[{"type":"function","cache_control":{"type":"ephemeral"},"function":{"name":"f"}},{"type":"web_search_20250305","name":"web_search"}],"thinking":{"type":"enabled","budget_tokens":2000},"top_k":3"#
        )
        let expected =
            #"{"model":"m","max_tokens":9000,"system":[{"type":"text","text":"S","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"text","text":"Hi","cache_control":{"type":"ephemeral","ttl":"1h"}},{"type":"document","source":{"type":"text","media_type":"text/plain","data":"x"}}]}],"tools":[{"name":"f","input_schema":{"type":"object","properties":{}},"cache_control":{"type":"ephemeral"}},{"type":"web_search_20250305","name":"web_search"}],"thinking":{"type":"enabled","budget_tokens":2000}}"#
        #expect(isSame(body, expected), "\(body)")
        #expect(report.lost == ["top_k"], "thinking has its own")
    }

    @Test func `wrap arguments that are no object, and drop what is empty`() throws {
        let (body, _) = try encoded(
            #""messages":[{"role":"user","content":[{"type":"text","text":" \n"},{"type":"text","text":"x"}]},{"role":"assistant","content":"","tool_calls":[{"id":"","function":{"name":"f","arguments":"{\"a\":"}}]},{"role":"tool","content":""},{"role":"assistant","content":"Sure: \n"}]"#
        )
        #expect(
            body.contains(#""input":{"_raw":"{\"a\":"}"#) && body.contains(#"[{"type":"text","text":"x"}]"#), "\(body)")
        #expect(
            body.contains(#"{"type":"text","text":"Sure:"}"#), "what is to be continued does not end in white space")
    }

    @Test(arguments: [
        (#""n":2"#, "n"), (#""max_tokens":"many""#, "max_tokens"),
        (#""response_format":{"type":"json_schema"}"#, "response_format.json_schema.schema"),
        (
            #""messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{}}]}]"#,
            "messages[0].content[0].input_audio"
        ),
        (
            #""messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/bmp;base64,AA"}}]}]"#,
            "messages[0].content[0].image_url.url"
        ),
        (
            #""messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"f"}}]}]"#,
            "messages[0].content[0].file"
        ),
        (#""messages":[{"role":"critic","content":"x"}]"#, "messages[0].role"),
    ])
    func `that cannot be said are refused with the field`(members: String, param: String) throws {
        let refusal = try #require(throws: EncodingRefusal.self) { try encoded(hello + "," + members) }
        #expect(refusal.param == param)
    }

    @Test func `are limited to the tools that may be called`() throws {
        let (body, _) = try encoded(
            hello
                + #","tools":[{"type":"function","function":{"name":"a"}},{"type":"function","function":{"name":"b"}}],"tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"b"}}]}},"parallel_tool_calls":false"#
        )
        #expect(
            body.contains(#""tools":[{"name":"b""#)
                && body.contains(#""tool_choice":{"type":"any","disable_parallel_tool_use":true}"#))
    }

    @Test func `survive whatever applications send`() throws {
        let texts = try ["A1", "A3", "A5", "A6", "A7"].map { try Golden.text("Anthropic/\($0).oai-chat-req.json") }
        for seed in SplitMix64.seeds(600) {
            var random = SplitMix64(seed)
            let text = String(decoding: Transcoder.mutated(texts[Int(random.next() % 5)], &random), as: UTF8.self)
            guard let (body, _) = try? Transcoder.request(text, to: dialect) else { continue }
            #expect((try? JSONTape().scan(body.utf8Span.span)) != nil, "seed \(seed): \(body)")
        }
    }
}
