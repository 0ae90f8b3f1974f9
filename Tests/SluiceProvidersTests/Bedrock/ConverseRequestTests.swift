import Foundation
import SluiceCore
import SluiceHTTP
import SluiceJSON
import SluiceProviders
import TestSupport
import Testing

@Suite struct `Requests to Bedrock` {
    private let dialect = ConverseDialect()

    private func capabilities(_ change: (inout Capabilities) -> Void) -> Capabilities {
        var capabilities = Capabilities()
        change(&capabilities)
        return capabilities
    }

    private func encoded(
        _ members: String, model: String = "amazon.nova-lite-v1:0", _ change: (inout Capabilities) -> Void = { _ in }
    ) throws -> (body: String, report: FieldReport) {
        try Transcoder.request(#"{"model":"\#(model)",\#(members)}"#, to: dialect, capabilities(change))
    }

    private let claude = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    private let hello = #""messages":[{"role":"user","content":"Hi"}]"#
    private let messages = #""messages":[{"role":"user","content":[{"text":"Hi"}]}]"#

    @Test(arguments: ["B1", "B2", "B3", "B5", "B6", "B7"])
    func `are those of the sheet`(name: String) throws {
        let request = try Golden.text("Bedrock/\(name).oai-chat-req.json")
        let (body, report) = try Transcoder.request(request, to: dialect, capabilities { $0.reasoning = .budget })
        #expect(isSame(body, try Golden.text("Bedrock/\(name).bedrock-req.json")), "\(body)")
        #expect(report.lost == (["B1": ["seed"], "B7": ["temperature"]][name] ?? []), "\(report.lost)")
    }

    @Test func `have an answer by schema by a forced tool where the model knows none`() throws {
        let request = try Golden.text("Bedrock/B5.oai-chat-req.json")
        let (body, report) = try Transcoder.request(request, to: dialect, capabilities { $0.jsonSchema = false })
        let expected = try Golden.text("Bedrock/B5-2.bedrock-req.json").replacingOccurrences(
            of: "verdict", with: "sluice_structured_answer")
        #expect(isSame(body, expected), "\(body)")
        #expect(report.adapted == ["response_format: by a forced tool"])
        let told = try Transcoder.request(
            request, to: dialect,
            capabilities {
                $0.jsonSchema = false
                $0.forcedTools = false
            })
        #expect(
            told.body.contains("JSON Schema: {\\\"type\\\":\\\"object\\\"") && !told.body.contains("toolConfig"),
            "\(told.body)")
        #expect(try encoded(hello + #","response_format":{"type":"json_object"}"#).body.contains("one JSON object"))
    }

