import Foundation
import SluiceCore
import SluiceJSON
import SluiceProviders
import TestSupport
import Testing

@Suite struct `Requests to Gemini` {
    private let dialect = GeminiDialect()

    private func capabilities(_ reasoning: Capabilities.Reasoning) -> Capabilities {
        var capabilities = Capabilities()
        capabilities.reasoning = reasoning
        return capabilities
    }

    private func encoded(
        _ members: String, _ reasoning: Capabilities.Reasoning = .effort, model: String = "gemini-3-pro",
        _ dialect: GeminiDialect = GeminiDialect()
    ) throws -> (body: String, report: FieldReport) {
        try Transcoder.request(#"{"model":"\#(model)",\#(members)}"#, to: dialect, capabilities(reasoning))
    }

    private let hello = #""messages":[{"role":"user","content":"Hi"}]"#
    private let contents = #""contents":[{"role":"user","parts":[{"text":"Hi"}]}]"#

    @Test(arguments: ["G1", "G2", "G3", "G5", "G6"])
    func `are those of the sheet`(name: String) throws {
        let request = try Golden.text("Gemini/\(name).oai-chat-req.json")
        let (body, _) = try Transcoder.request(request, to: dialect, capabilities(name == "G2" ? .effort : .budget))
        #expect(isSame(body, try Golden.text("Gemini/\(name).gemini-req.json")), "\(body)")
    }

    @Test func `give older models a schema in the subset that they know`() throws {
        let request = try Golden.text("Gemini/G5.oai-chat-req.json")
        let (body, report) = try Transcoder.request(request, to: dialect, capabilities(.none))
        #expect(isSame(body, try Golden.text("Gemini/G5-2.gemini-req.json")), "\(body)")
        #expect(report.adapted.isEmpty)
    }

    @Test func `are not held up by a schema that refers to a large one again and again`() throws {
        let others = (0..<1_500).map { #""x-\#($0)":0"# }.joined(separator: ",")
        let references = (0..<4_000).map { ##""p\##($0)":{"$ref":"#/$defs/a"}"## }.joined(separator: ",")
        let schema = #"{"type":"object","$defs":{"a":{\#(others)}},"properties":{\#(references)}}"#
        let text =
            #"{"model":"gemini-2.0-flash","messages":[{"role":"user","content":"u"}],"tools":[{"type":"function","function":{"name":"f","parameters":\#(schema)}}]}"#
        let start = ThreadTime.now
        _ = try Transcoder.request(text, to: ProviderDialect.gemini.chat)
        #expect(ThreadTime.now - start < .seconds(10))
    }

    @Test func `return a signature on the call that had it, and on no other`() throws {
        let history =
            #""messages":[{"role":"user","content":"Weather in Oslo, and the time?"},{"role":"assistant","content":"Checking.","tool_calls":[{"id":"call_1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"},"extra_content":{"google":{"thought_signature":"RzRzaWduYXR1cmU="}}},{"id":"call_2","type":"function","function":{"name":"now","arguments":"{}"}}]},{"role":"tool","tool_call_id":"call_1","content":"-3 C"},{"role":"tool","tool_call_id":"call_2","content":"12:00"}],"tools":[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}}},{"type":"function","function":{"name":"now"}}]"#
        let (body, report) = try encoded(history)
        #expect(isSame(body, try Golden.text("Gemini/G4.gemini-req.json")), "\(body)")
        #expect(report.lost.isEmpty && report.adapted.isEmpty)
        // Results that come in another order are put into the calls' order: nothing else says which is which.
        let swapped = history.replacingOccurrences(
            of:
                #"{"role":"tool","tool_call_id":"call_1","content":"-3 C"},{"role":"tool","tool_call_id":"call_2","content":"12:00"}"#,
            with:
                #"{"role":"tool","tool_call_id":"call_2","content":"12:00"},{"role":"tool","tool_call_id":"call_1","content":"-3 C"}"#
        )
        #expect(swapped != history)
        #expect(isSame(try encoded(swapped).body, body))
    }

    @Test func `send the documented stand-in where the application lost the signature`() throws {
        let step =
            #"{"role":"assistant","tool_calls":[{"id":"a","function":{"name":"f","arguments":""}},{"id":"b","function":{"name":"g","arguments":"[1"}}]},{"role":"tool","tool_call_id":"a","content":""},{"role":"tool","tool_call_id":"b","content":" {\"x\":1}"}"#
        let history = #""messages":[{"role":"user","content":"1"},\#(step),{"role":"user","content":"2"},\#(step)]"#
        let calls = #"{"functionCall":{"name":"f","args":{}}},{"functionCall":{"name":"g","args":{"arguments":"[1"}}}"#
        let signed = calls.replacingOccurrences(
            of: #""args":{}}"#, with: #""args":{}},"thoughtSignature":"skip_thought_signature_validator""#)
        let results =
            #"{"functionResponse":{"name":"f","response":{"output":""}}},{"functionResponse":{"name":"g","response":{"x":1}}}"#
        func expected(_ last: String) -> String {
            #"{"contents":[{"role":"user","parts":[{"text":"1"}]},{"role":"model","parts":[\#(calls)]},{"role":"user","parts":[\#(results),{"text":"2"}]},{"role":"model","parts":[\#(last)]},{"role":"user","parts":[\#(results)]}]}"#
        }
        let (body, report) = try encoded(history)
        #expect(isSame(body, expected(signed)), "only in the turn that is checked: \(body)")
        #expect(report.adapted.count == 2)
        #expect(isSame(try encoded(history, .budget).body, expected(calls)), "2.5 does not ask for it")
    }

    @Test func `return the names and the signatures that Gemini gave`() throws {
        let history =
            #""messages":[{"role":"user","content":"?"},{"role":"assistant","content":"So.","reasoning_content":"hm","reasoning_details":[{"type":"reasoning.encrypted","data":"c2ln","format":"google-gemini-v1","index":0},{"type":"reasoning.encrypted","data":"xx","format":"anthropic-claude-v1"}],"tool_calls":[{"id":"fn-7","type":"function","function":{"name":"f","arguments":"{}"},"extra_content":{"google":{"thought_signature":"cQ=="}}}]},{"role":"tool","tool_call_id":"fn-7","content":[{"type":"text","text":"o"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}},{"type":"text","text":"k"}]}]"#
        let expected =
            #"{"contents":[{"role":"user","parts":[{"text":"?"}]},{"role":"model","parts":[{"text":"So."},{"text":"","thoughtSignature":"c2ln"},{"functionCall":{"id":"fn-7","name":"f","args":{}},"thoughtSignature":"cQ=="}]},{"role":"user","parts":[{"functionResponse":{"id":"fn-7","name":"f","response":{"output":"ok"},"parts":[{"inlineData":{"mimeType":"image/png","data":"AA=="}}]}}]}]}"#
        let (body, _) = try encoded(history)
        #expect(isSame(body, expected), "\(body)")
        #expect(try encoded(history, .budget).report.lost == ["messages[2].content[1]"])
    }

    @Test(arguments: [
        (#"[{"role":"system","content":"S"}]"#, #""contents":[{"role":"user","parts":[{"text":"S"}]}]"#),
        (#"[]"#, #""contents":[{"role":"user","parts":[{"text":" "}]}]"#),
        (
            #"[{"role":"assistant","content":"A"},{"role":"user","content":[{"type":"text","text":"B"}]},{"role":"user","content":"C"},{"role":"developer","content":"D"}]"#,
            #""contents":[{"role":"user","parts":[{"text":" "}]},{"role":"model","parts":[{"text":"A"}]},{"role":"user","parts":[{"text":"B"},{"text":"C"}]}],"systemInstruction":{"parts":[{"text":"D"}]}"#
        ),
        (
            #"[{"role":"user","content":""},{"role":"assistant","content":null,"refusal":"No"}]"#,
            #""contents":[{"role":"user","parts":[{"text":" "}]},{"role":"model","parts":[{"text":"No"}]}]"#
        ),
    ])
    func `have the roles in the order that Gemini insists on`(messages: String, expected: String) throws {
        let (body, _) = try encoded(#""messages":\#(messages)"#)
        #expect(isSame(body, "{\(expected)}"), "\(body)")
    }

    @Test func `say what they had to leave out`() throws {
        let lossy =
            hello
            + #","user":"u","seed":99999999999,"logprobs":true,"top_logprobs":2,"store":false,"metadata":{},"logit_bias":{},"presence_penalty":2,"frequency_penalty":-2,"parallel_tool_calls":true,"stop":["1","2","3","4","5","6"],"service_tier":"auto","verbosity":"low","unknown":{"a":1},"n":1,"stream_options":{"include_usage":true},"labels":{"a":"b"}"#
        let (body, report) = try encoded(lossy)
        #expect(
            report.lost.sorted() == [
                "labels", "logprobs", "seed", "stop[5]", "top_logprobs", "unknown", "user", "verbosity",
            ],
            "\(report.lost)")
        #expect(report.adapted == ["presence_penalty: 1.999"])
        let config =
            #""generationConfig":{"presencePenalty":1.999,"frequencyPenalty":-2,"stopSequences":["1","2","3","4","5"]}"#
        #expect(isSame(body, "{\(contents),\(config)}"), "\(body)")
    }

    @Test func `pass on what is Gemini's own`() throws {
        let own =
            hello
            + #","top_k":5,"safety_settings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"OFF"}],"cachedContent":"cachedContents/1","reasoning_effort":"low","extra_body":{"google":{"thinking_config":{"thinkingBudget":7},"media_resolution":"MEDIA_RESOLUTION_LOW"}},"generationConfig":{"temperature":0.1},"temperature":0.9,"service_tier":"default","web_search_options":{},"modalities":["text","image"],"tools":[{"codeExecution":{}}]"#
        let expected =
            #"{\#(contents),"safetySettings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"OFF"}],"cachedContent":"cachedContents/1","serviceTier":"standard","tools":[{"codeExecution":{}},{"googleSearch":{}}],"generationConfig":{"topK":5,"thinkingConfig":{"thinkingBudget":7},"mediaResolution":"MEDIA_RESOLUTION_LOW","temperature":0.1,"responseModalities":["TEXT","IMAGE"]}}"#
        let (body, report) = try encoded(own)
        #expect(isSame(body, expected), "\(body)")
        #expect(report.lost.isEmpty, "\(report.lost)")
        let vertex = try encoded(hello + #","labels":{"a":"b"}"#, .effort, GeminiDialect(.vertex))
        #expect(isSame(vertex.body, #"{\#(contents),"labels":{"a":"b"}}"#), "\(vertex.body)")
    }

    @Test(arguments: [
        ("none", Capabilities.Reasoning.budget, "gemini-2.5-flash", #"{"thinkingBudget":0}"#),
        ("none", .budget, "gemini-2.5-pro", #"{"thinkingBudget":128}"#),
        ("medium", .budget, "gemini-2.5-pro", #"{"thinkingBudget":8192,"includeThoughts":true}"#),
        ("minimal", .effort, "gemini-3-flash", #"{"thinkingLevel":"MINIMAL","includeThoughts":true}"#),
        ("minimal", .effort, "gemini-3-pro", #"{"thinkingLevel":"LOW","includeThoughts":true}"#),
        ("none", .effort, "gemini-3-pro", #"{"thinkingLevel":"LOW"}"#),
        ("xhigh", .effort, "gemini-3-pro", #"{"thinkingLevel":"HIGH","includeThoughts":true}"#),
    ])
    func `ask for thinking in the model's way`(
        effort: String, style: Capabilities.Reasoning, model: String, expected: String
    ) throws {
        let (body, report) = try encoded(hello + #","reasoning_effort":"\#(effort)""#, style, model: model)
        #expect(isSame(body, #"{\#(contents),"generationConfig":{"thinkingConfig":\#(expected)}}"#), "\(body)")
        #expect(report.lost.isEmpty)
        #expect(
            try encoded(hello + #","reasoning_effort":"\#(effort)""#, .none).report.lost
                == (effort == "none" ? [] : ["reasoning_effort"]))
    }

    @Test(arguments: [
        (#""none""#, #"{"mode":"NONE"}"#), (#""required""#, #"{"mode":"ANY"}"#),
        (
            #"{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[{"type":"function","function":{"name":"f"}}]}}"#,
            #"{"mode":"VALIDATED","allowedFunctionNames":["f"]}"#
        ),
        (
            #"{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"f"}}]}}"#,
            #"{"mode":"ANY","allowedFunctionNames":["f"]}"#
        ),
    ])
    func `choose among tools`(choice: String, expected: String) throws {
        let tools =
            #","tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":{"type":"object","properties":{}}}}],"tool_choice":\#(choice)"#
        let (body, report) = try encoded(hello + tools)
        #expect(
            isSame(
                body,
                #"{\#(contents),"tools":[{"functionDeclarations":[{"name":"f"}]}],"toolConfig":{"functionCallingConfig":\#(expected)}}"#
            ),
            "\(body)")
        #expect(report.lost == ["tools[0].function.strict"])
    }

    @Test(arguments: [
        (
            ##"{"$ref":"#/$defs/a"}"##,
            #"{"type":"OBJECT","properties":{"k":{"type":"STRING","enum":["v"]}},"required":["k"]}"#
        ),
        (
            ##"{"description":"d","allOf":[{"$ref":"#/$defs/a"}]}"##,
            #"{"description":"d","type":"OBJECT","properties":{"k":{"type":"STRING","enum":["v"]}},"required":["k"]}"#
        ),
        (
            #"{"anyOf":[{"type":"integer"},{"type":"null"}],"description":"n"}"#,
            #"{"type":"INTEGER","nullable":true,"description":"n"}"#
        ),
        (
            #"{"oneOf":[{"type":"integer"},{"type":"string"},{"type":"null"}]}"#,
            #"{"anyOf":[{"type":"INTEGER"},{"type":"STRING"}],"nullable":true}"#
        ),
        (#"{"type":["number","boolean"]}"#, #"{"anyOf":[{"type":"NUMBER"},{"type":"BOOLEAN"}]}"#),
        (
            #"{"type":"array","items":{"type":"string","format":"date-time"},"minItems":1}"#,
            #"{"type":"ARRAY","items":{"type":"STRING","format":"date-time"},"minItems":1}"#
        ),
        (
            #"{"type":"object","additionalProperties":false,"properties":{},"title":"T"}"#,
            #"{"type":"OBJECT","title":"T"}"#
        ),
    ])
    func `put schemas into the subset`(schema: String, expected: String) throws {
        let defs = #""$defs":{"a":{"type":"object","properties":{"k":{"const":"v"}},"required":["k","gone"]}}"#
        let (body, report) = try encoded(
            hello
                + #","tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"p":\#(schema)},\#(defs)}}}]"#
        )
        #expect(
            isSame(
                body,
                #"{\#(contents),"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","properties":{"p":\#(expected)}}}]}]}"#
            ),
            "\(body)")
        #expect(report.adapted.isEmpty)
    }

    @Test(arguments: [
        ##"{"$ref":"#"}"##, #"{"not":{}}"#, #"{"enum":[1,2]}"#, #"{}"#, #"true"#, #"{"type":"array"}"#,
        #"{"type":"string","format":"uri"}"#,
        ##"{"$ref":"#/properties/p"}"##, #"{"type":"object","additionalProperties":{"type":"string"}}"#,
    ])
    func `give what the subset cannot say as JSON Schema, or simplified`(schema: String) throws {
        let parameters = #"{"type":"object","properties":{"p":\#(schema)}}"#
        let tools = #","tools":[{"type":"function","function":{"name":"f","parameters":\#(parameters)}}]"#
        let (body, report) = try encoded(hello + tools)
        #expect(body.contains(#""parametersJsonSchema":\#(parameters)"#), "\(body)")
        #expect(report.adapted.isEmpty)
        let old = try encoded(hello + tools, .none)
        #expect(
            JSONSerialization.isValid(old.body) && old.body.contains(#""parameters":{"type":"OBJECT""#), "\(old.body)")
        #expect(old.report.adapted == ["tools[0].function.parameters: simplified"])
    }

    @Test func `are not blown up by references`() throws {
        var defs = ""
        for level in 0..<40 {
            defs +=
                ##""d\##(level)":{"anyOf":[{"$ref":"#/$defs/d\##(level + 1)"},{"$ref":"#/$defs/d\##(level + 1)"}]},"##
        }
        let tools =
            ##","tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"p":{"$ref":"#/$defs/d0"}},"$defs":{\##(defs)"d40":{"type":"string"}}}}}]"##
        let (body, _) = try encoded(hello + tools, .none)
        #expect(JSONSerialization.isValid(body) && body.utf8.count < 2_000_000)
    }

    @Test(arguments: [
        (#""n":2"#, "n"),
        (#""messages":[{"role":"tool","tool_call_id":"x","content":"y"}]"#, "messages[0].tool_call_id"),
        (#""messages":[{"role":"robot","content":"y"}]"#, "messages[0].role"),
        (
            #""messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"ftp://x"}}]}]"#,
            "messages[0].content[0]"
        ),
        (
            #""messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"file-1"}}]}]"#,
            "messages[0].content[0].file.file_id"
        ),
        (
            #""messages":[{"role":"assistant","tool_calls":[{"id":"1","type":"custom","custom":{"name":"x"}}]}]"#,
            "messages[0].tool_calls[0]"
        ),
    ])
    func `that cannot be said are refused with the field`(members: String, param: String) throws {
        let members = members.contains("messages") ? members : hello + "," + members
        let refusal = try #require(throws: EncodingRefusal.self) { try encoded(members) }
        #expect(refusal.param == param)
    }

    @Test(arguments: [
        ("gemini-2.5-flash", GeminiDialect.Flavour.gemini, "/models/gemini-2.5-flash:generateContent"),
        ("models/gemini x", .gemini, "/models/gemini%20x:generateContent"),
        ("tunedModels/a", .gemini, "/tunedModels/a:generateContent"),
        ("gemini-3-pro", .vertex, "/publishers/google/models/gemini-3-pro:generateContent"),
        ("../../x?y#z", .gemini, "/models/x%3Fy%23z:generateContent"),
    ])
    func `go to the model's path`(model: String, flavour: GeminiDialect.Flavour, expected: String) throws {
        for isStream in [false, true] {
            let bytes = ByteBuffer("{}")
            let tape = JSONTape()
            try tape.scan(bytes.span)
            let target = GeminiDialect(flavour).chatTarget(
                ChatRequest(tape.root(over: bytes.span), model: model, isStream: isStream))
            #expect(
                target
                    == (isStream
                        ? expected.replacingOccurrences(of: ":generate", with: ":streamGenerate") + "?alt=sse"
                        : expected))
        }
    }

    @Test func `survive anything that is JSON`() throws {
        let goldens = try ["G1", "G3", "G5", "G6", "G7"].map { try Golden.text("Gemini/\($0).oai-chat-req.json") }
        for seed in SplitMix64.seeds(1500) {
            var random = SplitMix64(seed)
            let text = String(decoding: Transcoder.mutated(goldens[Int(random.next() % 5)], &random), as: UTF8.self)
            let style = Capabilities.Reasoning.allCases[Int(random.next() % 4)]
            guard let encoded = try? Transcoder.request(text, to: dialect, capabilities(style)) else { continue }
            #expect(JSONSerialization.isValid(encoded.body), "seed \(seed): \(encoded.body)")
        }
    }
}

extension JSONSerialization {
    static func isValid(_ text: String) -> Bool {
        (try? jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)) != nil
    }
}
