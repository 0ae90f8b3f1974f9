import Foundation
import SluiceCore
import SluiceHTTP
import SluiceJSON
import SluiceProviders
import TestSupport
import Testing

@Suite struct `Replies of Gemini` {
    private let dialect = GeminiDialect()

    private func chat(_ assembly: ReplyAssembly) -> String {
        let body = ByteBuffer()
        var identity = Transcoder.identity
        ChatReplyBody.write(assembly, &identity, into: body)
        return body.text
    }

    @Test(arguments: ["G1", "G3", "G5", "G8", "G8-2", "G8-3"])
    func `are those of the sheet as chat completions`(name: String) throws {
        let body = chat(try Transcoder.whole(try Golden.text("Gemini/\(name).gemini-resp.json"), from: dialect))
        #expect(isSame(body, try Golden.text("Gemini/\(name).oai-chat-resp.json")), "\(body)")
    }

    @Test func `have calls as the sheet says, however they are indented`() throws {
        let compact = try Golden.text("Gemini/G6.gemini-resp.json")
        let object = try JSONSerialization.jsonObject(with: Data(compact.utf8))
        let indented = String(
            decoding: try JSONSerialization.data(withJSONObject: object, options: .prettyPrinted), as: UTF8.self)
        for reply in [compact, indented] {
            let assembly = try Transcoder.whole(reply, from: dialect)
            #expect(
                assembly.calls.map(\.name) == ["report"] && assembly.calls[0].arguments.text == #"{\"s\":\"a cat\"}"#)
            #expect(assembly.calls[0].id == nil && assembly.finishReason == .toolCalls && assembly.text == nil)
            #expect(assembly.usage?.inputTokens == 900 && assembly.usage?.totalTokens == 908)
        }
    }

    @Test func `are the first candidate's`() throws {
        let assembly = try Transcoder.whole(try Golden.text("Gemini/G7.gemini-resp.json"), from: dialect)
        #expect(assembly.text?.text == "A" && assembly.finishReason == .length)
    }

    @Test(arguments: ["G2", "G4"])
    func `are those of the sheet as streams, however they are cut`(name: String) throws {
        let stream = try Golden.text("Gemini/\(name).gemini-stream.txt")
        var expected = FoldedChat(try Golden.text("Gemini/\(name).oai-chat-stream.txt"))
        if name == "G2" {
            let detail: [String: Any] = [
                "type": "reasoning.encrypted", "data": "RzJzaWduYXR1cmU=", "format": "google-gemini-v1", "index": 0,
            ]
            expected.details = [detail as NSObject]
        }
        for seed in SplitMix64.seeds(60) {
            var random = SplitMix64(seed)
            let writer = ChatStreamWriter(Transcoder.identity, showsUsage: name == "G2")
            #expect(try Transcoder.stream(Transcoder.pieces(stream, &random), from: dialect, into: writer))
            writer.finishStream()
            #expect(FoldedChat(writer.output.text) == expected, "seed \(seed): \(writer.output.text)")
        }
    }

    private func event(_ parts: String, _ rest: String = "") -> String {
        "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[\(parts)]}\(rest),\"index\":0}]}\r\n\r\n"
    }