    @Test func `carry reasoning back, sealed, before the call that it led to`() throws {
        let history =
            #""messages":[{"role":"user","content":"?"},{"role":"assistant","content":"","reasoning_details":[{"type":"reasoning.text","text":"T","signature":"s","format":"amazon-bedrock-v1"},{"type":"reasoning.encrypted","data":"cg==","format":"amazon-bedrock-v1"},{"type":"reasoning.encrypted","data":"x","format":"google-gemini-v1"}],"tool_calls":[{"id":"call/1 ä","type":"function","function":{"name":"f","arguments":""}}]},{"role":"tool","tool_call_id":"call/1 ä","content":""}]"#
        let (body, report) = try encoded(history)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(body.utf8)) as? [String: Any])
        let sent = try #require(object["messages"] as? [[String: Any]])
        let turn = try #require(sent[1]["content"] as? [[String: Any]])
        let use = try #require(turn[2]["toolUse"] as? [String: Any])
        let id = try #require(use["toolUseId"] as? String)
        #expect(id.utf8.count <= 64 && id.hasPrefix("call_1_") && !id.contains("/") && !id.contains("ä"))
        let expected =
            #"{"messages":[{"role":"user","content":[{"text":"?"}]},{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"T","signature":"s"}}},{"reasoningContent":{"redactedContent":"cg=="}},{"toolUse":{"toolUseId":"\#(id)","name":"f","input":{}}}]},{"role":"user","content":[{"toolResult":{"toolUseId":"\#(id)","content":[{"text":"(no output)"}],"status":"success"}}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}}}}]}}"#
        #expect(isSame(body, expected), "\(body)")
        #expect(report.adapted == ["tools: those of the history"])
    }

    @Test(arguments: [
        (
            #"[{"role":"assistant","content":"A"},{"role":"user","content":" \n"}]"#,
            #"[{"role":"user","content":[{"text":"."}]},{"role":"assistant","content":[{"text":"A"}]}]"#
        ),
        (#"[]"#, #"[{"role":"user","content":[{"text":"."}]}]"#),
        (
            #"[{"role":"user","content":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}},{"type":"text","text":"b"}]}]"#,
            #"[{"role":"user","content":[{"text":"a"},{"cachePoint":{"type":"default","ttl":"1h"}},{"text":"b"}]}]"#
        ),
        (
            #"[{"role":"user","content":[{"type":"file","file":{"filename":"a b.txt","file_data":"QQ=="}},{"type":"file","file":{"filename":"a b.txt","file_data":"QQ=="}}]}]"#,
            #"[{"role":"user","content":[{"document":{"format":"txt","name":"a b","source":{"bytes":"QQ=="}}},{"document":{"format":"txt","name":"a b-2","source":{"bytes":"QQ=="}}},{"text":"The document is attached."}]}]"#
        ),
        (
            #"[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"AA==","format":"mp3"}},{"type":"image_url","image_url":{"url":"s3://b/c.png"}}]}]"#,
            #"[{"role":"user","content":[{"audio":{"format":"mp3","source":{"bytes":"AA=="}}},{"image":{"format":"png","source":{"s3Location":{"uri":"s3://b/c.png"}}}}]}]"#
        ),
    ])
    func `have messages that Bedrock takes`(given: String, expected: String) throws {
        let (body, _) = try encoded(#""messages":\#(given)"#)
        #expect(isSame(body, #"{"messages":\#(expected)}"#), "\(body)")
    }

    @Test func `say what they had to leave out, and pass on what is the model's own`() throws {
        let (body, report) = try encoded(
            hello
                + #","seed":1,"logit_bias":{"1":2},"user":"u","presence_penalty":0,"temperature":2,"parallel_tool_calls":false,"tools":[{"type":"function","function":{"name":"f"}}],"top_k":3,"guardrailConfig":{"guardrailIdentifier":"g","guardrailVersion":"1"},"additionalModelRequestFields":{"a":1},"custom":true,"metadata":{"k":"v"},"service_tier":"flex","stop":["x",""]"#
        )
        #expect(
            report.lost.sorted() == ["logit_bias", "parallel_tool_calls", "seed", "stop[1]", "user"], "\(report.lost)")
        #expect(report.adapted == ["temperature: 1"])
        let expected =
            #"{\#(messages),"inferenceConfig":{"temperature":1,"stopSequences":["x"]},"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}}}}]},"serviceTier":{"type":"flex"},"requestMetadata":{"k":"v"},"guardrailConfig":{"guardrailIdentifier":"g","guardrailVersion":"1"},"additionalModelRequestFields":{"inferenceConfig":{"topK":3},"a":1,"custom":true}}"#
        #expect(isSame(body, expected), "\(body)")
    }

    @Test(arguments: [
        (
            Capabilities.Reasoning.budget, "us.anthropic.claude-x", #""max_tokens":2000,"#,
            #"{"thinking":{"type":"enabled","budget_tokens":1999}}"#, 2000
        ),
        (.budget, "us.anthropic.claude-x", "", #"{"thinking":{"type":"enabled","budget_tokens":16384}}"#, 24576),
        (
            .adaptive, "us.anthropic.claude-x", #""max_tokens":9,"#,
            #"{"thinking":{"type":"adaptive"},"output_config":{"effort":"high"}}"#, 9
        ),
        (.effort, "openai.gpt-oss", #""max_tokens":9,"#, #"{"reasoning_effort":"high"}"#, 9),
        (
            .effort, "us.amazon.nova-2", #""max_tokens":9,"#,
            #"{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"high"}}"#, 9
        ),
    ])
    func `ask for thinking in the model's way`(
        style: Capabilities.Reasoning, model: String, tokens: String, expected: String, most: Int
    ) throws {
        let (body, report) = try encoded(tokens + hello + #","reasoning_effort":"high""#, model: model) {
            $0.reasoning = style
        }
        #expect(
            isSame(
                body,
                #"{\#(messages),"inferenceConfig":{"maxTokens":\#(most)},"additionalModelRequestFields":\#(expected)}"#),
            "\(body)")
        #expect(report.lost.isEmpty)
    }

    @Test func `go without what thinking forbids`() throws {
        let tools =
            #","tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required","top_p":0.5,"top_k":4,"temperature":1"#
        let (body, report) = try encoded(hello + #","reasoning_effort":"low","max_tokens":4000"# + tools, model: claude)
        { $0.reasoning = .budget }
        #expect(report.lost.sorted() == ["tool_choice", "top_k", "top_p"], "\(report.lost)")
        #expect(!body.contains("toolChoice") && body.contains(#""temperature":1"#), "\(body)")
        #expect(
            try encoded(hello + #","reasoning_effort":"low","max_tokens":1000"#, model: claude).report.lost == [
                "reasoning_effort"
            ])
    }

    @Test(arguments: [
        (#""none""#, ""), (#""auto""#, #""toolChoice":{"auto":{}},"#), (#""required""#, #""toolChoice":{"any":{}},"#),
        (#"{"type":"function","function":{"name":"f"}}"#, #""toolChoice":{"tool":{"name":"f"}},"#),
    ])
    func `choose among tools`(choice: String, expected: String) throws {
        let (body, _) = try encoded(
            hello + #","tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":\#(choice)"#)
        let config =
            choice == #""none""#
            ? ""
            : #","toolConfig":{\#(expected)"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}}}}]}"#
        #expect(isSame(body, "{\(messages)\(config)}"), "\(body)")
    }

    @Test(arguments: [
        (#""n":2"#, "n"),
        (#""messages":[{"role":"tool","content":"y"}]"#, "messages[0].tool_call_id"),
        (#""messages":[{"role":"x","content":"y"}]"#, "messages[0].role"),
        (
            #""messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x/y.png"}}]}]"#,
            "messages[0].content[0].image_url"
        ),
        (
            #""messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/tiff;base64,AA=="}}]}]"#,
            "messages[0].content[0].image_url"
        ),
        (
            #""messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"f"}}]}]"#,
            "messages[0].content[0].file"
        ),
        (
            #""messages":[{"role":"user","content":[{"type":"file","file":{"filename":"x.exe","file_data":"AA=="}}]}]"#,
            "messages[0].content[0].file"
        ),
    ])
    func `that cannot be said are refused with the field`(members: String, param: String) throws {
        let members = members.contains("messages") ? members : hello + "," + members
        let refusal = try #require(throws: EncodingRefusal.self) { try encoded(members) }
        #expect(refusal.param == param)
    }

    @Test(arguments: [
        ("anthropic.claude-3-5-sonnet-20240620-v1:0", "/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0/converse"),
        (
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.x",
            "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.x/converse"
        ),
    ])
    func `have the model as one segment of the path`(model: String, expected: String) throws {
        let bytes = ByteBuffer("{}")
        let tape = JSONTape()
        try tape.scan(bytes.span)
        var fields = HeaderFields()
        fields.append(.accept, "text/event-stream")
        let whole = ChatRequest(tape.root(over: bytes.span), model: model, isStream: false)
        #expect(dialect.chatTarget(whole) == expected)
        let stream = ChatRequest(tape.root(over: bytes.span), model: model, isStream: true)
        #expect(dialect.chatTarget(stream) == expected + "-stream")
        dialect.addFields(stream, to: &fields)
        #expect(fields.text(.accept) == "application/vnd.amazon.eventstream" && fields.occurrences(of: .accept) == 1)
    }

    @Test func `survive anything that is JSON`() throws {
        let goldens = try ["B1", "B3", "B5", "B6", "B7"].map { try Golden.text("Bedrock/\($0).oai-chat-req.json") }
        for seed in SplitMix64.seeds(1500) {
            var random = SplitMix64(seed)
            let text = String(decoding: Transcoder.mutated(goldens[Int(random.next() % 5)], &random), as: UTF8.self)
            let style = capabilities { some in
                some.reasoning = Capabilities.Reasoning.allCases[Int(random.next() % 4)]
                some.jsonSchema = random.next() % 2 == 0
            }
            guard let encoded = try? Transcoder.request(text, to: dialect, style) else { continue }
            #expect(JSONSerialization.isValid(encoded.body), "seed \(seed): \(encoded.body)")
        }
    }
}
