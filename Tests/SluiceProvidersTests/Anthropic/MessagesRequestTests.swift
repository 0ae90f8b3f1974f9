import SluiceCore
import SluiceJSON
import SluiceProviders
import TestSupport
import Testing

@Suite struct `Requests in Messages` {
    private func chat(_ text: String, isOpenAI: Bool = true) throws -> (body: String, report: FieldReport) {
        let bytes = ByteBuffer(text)
        let tape = JSONTape()
        try tape.scan(bytes.span)
        let body = ByteBuffer()
        var report = FieldReport()
        try MessagesRequest.write(tape.root(over: bytes.span), for: .init(isOpenAI: isOpenAI), into: body, &report)
        return (body.text, report)
    }

    private let conversation =
        #"{"model":"m","max_tokens":50,"system":[{"type":"text","text":"A"},{"type":"text","text":"B","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":"Weather?"},{"role":"assistant","content":[{"type":"thinking","thinking":"T","signature":"s"},{"type":"text","text":"Looking."},{"type":"tool_use","id":"t1","name":"get","input":{"city":"Oslo"}},{"type":"tool_use","id":"t2","name":"now","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"3C"},{"type":"tool_result","tool_use_id":"t2","is_error":true,"content":[{"type":"text","text":"no"},{"type":"text","text":"clock"}]},{"type":"text","text":"Go on."},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]}],"tools":[{"name":"get","description":"d","input_schema":{"type":"object"}},{"type":"web_search_20250305","name":"w"}],"tool_choice":{"type":"any","disable_parallel_tool_use":true},"stop_sequences":["1","2","3","4","5"],"top_k":4,"thinking":{"type":"enabled","budget_tokens":5000},"output_config":{"format":{"type":"json_schema","schema":{"type":"object"}}},"metadata":{"user_id":"u"},"service_tier":"standard_only","stream":true}"#

    @Test func `become chat requests of OpenAI's`() throws {
        let (body, report) = try chat(conversation)
        let expected =
            #"{"model":"m","messages":[{"role":"system","content":"A\nB"},{"role":"user","content":"Weather?"},{"role":"assistant","content":"Looking.","tool_calls":[{"id":"t1","type":"function","function":{"name":"get","arguments":"{\"city\":\"Oslo\"}"}},{"id":"t2","type":"function","function":{"name":"now","arguments":"{}"}}]},{"role":"tool","tool_call_id":"t1","content":"3C"},{"role":"tool","tool_call_id":"t2","content":"Error: no\nclock"},{"role":"user","content":[{"type":"text","text":"Go on."},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}],"max_tokens":50,"stream":true,"stop":["1","2","3","4"],"tools":[{"type":"function","function":{"name":"get","description":"d","parameters":{"type":"object"}}}],"tool_choice":"required","parallel_tool_calls":false,"reasoning_effort":"high","response_format":{"type":"json_schema","json_schema":{"name":"answer","strict":true,"schema":{"type":"object"}}},"user":"u","service_tier":"default"}"#
        #expect(isSame(body, expected), "\(body)")
        #expect(report.lost.sorted() == ["cache_control", "stop_sequences[4]", "tools[1]", "top_k"], "\(report.lost)")
    }

    @Test func `come out of Anthropic's encoder as they went in`() throws {
        let original =
            #"{"model":"m","max_tokens":50,"system":[{"type":"text","text":"B","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"text","text":"Weather?"}]},{"role":"assistant","content":[{"type":"thinking","thinking":"T","signature":"s"},{"type":"redacted_thinking","data":"r"},{"type":"text","text":"Looking."},{"type":"tool_use","id":"t1","name":"get","input":{"city":"Oslo"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"3C"}],"cache_control":{"type":"ephemeral"}},{"type":"text","text":"Go on."},{"type":"image","source":{"type":"url","url":"https://a/b"}},{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"AA=="},"title":"a.pdf"}]}],"tools":[{"name":"get","description":"d","input_schema":{"type":"object"},"cache_control":{"type":"ephemeral"}}],"tool_choice":{"type":"tool","name":"get"},"stop_sequences":["1","2","3","4","5"],"top_k":4,"temperature":0.5,"metadata":{"user_id":"u"},"service_tier":"auto"}"#
        let (canonical, report) = try chat(original, isOpenAI: false)
        let (body, second) = try Transcoder.request(canonical, to: AnthropicDialect())
        #expect(isSame(body, original), "\(body)")
        #expect(report.lost.isEmpty && second.lost.isEmpty && second.adapted.isEmpty)
    }

    @Test func `return thinking to whoever sealed it`() throws {
        let turn =
            #"{"model":"m","messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"T","signature":"amazon-bedrock-v1:s"},{"type":"thinking","thinking":"U","signature":""},{"type":"text","text":"x"}]}]}"#
        let (body, _) = try chat(turn, isOpenAI: false)
        #expect(
            isSame(
                body,
                #"{"model":"m","messages":[{"role":"assistant","content":"x","reasoning_details":[{"type":"reasoning.text","text":"T","signature":"s","format":"amazon-bedrock-v1","index":0}],"reasoning_content":"U"}]}"#
            ), "\(body)")
        #expect(try chat(turn).body.contains(#""reasoning_content":"U""#))
    }

    @Test(arguments: [
        (#"{"role":"user"}"#, "messages[0].content"), (#"{"role":"tool","content":"x"}"#, "messages[0].role"),
        (
            #"{"role":"user","content":[{"type":"image","source":{"type":"file","file_id":"f"}}]}"#,
            "messages[0].content[0].source"
        ),
        (#"{"role":"user","content":[{"type":"container_upload"}]}"#, "messages[0].content[0]"),
        (#"{"role":"user","content":[{"type":"tool_result"}]}"#, "messages[0].content"),
    ])
    func `that nobody else understands are refused with the field`(message: String, param: String) throws {
        let refusal = try #require(throws: EncodingRefusal.self) {
            try chat(#"{"model":"m","messages":[\#(message)]}"#)
        }
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

    @Test func `are counted roughly`() throws {
        let bytes = ByteBuffer(
            #"{"model":"m","messages":[{"role":"user","content":"\#(String(repeating: "word ", count: 400))"}]}"#)
        let tape = JSONTape()
        try tape.scan(bytes.span)
        #expect((500...520).contains(MessagesTokens.estimate(tape.root(over: bytes.span))))
    }
}
