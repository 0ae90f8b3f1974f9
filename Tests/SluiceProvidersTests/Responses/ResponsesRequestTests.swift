import SluiceCore
import SluiceJSON
import SluiceProviders
import TestSupport
import Testing

@Suite struct `Requests for responses` {
    private func chat(
        _ text: String, isOpenAI: Bool = true, takesMaxCompletionTokens: Bool = false
    ) throws -> (body: String, report: FieldReport) {
        let bytes = ByteBuffer(text)
        let tape = JSONTape()
        try tape.scan(bytes.span)
        let body = ByteBuffer()
        var report = FieldReport()
        let target = ChatTarget(isOpenAI: isOpenAI, takesMaxCompletionTokens: takesMaxCompletionTokens)
        try ResponsesRequest.write(tape.root(over: bytes.span), for: target, into: body, &report)
        return (body.text, report)
    }

    @Test func `become the chat request that the sheet gives for them`() throws {
        let (body, report) = try chat(Golden.text("Responses/G9.oai-resp-req.json"))
        #expect(isSame(body, try Golden.text("Responses/G9.oai-chat-req.json")), "\(body)")
        #expect(report.lost.isEmpty && report.adapted.isEmpty)
    }

    private let conversation =
        #"{"model":"m","instructions":"A","input":[{"role":"developer","content":[{"type":"input_text","text":"B"},{"type":"input_text","text":"C"}]},{"type":"message","role":"user","content":[{"type":"input_text","text":"Weather?"}]},{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"T"}]},{"type":"message","role":"assistant","id":"msg_1","status":"completed","content":[{"type":"output_text","text":"Loo","annotations":[]},{"type":"output_text","text":"king."}]},{"type":"web_search_call","id":"ws_1"},{"type":"function_call","id":"fc_1","call_id":"c1","name":"get","arguments":"{\"city\":\"Oslo\"}"},{"type":"function_call","call_id":"c2","name":"now","arguments":""},{"type":"function_call_output","call_id":"c1","output":"3C"},{"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"x"},{"type":"input_image","image_url":"data:image/png;base64,AA==","detail":"auto"},{"type":"input_text","text":"y"}]},{"role":"user","content":[{"type":"input_text","text":"Go on."},{"type":"input_image","image_url":"https://a/b","detail":"high"},{"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,AA=="},{"type":"input_audio","input_audio":{"data":"AA==","format":"wav"}}]},{"role":"assistant","content":[{"type":"refusal","refusal":"No."}]}],"tools":[{"type":"function","name":"get","description":"d","parameters":{"type":"object"},"strict":false,"defer_loading":true},{"type":"function","name":"now","parameters":null},{"type":"web_search"}],"tool_choice":"required","parallel_tool_calls":false,"max_output_tokens":50,"temperature":0.5,"top_p":0.9,"reasoning":{"effort":"high","summary":"auto"},"text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"},"strict":true},"verbosity":"low"},"metadata":{"a":"b"},"user":"u","store":true,"truncation":"auto","include":["reasoning.encrypted_content","message.output_text.logprobs"],"stream":true,"stream_options":{"include_obfuscation":false},"top_k":4,"service_tier":"auto"}"#