    @Test func `pass on every kind of part`() throws {
        let stream =
            event(#"{"text":"Hm","thought":true}"#)
            + event(#"{"text":"a"},{"text":"\u00e9\n","thoughtSignature":"s1"}"#)
            + event(
                #"{"functionCall":{"id":"fn1","name":"f"},"thoughtSignature":"s2"},{"functionCall":{"name":"g","args":{"x":[1, 2]}}}"#
            )
            + event(
                #"{"inlineData":{"mimeType":"image/png","data":"AA=="}},{"executableCode":{"language":"PYTHON","code":"1"}}"#
            )
            + event("", #","finishReason":"STOP""#)
        let writer = ChatStreamWriter(Transcoder.identity, showsUsage: false)
        #expect(try Transcoder.stream([Array(stream.utf8)], from: dialect, into: writer))
        writer.finishStream()
        let found = FoldedChat(writer.output.text)
        #expect(found.content == "aé\n\n```python\n1\n```\n" && found.reasoning == "Hm", "\(found)")
        #expect(found.calls.map(\.name) == ["f", "g"] && found.calls.map(\.arguments) == ["{}", #"{"x":[1,2]}"#])
        #expect(found.calls.map(\.signature) == ["s2", ""] && found.details.count == 1)
        #expect(found.images == ["data:image/png;base64,AA=="] && found.finish == "tool_calls" && found.isDone)
        #expect(writer.output.text.contains(#""id":"fn1""#))
    }

    @Test(arguments: [
        "", "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]}\n\n",
        "data: {\"usageMetadata\":{}}\n\n",
    ])
    func `that end without a finish were cut`(stream: String) throws {
        let writer = ChatStreamWriter(Transcoder.identity, showsUsage: false)
        #expect(try !Transcoder.stream([Array(stream.utf8)], from: dialect, into: writer))
        #expect(writer.fault == nil)
    }

    @Test func `are faults where the model's answer is of no use`() throws {
        let bad = #"{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL","finishMessage":"print(f())"}]}"#
        let fault = try #require(try Transcoder.whole(bad, from: dialect).fault)
        #expect(
            fault.status == 502 && fault.isRetryable && fault.code == "malformed_function_call"
                && fault.message.contains("print(f())"))
        let some = #"{"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"MALFORMED_FUNCTION_CALL"}]}"#
        #expect(try Transcoder.whole(some, from: dialect).fault == nil)
        #expect(try Transcoder.whole("{}", from: dialect).fault?.status == 502)
        #expect(
            try Transcoder.whole(#"[{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}]"#, from: dialect)
                .fault?.status == 503)
    }

    // MARK: Errors

    private func fault(_ status: Status, _ body: String) throws -> ProviderFault {
        let bytes = ByteBuffer(body)
        let tape = JSONTape()
        guard (try? tape.scan(bytes.span)) != nil else {
            return dialect.fault(ResponseHead(status), nil, text: bytes.span)
        }
        return dialect.fault(ResponseHead(status), tape.root(over: bytes.span), text: bytes.span)
    }

    private let invalidKey =
        #"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}"#

    @Test func `that are errors are read in Google's words`() throws {
        let key = try fault(400, invalidKey)
        #expect(
            key.status == 401 && key.code == "invalid_api_key" && key.type == "invalid_request_error"
                && key.key == .refused && !key.isRetryable)
        let quota = try fault(429, try Golden.text("Gemini/G9.gemini-error.json"))
        #expect(
            quota.status == 429 && quota.type == "requests" && quota.code == "rate_limit_exceeded"
                && quota.retryAfter == .seconds(37))
        #expect(quota.isRetryable && quota.key == .fine)
        let daily = try fault(
            429,
            try Golden.text("Gemini/G9.gemini-error.json").replacingOccurrences(of: "PerMinute", with: "PerDay")
                .replacingOccurrences(
                    of: "37s", with: "1.5s"))
        #expect(
            daily.code == "insufficient_quota" && daily.key == .exhausted && !daily.isRetryable
                && daily.retryAfter == .milliseconds(1500))
        let overloaded = try fault(503, try Golden.text("Gemini/G9-2.gemini-error.json"))
        #expect(
            overloaded.status == 503 && overloaded.type == "service_unavailable_error"
                && overloaded.code == "server_is_overloaded")
    }

    @Test(arguments: [
        (
            "INVALID_ARGUMENT", "The input token count (5) exceeds the maximum number of tokens allowed (1).", 400,
            "context_length_exceeded"
        ),
        ("INVALID_ARGUMENT", "Unknown name", 400, "invalid_argument"), ("UNAUTHENTICATED", "x", 401, "invalid_api_key"),
        ("PERMISSION_DENIED", "x", 403, "permission_denied"), ("NOT_FOUND", "x", 404, "model_not_found"),
        ("INTERNAL", "x", 500, "internal_error"), ("DEADLINE_EXCEEDED", "x", 504, "timeout"),
        ("NEW_ONE", "x", 418, "new_one"),
    ])
    func `that are errors have a status and a code`(status: String, message: String, code: Int, expected: String) throws
    {
        let found = try fault(418, #"{"error":{"message":"\#(message)","status":"\#(status)"}}"#)
        #expect(Int(found.status.code) == code && found.code == expected && found.message == message)
    }

    @Test(arguments: [
        "<html>", "[]", "{}", #"{"error":"x"}"#,
        #"{"error":{"code":"x","details":[1,{"retryDelay":{"seconds":"a"}},{"violations":3}]}}"#, "",
    ])
    func `that are errors in other words are errors too`(body: String) throws {
        let found = try fault(502, body)
        #expect(found.status == 502 && found.code == "upstream_error" && found.isRetryable)
    }

    @Test func `that are damaged trap nowhere`() throws {
        let streams = try ["G2", "G4"].map { try Golden.text("Gemini/\($0).gemini-stream.txt") }
        let wholes = try ["G1", "G6", "G7", "G8-2"].map { try Golden.text("Gemini/\($0).gemini-resp.json") }
        for seed in SplitMix64.seeds(1500) {
            var random = SplitMix64(seed)
            let writer = ChatStreamWriter(Transcoder.identity, showsUsage: true)
            let text = String(decoding: Transcoder.mutated(streams[Int(random.next() % 2)], &random), as: UTF8.self)
            try Transcoder.stream(Transcoder.pieces(text, &random), from: dialect, into: writer)
            writer.finishStream()
            let whole = String(decoding: Transcoder.mutated(wholes[Int(random.next() % 4)], &random), as: UTF8.self)
            if let reply = try? Transcoder.whole(whole, from: dialect) {
                #expect(JSONSerialization.isValid(chat(reply)), "seed \(seed)")
            }
            _ = try fault(400, String(decoding: Transcoder.mutated(invalidKey, &random), as: UTF8.self))
        }
    }
}

