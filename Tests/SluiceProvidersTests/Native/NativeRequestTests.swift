import SluiceCore
import SluiceHTTP
import SluiceJSON
import SluiceProviders
import TestSupport
import Testing

@Suite struct `Requests in the native dialects` {
    // MARK: ERNIE

    @Test(arguments: [
        ("ERNIE-4.0-8K", "/chat/completions_pro"), ("ERNIE-Bot", "/chat/completions"),
        ("ernie-speed", "/chat/ernie_speed"),
        ("ERNIE-Lite-8K-0922", "/chat/eb-instant"), ("ERNIE-4.0-Turbo-128K", "/chat/ernie-4.0-turbo-128k"),
        ("My/Model ü", "/chat/my%2Fmodel%20%C3%BC"),
    ])
    func `ERNIE's model is in the path`(model: String, path: String) throws {
        #expect(try NativeDialect.ernie.target(#"{"model":"\#(model)","messages":[]}"#) == path)
    }

    @Test func `several calls of ERNIE's become turns with one call each, results beside them`() throws {
        let (body, report) = try NativeDialect.ernie.sent(NativeRequests.tools)
        let expected = #"""
            {"system":"Be brief.","messages":[{"role":"user","content":"Weather?"},{"role":"assistant","content":"Let me look.","function_call":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}},{"role":"function","name":"get_weather","content":"{\"result\":\"4 C \\\"rain\\\"\"}"},{"role":"assistant","content":"","function_call":{"name":"now","arguments":""}},{"role":"function","name":"now","content":"{\"time\":\"12:00\"}"},{"role":"assistant","content":"OK."},{"role":"user","content":"So?"}],"functions":[{"name":"get_weather","description":"d","parameters":{"type":"object","properties":{"city":{"type":"string"}}}},{"name":"now","description":"","parameters":{"type":"object","properties":{}}}],"stream":true,"disable_search":true}
            """#
        #expect(isSame(body, expected), "\(body)")
        #expect(
            report.lost == [
                "messages[1].content[1].image_url", "messages[1].content[2].input_audio", "tools[2]", "tool_choice",
            ])
        #expect(report.adapted == ["messages: one call in each", "messages: made to alternate"])
    }

    @Test func `what ERNIE's fields cannot say is clamped, or named`() throws {
        let (body, report) = try NativeDialect.ernie.sent(NativeRequests.sampling)
        let expected = #"""
            {"messages":[{"role":"user","content":"(continue)"},{"role":"assistant","content":"Hi"},{"role":"user","content":"\n "},{"role":"assistant","content":"é"},{"role":"user","content":"继续"}],"temperature":1.0,"top_p":0,"max_output_tokens":100000,"penalty_score":1.75,"stop":["END"],"user_id":"somebody-with-a-name-that-is-too-long","response_format":"json_object","disable_search":false}
            """#
        #expect(isSame(body.replacing(#"\n /"#, with: #"\n "#), expected), "\(body)")
        #expect(
            report.lost == [
                "frequency_penalty", "stop[1]", "response_format.json_schema", "seed", "logprobs", "reasoning_effort",
                "metadata",
                "top_k", "EnableEnhancement", "unheard_of",
            ])
    }

    @Test func `a blank message gets a placeholder`() throws {
        let (body, _) = try NativeDialect.ernie.sent(#"{"model":"m","messages":[{"role":"user","content":" \n"}]}"#)
        #expect(isSame(body, #"{"messages":[{"role":"user","content":" \n/"}],"disable_search":true}"#), "\(body)")
    }

    @Test func `a call whose result is missing is followed by the user`() throws {
        let (body, _) = try NativeDialect.ernie.sent(
            #"{"model":"m","messages":[{"role":"user","content":"a"},{"role":"assistant","tool_calls":[{"id":"1","function":{"name":"f","arguments":"{}"}}]},{"role":"assistant","content":"b"},{"role":"tool","tool_call_id":"9","content":"stray"}]}"#
        )
        let expected = #"""
            {"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"","function_call":{"name":"f","arguments":"{}"}},{"role":"user","content":"继续"},{"role":"assistant","content":"b"},{"role":"user","content":"stray"}],"disable_search":true}
            """#
        #expect(isSame(body, expected), "\(body)")
    }

    // MARK: DashScope

    @Test func `DashScope gets tools as they are, and incremental output`() throws {
        let request = NativeRequests.tools.replacing(
            #",{"type":"image_url","image_url":{"url":"https://a.example/b.png"}}"#, with: "")
        let (body, report) = try NativeDialect.dashScope.sent(request)
        #expect(try NativeDialect.dashScope.target(request) == "/services/aigc/text-generation/generation")
        let expected = #"""
            {"model":"4.0Ultra","input":{"messages":[{"role":"system","content":"Be brief."},{"role":"user","content":"Weather?"},{"role":"assistant","content":"Let me look.","reasoning_content":"Two places.","tool_calls":[{"id":"c1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}},{"id":"c2","type":"function","function":{"name":"now","arguments":""}}]},{"role":"tool","tool_call_id":"c2","content":"{\"time\":\"12:00\"}"},{"role":"tool","tool_call_id":"c1","content":"4 C \"rain\""},{"role":"user","content":"So?"}]},"parameters":{"result_format":"message","incremental_output":true,"tools":[{"type":"function","function":{"name":"get_weather","description":"d","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}},{"type":"function","function":{"name":"now"}}]}}
            """#
        #expect(isSame(body, expected), "\(body)")
        #expect(report.lost == ["messages[1].content[1].input_audio", "tools[2]", "tool_choice"])
    }

    @Test func `what DashScope's models see has a path and a form of its own`() throws {
        let request =
            #"{"model":"qwen-max","messages":[{"role":"user","content":[{"type":"text","text":"What?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]},{"role":"assistant","content":"A dot."}]}"#
        #expect(try NativeDialect.dashScope.target(request) == "/services/aigc/multimodal-generation/generation")
        for model in ["qwen-vl-max", "qwen2.5-vl-7b", "qvq-max", "qwen-omni"] {
            #expect(try NativeDialect.dashScope.target(#"{"model":"\#(model)","messages":[]}"#).contains("multimodal"))
        }
        let (body, _) = try NativeDialect.dashScope.sent(request)
        let expected =
            #"{"model":"qwen-max","input":{"messages":[{"role":"user","content":[{"text":"What?"},{"image":"data:image/png;base64,AA=="}]},{"role":"assistant","content":[{"text":"A dot."}]}]},"parameters":{"result_format":"message"}}"#
        #expect(isSame(body, expected), "\(body)")
        let (text, _) = try NativeDialect.dashScope.completion(
            #"{"request_id":"r","output":{"choices":[{"finish_reason":"stop","message":{"role":"assistant","content":[{"text":"A "},{"text":"dot."}]}}]},"usage":{"input_tokens":5,"output_tokens":2,"image_tokens":3}}"#
        )
        #expect(ToldChat(text).content == "A dot." && ToldChat(text).usage["total_tokens"] == 7, "\(text)")
    }

    @Test func `DashScope's values are clamped, and thinking is a switch`() throws {
        let (body, report) = try NativeDialect.dashScope.sent(
            #"{"model":"qwen-plus","messages":[{"role":"user","content":"a"}],"temperature":2,"top_p":0,"seed":-1,"reasoning_effort":"low","top_k":3,"thinking_budget":9,"user":"u","frequency_penalty":1}"#
        )
        let expected =
            #"{"model":"qwen-plus","input":{"messages":[{"role":"user","content":"a"}]},"parameters":{"result_format":"message","temperature":1.99,"top_p":0.01,"top_k":3,"thinking_budget":9,"enable_thinking":true}}"#
        #expect(isSame(body, expected), "\(body)")
        #expect(report.lost == ["seed", "user", "frequency_penalty"])
        var fields = HeaderFields()
        let bytes = ByteBuffer(#"{"messages":[]}"#)
        let tape = JSONTape()
        try tape.scan(bytes.span)
        DashScopeDialect().addFields(ChatRequest(tape.root(over: bytes.span), model: "m", isStream: true), to: &fields)
        #expect(fields.index(named: "x-dashscope-sse") != nil)
    }

    @Test(arguments: [
        ("qwen3-32b", "", "false", false), ("qwen3-32b", #","reasoning_effort":"low""#, "false", true),
        ("qwen3-32b", #","reasoning_effort":"none""#, "false", false),
        ("Qwen3-8B", #","enable_thinking":true"#, "true", false),
        ("qwen3-32b", #","stream":true"#, "", false),
        ("qwen3-32b", #","stream":true,"reasoning_effort":"low""#, "true", false),
        ("qwen3-max", "", "", false), ("qwen3-max", #","reasoning_effort":"low""#, "true", false),
        ("qwen3-", "", "", false),
    ])
    func `DashScope's open-weight models think in a stream only`(
        model: String, members: String, thinks: String, isLost: Bool
    ) throws {
        let (body, report) = try NativeDialect.dashScope.sent(
            #"{"model":"\#(model)","messages":[{"role":"user","content":"a"}]\#(members)}"#)
        #expect(body.contains("enable_thinking") == !thinks.isEmpty, "\(body)")
        #expect(thinks.isEmpty || body.contains(#""enable_thinking":\#(thinks)"#), "\(body)")
        #expect(report.lost.contains("reasoning_effort") == isLost)
    }

    // MARK: Hunyuan

    @Test func `Hunyuan gets its own spelling`() throws {
        let (body, report) = try NativeDialect.hunyuan.sent(NativeRequests.tools)
        let expected = #"""
            {"Model":"4.0Ultra","Messages":[{"Role":"system","Content":"Be brief."},{"Role":"user","Contents":[{"Type":"text","Text":"Weather?"},{"Type":"image_url","ImageUrl":{"Url":"https://a.example/b.png"}}]},{"Role":"assistant","Content":"Let me look.","ToolCalls":[{"Id":"c1","Type":"function","Function":{"Name":"get_weather","Arguments":"{\"city\":\"Oslo\"}"}},{"Id":"c2","Type":"function","Function":{"Name":"now","Arguments":""}}]},{"Role":"tool","ToolCallId":"c2","Content":"{\"time\":\"12:00\"}"},{"Role":"tool","ToolCallId":"c1","Content":"4 C \"rain\""},{"Role":"assistant","Content":"OK."},{"Role":"user","Content":"So?"}],"Tools":[{"Type":"function","Function":{"Name":"get_weather","Description":"d","Parameters":"{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}}}"}},{"Type":"function","Function":{"Name":"now","Parameters":"{\"type\":\"object\",\"properties\":{}}"}}],"ToolChoice":"auto","Stream":true,"EnableEnhancement":false}
            """#
        #expect(isSame(body, expected), "\(body)")
        #expect(report.lost == ["messages[1].content[2].input_audio", "tools[2]", "tool_choice"])
    }

    @Test func `what Hunyuan's fields cannot say is mapped, or named`() throws {
        let (body, report) = try NativeDialect.hunyuan.sent(NativeRequests.sampling)
        let expected = #"""
            {"Model":"4.0Ultra","Messages":[{"Role":"user","Content":"(continue)"},{"Role":"assistant","Content":"Hi"},{"Role":"user","Content":"\n /"},{"Role":"assistant","Content":"é"},{"Role":"user","Content":"继续"}],"Temperature":1.7,"TopP":0,"Seed":8,"Stop":["END","a stop that is far too long"],"Stream":false,"EnableEnhancement":true}
            """#
        #expect(isSame(body, expected), "\(body)")
        #expect(report.adapted.contains("seed: 8"))
        for field in ["max_tokens", "presence_penalty", "user", "response_format", "reasoning_effort", "top_k"] {
            #expect(report.lost.contains(field), "\(field)")
        }
    }

    @Test func `Hunyuan is told by fields what is wanted`() throws {
        var fields = HeaderFields()
        let bytes = ByteBuffer(#"{"messages":[]}"#)
        let tape = JSONTape()
        try tape.scan(bytes.span)
        HunyuanDialect().addFields(ChatRequest(tape.root(over: bytes.span), model: "m", isStream: false), to: &fields)
        #expect(value("x-tc-action", fields) == "ChatCompletions" && value("x-tc-version", fields) == "2023-09-01")
        var others = HeaderFields()
        HunyuanEmbeddings().addFields(to: &others)
        #expect(value("x-tc-action", others) == "GetEmbedding")
    }

    private func value(_ name: StaticString, _ fields: HeaderFields) -> String? {
        fields.index(named: name).map { String(decoding: fields.value(at: $0)) }
    }

    // MARK: Spark

    @Test(arguments: [
        ("lite", "/v1.1/chat", "lite"), ("generalv3", "/v3.1/chat", "generalv3"),
        ("pro-128k", "/chat/pro-128k", "pro-128k"),
        ("generalv3.5", "/v3.5/chat", "generalv3.5"), ("Max-32K", "/chat/max-32k", "max-32k"),
        ("4.0Ultra", "/v4.0/chat", "4.0Ultra"),
        ("x1", "/v1/x1", "spark-x"), ("spark-x2", "/x2", "spark-x"), ("kjwx", "/v1.1/chat_kjwx", "kjwx"),
    ])
    func `Spark's path and domain belong together`(model: String, path: String, domain: String) throws {
        let request = #"{"model":"\#(model)","messages":[{"role":"user","content":"a"}]}"#
        #expect(try NativeDialect.spark.target(request) == path)
        #expect(try NativeDialect.spark.sent(request).body.contains(#""domain":"\#(domain)""#))
    }

    @Test func `a model that Spark does not have is refused before the call`() throws {
        #expect(throws: EncodingRefusal.self) {
            try NativeDialect.spark.sent(#"{"model":"gpt-4o","messages":[{"role":"user","content":"a"}]}"#)
        }
        let tuned = #"{"model":"my-service","patch_id":"r1","messages":[{"role":"user","content":"a"}]}"#
        let expected =
            #"{"header":{"app_id":"testapp1","patch_id":["r1"]},"parameter":{"chat":{"domain":"my-service"}},"payload":{"message":{"text":[{"role":"user","content":"a"}]}}}"#
        #expect(isSame(try NativeDialect.spark.sent(tuned).body, expected))
    }

    @Test func `Spark has no role for tools: what they said is told in words`() throws {
        let (body, report) = try NativeDialect.spark.sent(NativeRequests.tools)
        let expected = #"""
            {"header":{"app_id":"testapp1"},"parameter":{"chat":{"domain":"4.0Ultra"}},"payload":{"message":{"text":[{"role":"system","content":"Be brief."},{"role":"user","content":"Weather?"},{"role":"assistant","content":"Let me look.\nCall of the function get_weather: {\"city\":\"Oslo\"}\nCall of the function now: {}"},{"role":"user","content":"Result of the function now: {\"time\":\"12:00\"}\n\nResult of the function get_weather: 4 C \"rain\"\n\nSo?"}]},"functions":{"text":[{"name":"get_weather","description":"d","parameters":{"type":"object","properties":{"city":{"type":"string"}}}},{"name":"now","description":"","parameters":{"type":"object","properties":{}}}]}}}
            """#
        #expect(isSame(body, expected), "\(body)")
        #expect(report.lost.contains("tool_choice") && report.adapted.contains("messages: calls of tools in words"))
    }

    @Test func `the system of a small Spark model is told by the user`() throws {
        let (body, _) = try NativeDialect.spark.sent(
            #"{"model":"lite","messages":[{"role":"system","content":"s"},{"role":"user","content":"a"}],"temperature":0,"max_tokens":9999}"#
        )
        let expected =
            #"{"header":{"app_id":"testapp1"},"parameter":{"chat":{"domain":"lite","temperature":0.01,"max_tokens":4096}},"payload":{"message":{"text":[{"role":"user","content":"s\n\na"}]}}}"#
        #expect(isSame(body, expected), "\(body)")
    }

    @Test func `a long name of a user is shortened to the same each time`() throws {
        let (one, _) = try NativeDialect.spark.sent(NativeRequests.sampling)
        let (two, _) = try NativeDialect.spark.sent(NativeRequests.sampling)
        #expect(one == two && !one.contains("somebody") && one.contains(#""uid":""#))
    }

    @Test(arguments: NativeDialect.allCases)
    func `several answers are refused`(dialect: NativeDialect) {
        #expect(throws: EncodingRefusal.self) {
            try dialect.sent(#"{"model":"lite","messages":[{"role":"user","content":"a"}],"n":2}"#)
        }
    }
}