    @Test func `become chat requests, item by item`() throws {
        let (body, report) = try chat(conversation)
        let expected =
            #"{"model":"m","messages":[{"role":"system","content":"A"},{"role":"system","content":"B\nC"},{"role":"user","content":"Weather?"},{"role":"assistant","content":"Looking.","reasoning_content":"T","tool_calls":[{"id":"c1","type":"function","function":{"name":"get","arguments":"{\"city\":\"Oslo\"}"}},{"id":"c2","type":"function","function":{"name":"now","arguments":""}}]},{"role":"tool","tool_call_id":"c1","content":"3C"},{"role":"tool","tool_call_id":"c2","content":"x\ny"},{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]},{"role":"user","content":[{"type":"text","text":"Go on."},{"type":"image_url","image_url":{"url":"https://a/b","detail":"high"}},{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,AA=="}},{"type":"input_audio","input_audio":{"data":"AA==","format":"wav"}}]},{"role":"assistant","content":"No."}],"max_tokens":50,"stream":true,"temperature":0.5,"top_p":0.9,"user":"u","service_tier":"auto","tools":[{"type":"function","function":{"name":"get","description":"d","parameters":{"type":"object"},"strict":false}},{"type":"function","function":{"name":"now"}}],"tool_choice":"required","parallel_tool_calls":false,"verbosity":"low","response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object"}}},"reasoning_effort":"high","top_k":4}"#
        #expect(isSame(body, expected), "\(body)")
        #expect(
            report.lost.sorted() == [
                "include[1]", "input[4]", "store", "tools[0].defer_loading", "tools[2]", "truncation",
            ],
            "\(report.lost)")
        #expect(report.adapted.count == 1 && report.adapted[0].hasPrefix("input[7]"), "\(report.adapted)")
    }

    @Test(arguments: [
        (#""hi""#, #"{"role":"user","content":"hi"}"#),
        (#"[{"role":"user","content":"hi"}]"#, #"{"role":"user","content":"hi"}"#),
        (
            #"[{"role":"user","content":"hi"},{"type":"reasoning","id":"r","summary":[]}]"#,
            #"{"role":"user","content":"hi"}"#
        ),
    ])
    func `may be short`(input: String, message: String) throws {
        let (body, report) = try chat(
            #"{"model":"m","input":\#(input),"max_output_tokens":16}"#, takesMaxCompletionTokens: true)
        #expect(isSame(body, #"{"model":"m","messages":[\#(message)],"max_completion_tokens":16}"#), "\(body)")
        #expect(report.lost.isEmpty)
    }

    @Test func `choose tools`() throws {
        let tools = #""tools":[{"type":"function","name":"a"},{"type":"function","name":"b"}]"#
        let start = #"{"model":"m","input":"hi","#
        let named = try chat(start + tools + #","tool_choice":{"type":"function","name":"a"}}"#).body
        #expect(named.contains(#""tool_choice":{"type":"function","function":{"name":"a"}}"#))
        let allowed = try chat(
            start + tools
                + #","tool_choice":{"type":"allowed_tools","mode":"required","tools":[{"type":"function","name":"b"}]}}"#
        )
        #expect(
            allowed.body.contains(#""tools":[{"type":"function","function":{"name":"b"}}],"tool_choice":"required""#))
        #expect(allowed.report.adapted.count == 1)
        let none = try chat(
            start + #""tools":[{"type":"web_search"}],"tool_choice":"required","parallel_tool_calls":true}"#)
        #expect(none.report.lost == ["tools[0]", "tool_choice"] && !none.body.contains("tool"))
    }

    @Test func `return reasoning to whoever sealed it`() throws {
        let turn =
            #"{"model":"m","input":[{"type":"reasoning","id":"r","summary":[{"type":"summary_text","text":"T\n"}],"encrypted_content":"sluice-1:anthropic-claude-v1:text:s"},{"type":"reasoning","id":"r","summary":[],"encrypted_content":"sluice-1:anthropic-claude-v1:data:d"},{"type":"reasoning","id":"r","summary":[{"type":"summary_text","text":"U"}],"encrypted_content":"gAAA"},{"type":"reasoning","id":"r","summary":[],"encrypted_content":"sluice-1:google-gemini-v1:call:g"},{"type":"reasoning","id":"r","summary":[],"encrypted_content":"sluice-1:other:data:x"},{"type":"function_call","call_id":"c","name":"n","arguments":"{}"},{"type":"function_call","call_id":"e","name":"n","arguments":"{}"}]}"#
        let (body, _) = try chat(turn, isOpenAI: false)
        let expected =
            #"{"model":"m","messages":[{"role":"assistant","content":null,"reasoning_details":[{"type":"reasoning.text","text":"T\n","signature":"s","format":"anthropic-claude-v1","index":0},{"type":"reasoning.encrypted","data":"d","format":"anthropic-claude-v1","index":1},{"type":"reasoning.encrypted","data":"gAAA","format":"openai-responses-v1","index":2}],"tool_calls":[{"id":"c","type":"function","function":{"name":"n","arguments":"{}"},"extra_content":{"google":{"thought_signature":"g"}}},{"id":"e","type":"function","function":{"name":"n","arguments":"{}"}}]}]}"#
        #expect(isSame(body, expected), "\(body)")
        let plain = try chat(turn).body
        #expect(!plain.contains("reasoning") && !plain.contains("extra_content"), "\(plain)")
    }

    @Test(arguments: [
        (#""input":"x","previous_response_id":"r""#, "previous_response_id"),
        (#""input":"x","conversation":"c""#, "conversation"),
        (#""input":"x","background":true"#, "background"), (#""input":"x","prompt":{"id":"p"}"#, "prompt"),
        (#""a":1"#, "input"),
        (#""input":3"#, "input"), (#""input":"x","instructions":[]"#, "instructions"),
        (#""input":[{"type":"item_reference","id":"i"}]"#, "input[0]"),
        (#""input":[{"role":"tool","content":"x"}]"#, "input[0]"),
        (#""input":[{"role":"user"}]"#, "input[0].content"), (#""input":[3]"#, "input[0]"),
        (#""input":[{"role":"user","content":[{"type":"input_image","file_id":"f"}]}]"#, "input[0].content[0]"),
        (#""input":[{"role":"user","content":[{"type":"input_file","file_url":"f"}]}]"#, "input[0].content[0]"),
        (#""input":[{"type":"function_call_output","output":"x"}]"#, "input[0].call_id"),
        (#""input":[{"type":"function_call_output","call_id":"x"}]"#, "input[0].output"),
        (#""input":[{"type":"function_call","name":"x"}]"#, "input[0]"),
        (#""input":"x","tool_choice":{"type":"web_search"}"#, "tool_choice"),
    ])
    func `that nobody else understands are refused with the field`(members: String, param: String) throws {
        let refusal = try #require(throws: EncodingRefusal.self) { try chat(#"{"model":"m",\#(members)}"#) }
        #expect(refusal.param == param)
    }

    @Test func `survive whatever applications send`() throws {
        for seed in SplitMix64.seeds(600) {
            var random = SplitMix64(seed)
            let text = String(decoding: Transcoder.mutated(conversation, &random), as: UTF8.self)
            for isOpenAI in [true, false] {
                guard let (body, _) = try? chat(text, isOpenAI: isOpenAI) else { continue }
                #expect((try? JSONTape().scan(body.utf8Span.span)) != nil, "seed \(seed): \(body)")
            }
        }
    }
}