@Suite struct `Embeddings of Gemini` {
    private let dialect = GeminiEmbeddings()

    private func encoded(_ members: String) throws -> (body: String, lost: [String]) {
        let bytes = ByteBuffer("{\"model\":\"m\",\(members)}")
        let tape = JSONTape()
        try tape.scan(bytes.span)
        let body = ByteBuffer()
        var report = FieldReport()
        try dialect.encode(tape.root(over: bytes.span), model: "m", into: body, &report)
        return (body.text, report.lost)
    }

    @Test func `are asked for all at once`() throws {
        #expect(dialect.target(model: "e-1") == "/models/e-1:batchEmbedContents")
        let (body, lost) = try encoded(
            #""input":["a","b"],"dimensions":2,"user":"u","task_type":"RETRIEVAL_QUERY","encoding_format":"base64""#)
        func request(_ text: String) -> String {
            #"{"model":"models/m","content":{"parts":[{"text":"\#(text)"}]},"outputDimensionality":2,"taskType":"RETRIEVAL_QUERY"}"#
        }
        #expect(isSame(body, #"{"requests":[\#(request("a")),\#(request("b"))]}"#), "\(body)")
        #expect(lost == ["user"])
        #expect(
            isSame(
                try encoded(#""input":"a""#).body,
                #"{"requests":[{"model":"models/m","content":{"parts":[{"text":"a"}]}}]}"#))
    }

    @Test(arguments: [
        (#""input":[1,2]"#, "input"), (#""input":[[1]]"#, "input"), (#""input":[]"#, "input"), (#""x":1"#, "input"),
        (#""input":7"#, "input"),
        (#""input":"a","dimensions":-1"#, "dimensions"), (#""input":"a","encoding_format":"int8""#, "encoding_format"),
    ])
    func `of tokens and of nonsense are refused`(members: String, param: String) throws {
        let refusal = try #require(throws: EncodingRefusal.self) { try encoded(members) }
        #expect(refusal.param == param)
    }

    private func decoded(_ reply: String, asBase64: Bool, estimate: Usage = Usage()) throws -> String? {
        let bytes = ByteBuffer(reply)
        let tape = JSONTape()
        try tape.scan(bytes.span)
        let body = ByteBuffer()
        guard dialect.decode(tape.root(over: bytes.span), model: "m", asBase64: asBase64, estimate: estimate, into: body)
                != nil
        else {
            return nil
        }
        return body.text
    }

    @Test func `whose cost Google does not say are estimated`() throws {
        let reply = try #require(
            try decoded(
                #"{"embeddings":[{"values":[0.6,0.8]}]}"#, asBase64: false,
                estimate: .estimate(requestByteCount: 40, textByteCount: 0)))
        #expect(reply.contains(#""usage":{"prompt_tokens":10,"total_tokens":10}"#), "\(reply)")
    }

    @Test func `come back as OpenAI's, of length 1, as numbers or as base64`() throws {
        let reply =
            #"{"embeddings":[{"values":[0.6,0.8]},{"values":[3,4]}],"usageMetadata":{"promptTokenCount":5,"totalTokenCount":5}}"#
        let floats = try #require(try decoded(reply, asBase64: false))
        let expected =
            #"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.6,0.8]},{"object":"embedding","index":1,"embedding":[0.6000000000000001,0.8]}],"model":"m","usage":{"prompt_tokens":5,"total_tokens":5}}"#
        #expect(isSame(floats, expected), "\(floats)")
        let base64 = try #require(try decoded(reply, asBase64: true))
        #expect(base64.components(separatedBy: #""embedding":"mpkZP83MTD8=""#).count == 3, "\(base64)")
        for bad in [#"{}"#, #"{"embeddings":[{}]}"#, #"{"embeddings":[{"values":["x"]}]}"#, #"{"embeddings":7}"#] {
            #expect(try decoded(bad, asBase64: false) == nil)
        }
    }
}
