import Foundation
import SluiceConfig
import SluiceCore
import SluiceJSON
import SluiceProviders
import TestSupport
import Testing

/// A request for a model that lacks something.
@Suite struct `Adapting a request` {
    /// - Parameter lacks: flags that are off.
    static func bench(_ lacks: String, rules: String = "") throws -> AdapterBench {
        let text = "{name: 'x', title: 'X', capabilities: [{\(lacks)}], \(rules)}"
        return AdapterBench(try Adapter.read(text: Array(text.utf8), environment: .fixed()), model: "m")
    }

    static func expect(_ lacks: String, _ request: String, _ wanted: String, lost: [String] = [], _ line: Int = #line)
        throws
    {
        let sent = try bench(lacks).send(request)
        #expect(Canonical.equal(sent.body, wanted), "line \(line): \(sent.body)")
        #expect(sent.report.lost == lost, "line \(line)")
    }

    @Test func `puts system messages into the first of the user`() throws {
        try Self.expect(
            "system_role: false",
            #"{"messages":[{"role":"system","content":"A"},{"role":"developer","content":[{"type":"text","text":"B"}]},{"role":"user","content":"C"},{"role":"user","content":"D"}]}"#,
            #"{"messages":[{"role":"user","content":"A\n\nB\n\nC"},{"role":"user","content":"D"}]}"#)
        try Self.expect(
            "system_role: false",
            #"{"messages":[{"role":"system","content":"A"},{"role":"user","content":[{"type":"text","text":"C"}]}]}"#,
            #"{"messages":[{"role":"user","content":[{"type":"text","text":"A"},{"type":"text","text":"C"}]}]}"#)
        try Self.expect(
            "system_role: false", #"{"messages":[{"role":"system","content":"A"}]}"#,
            #"{"messages":[{"role":"user","content":"A"}]}"#)
    }

    @Test func `leaves tools out, and says calls of former turns with words`() throws {
        try Self.expect(
            "tools: false",
            #"{"messages":[{"role":"user","content":"T?"},{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"now","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"9"}],"tools":[{"type":"function","function":{"name":"now"}}],"tool_choice":"auto"}"#,
            #"{"messages":[{"role":"user","content":"T?"},{"role":"assistant","content":"Called now with {}."},{"role":"user","content":"The result was: 9"}]}"#,
            lost: ["tools"])
    }

    @Test func `takes an empty list of tools away, which loses nothing`() throws {
        try Self.expect(
            "prefill: true", #"{"messages":[],"tools":[],"tool_choice":"none","parallel_tool_calls":false}"#,
            #"{"messages":[]}"#)
    }

    @Test func `asks for a schema by a forced tool, whose arguments are the answer`() throws {
        let bench = try Self.bench("json_schema: false")
        let sent = try bench.send(
            #"{"messages":[{"role":"user","content":"C?"}],"response_format":{"type":"json_schema","json_schema":{"name":"colour","schema":{"type":"object"}}}}"#
        )
        #expect(sent.answerTool == "colour" && sent.report.lost.isEmpty)
        #expect(sent.report.adapted == ["response_format: by a forced tool"])
        #expect(
            Canonical.equal(
                sent.body,
                #"{"messages":[{"role":"user","content":"C?"}],"tools":[{"type":"function","function":{"name":"colour","description":"Gives the answer.","parameters":{"type":"object"}}}],"tool_choice":{"type":"function","function":{"name":"colour"}}}"#
            ),
            "\(sent.body)")
        let reply = try bench.whole(
            #"{"id":"a","created":5,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"So: ","tool_calls":[{"id":"c","type":"function","function":{"name":"colour","arguments":"{\"c\":\"red\"}"}}]},"finish_reason":"tool_calls"}]}"#,
            answerTool: "colour")
        #expect(
            reply.body.contains(#""finish_reason":"stop""#) && reply.body.contains(#"{\"c\":\"red\"}"#)
                && !reply.body.contains("tool_calls"))
        let stream = """
            data: {"id":"a","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"colour","arguments":""}}]}}]}

            data: {"id":"a","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\\"c\\":"}}]}}]}

            data: {"id":"a","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]},"finish_reason":"tool_calls"}]}

            data: [DONE]


            """
        let events = CanonicalStream(bench.stream(stream, showsUsage: false, answerTool: "colour").text).events
        #expect(events == [#"text {"c":"#, "text 1}", "finish stop", "done"])
    }

    @Test func `asks for a schema by an instruction where there are other tools, or none`() throws {
        for lacks in [
            "json_schema: false, tools: false", "json_schema: false, forced_tools: false, json_object: false",
        ] {
            let sent = try Self.bench(lacks).send(
                #"{"messages":[{"role":"system","content":"S"},{"role":"user","content":"C?"}],"response_format":{"type":"json_schema","json_schema":{"name":"c","schema":{"type":"object"}}}}"#
            )
            #expect(sent.answerTool == nil && sent.report.adapted == ["response_format: by an instruction"])
            #expect(
                sent.body.contains(#"JSON schema: {\"type\":\"object\"}"#) && sent.body.contains(#""S\n\nAnswer"#),
                "\(sent.body)")
            #expect(sent.body.contains(#""json_object""#) == !lacks.contains("json_object"))
        }
    }

    @Test func `leaves images out where there is text beside them, and refuses where there is not`() throws {
        let image = #"{"type":"image_url","image_url":{"url":"https://x/a.png"}}"#
        try Self.expect(
            "images: false", #"{"messages":[{"role":"user","content":[{"type":"text","text":"W?"},\#(image)]}]}"#,
            #"{"messages":[{"role":"user","content":[{"type":"text","text":"W?"}]}]}"#,
            lost: ["messages[0].content[1].image_url"])
        try Self.expect(
            "image_urls: false",
            #"{"messages":[{"role":"user","content":[{"type":"text","text":"W?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}},\#(image)]}]}"#,
            #"{"messages":[{"role":"user","content":[{"type":"text","text":"W?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]}]}"#,
            lost: ["messages[0].content[2].image_url"])
        #expect(throws: EncodingRefusal.self) {
            try Self.bench("images: false").send(#"{"messages":[{"role":"user","content":[\#(image)]}]}"#)
        }
    }

    @Test func `makes numbers smaller, and leaves out what has no effect`() throws {
        try Self.expect(
            "output_tokens_max: 100", #"{"messages":[],"max_tokens":1e3,"max_completion_tokens":50}"#,
            #"{"messages":[],"max_tokens":100,"max_completion_tokens":50}"#)
        try Self.expect(
            "sampling: false", #"{"messages":[],"temperature":0.5,"top_p":1,"presence_penalty":0}"#,
            #"{"messages":[]}"#,
            lost: ["temperature"])
        try Self.expect(
            "reasoning: 'none'", #"{"messages":[],"reasoning_effort":"high"}"#, #"{"messages":[]}"#,
            lost: ["reasoning_effort"])
        try Self.expect(
            "forced_tools: false",
            #"{"messages":[],"tools":[{"type":"function","function":{"name":"a"}}],"tool_choice":"required"}"#,
            #"{"messages":[],"tools":[{"type":"function","function":{"name":"a"}}],"tool_choice":"auto"}"#,
            lost: ["tool_choice"])
    }

    @Test func `asks for the rest of an answer that was begun`() throws {
        let sent = try Self.bench("prefill: false").send(
            #"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}"#)
        #expect(
            sent.body.contains("Continue your last message")
                && sent.report.adapted == ["messages: a prefill by an instruction"])
    }

    @Test func `survives whatever an application sends`() throws {
        let pieces = [
            "null", "1e400", "-1", "[]", "{}", "\"\"", "true", "[[[]]]", #"{"role":"user"}"#,
            #"[{"role":"system","content":7}]"#,
            #"[{"role":"tool","content":[{"type":"image_url"}]},5,null]"#,
            #"[{"role":"assistant","tool_calls":{}},{"role":"user","content":[null]}]"#,
            #"{"type":"json_schema"}"#, #"{"type":"json_schema","json_schema":{"schema":{}}}"#, #""required""#,
        ]
        let fields = [
            "messages", "tools", "tool_choice", "response_format", "n", "temperature", "max_tokens", "stop", "seed",
            "user", "reasoning_effort",
            "thinking", "stream_options", "service_tier", "max_completion_tokens",
        ]
        let lacks = CapabilityRules.flagDocs.map { "\($0.name): false" }.joined(separator: ", ")
        let benches =
            AdapterLibrary.builtIn.adapters.map { AdapterBench($0, model: "glm-4.5") } + [try Self.bench(lacks)]
        for seed in SplitMix64.seeds(40) {
            var random = SplitMix64(seed)
            for bench in benches {
                let members = fields.filter { _ in Bool.random(using: &random) }.map {
                    "\"\($0)\":\(pieces.randomElement(using: &random)!)"
                }
                let request = "{" + members.joined(separator: ",") + "}"
                guard let sent = try? bench.send(request) else { continue }
                let tape = JSONTape()
                #expect(throws: Never.self, "seed \(seed): \(request)\n\(sent.body)") {
                    try tape.scan(sent.body.utf8Span.span)
                }
            }
        }
    }
}

@Suite struct `Blanks around a chat request` {
    @Test(arguments: ["\n", " \r\n\t"], ["", "\n", "  \n"])
    func `are no part of what is changed`(before: String, after: String) throws {
        let text =
            #"{"model":"m","seed":1,"stop":["a"],"messages":[{"role":"system","content":"s"},{"role":"user","content":"u"}]}"#
        var capabilities = Capabilities()
        capabilities.systemRole = false
        for dialect in ProviderDialect.allCases where dialect != .sparkWebSocket {
            let plain = try Transcoder.request(text, to: dialect.chat).body
            #expect(isSame(plain, try Transcoder.request(before + text + after, to: dialect.chat).body))
        }
        let bytes = ByteBuffer(before + text + after)
        let tape = JSONTape()
        try tape.scan(bytes.span)
        var adaptation = ChatAdaptation(capabilities, takesChoices: false)
        var report = FieldReport()
        let adapted = try #require(try adaptation.adapt(tape.root(over: bytes.span), &report))
        #expect(isSame(adapted.text, adapted.text.trimmingCharacters(in: .whitespacesAndNewlines)))
    }
}
