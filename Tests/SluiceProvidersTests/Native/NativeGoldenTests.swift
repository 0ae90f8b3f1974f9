import SluiceCore
import SluiceHTTP
import SluiceProviders
import TestSupport
import Testing

/// The pairs of the sheets on Baidu, Alibaba, Tencent and iFlytek.
@Suite struct `Golden pairs of the native dialects` {
    @Test(arguments: [
        (NativeDialect.ernie, "G1"), (.ernie, "G3"), (.dashScope, "G3"), (.hunyuan, "G1"), (.hunyuan, "G3"),
        (.spark, "G4"),
    ])
    func `a request is sent as the sheet says`(dialect: NativeDialect, name: String) throws {
        let (body, _) = try dialect.sent(try dialect.golden("\(name).request.json"))
        #expect(isSame(body, try dialect.golden("\(name).sent.json")), "\(body)")
    }

    @Test(arguments: [
        (NativeDialect.ernie, "G1"), (.ernie, "G3"), (.dashScope, "G3"), (.dashScope, "G6"), (.hunyuan, "G1"),
        (.hunyuan, "G3"),
    ])
    func `a reply is told as the sheet says`(dialect: NativeDialect, name: String) throws {
        let (text, fault) = try dialect.completion(try dialect.golden("\(name).reply.json"))
        #expect(fault == nil)
        #expect(ToldChat(text) == ToldChat(try dialect.golden("\(name).completion.json")), "\(text)")
    }

    @Test func `frames make a whole reply too`() throws {
        let assembly = ReplyAssembly()
        let frames = NativeDialect.spark.wire(try NativeDialect.spark.golden("G4.frames.txt"))
        #expect(try NativeDialect.spark.play([frames], into: assembly))
        var identity = Transcoder.identity
        let buffer = ByteBuffer()
        ChatReplyBody.write(assembly, &identity, into: buffer)
        #expect(
            ToldChat(buffer.text) == ToldChat(try NativeDialect.spark.golden("G4.completion.json")), "\(buffer.text)")
    }

    @Test(arguments: [
        (NativeDialect.ernie, "G2", "stream"), (.dashScope, "G4", "stream"), (.hunyuan, "G2", "stream"),
        (.spark, "G5", "frames"),
    ])
    func `a stream is told as the sheet says`(dialect: NativeDialect, name: String, kind: String) throws {
        let (text, fault, isComplete) = try dialect.told("\(name).\(kind).txt")
        var expected = ToldChat(try dialect.golden("\(name).chunks.txt"))
        let told = ToldChat(text)
        // The sheet's caller did not ask for the usage there.
        if dialect == .spark { expected.usage = told.usage }
        #expect(fault == nil && isComplete)
        #expect(told == expected, "\(text)")
        #expect(text.hasSuffix("data: [DONE]\n\n"))
    }

    @Test(arguments: [
        (NativeDialect.ernie, "G4", 401), (.ernie, "G5", 400), (.hunyuan, "G4", 429),
    ])
    func `an error in a reply with status 200 is one`(dialect: NativeDialect, name: String, status: UInt16) throws {
        let fault = try #require(try dialect.completion(try dialect.golden("\(name).reply.json")).fault)
        #expect(fault.status.code == status)
        #expect(isSame(fault.told, try dialect.golden("\(name).error.json")), "\(fault)")
        #expect(try dialect.fault(500, try dialect.golden("\(name).reply.json")) == fault, "whatever HTTP says")
    }

    @Test(arguments: [
        (NativeDialect.dashScope, "G5.stream.txt", "G5", 400), (.hunyuan, "G5.stream.txt", "G5", 504),
        (.spark, "G6.frames.txt", "G6", 429), (.spark, "G8.frames.txt", "G8", 503),
    ])
    func `an error in a stream is one`(dialect: NativeDialect, transcript: String, name: String, status: UInt16) throws
    {
        let fault = try #require(try dialect.told(transcript).fault)
        #expect(fault.status.code == status)
        #expect(isSame(fault.told, try dialect.golden("\(name).error.json")), "\(fault)")
    }

    @Test(arguments: [(NativeDialect.dashScope, "G7", 400), (.dashScope, "G8", 429), (.spark, "G7", 401)])
    func `an error's reply is told as the sheet says`(dialect: NativeDialect, name: String, status: UInt16) throws {
        let fault = try dialect.fault(Status(status), try dialect.golden("\(name).reply.json"))
        #expect(fault.status.code == status)
        #expect(isSame(fault.told, try dialect.golden("\(name).error.json")), "\(fault)")
    }

    @Test(arguments: [
        (NativeDialect.ernie, "tool.stream.txt", "Let me look. ", "", 1),
        (.dashScope, "tools.stream.txt", "Let me look.", "Two \"places\".", 2),
        (.dashScope, "cumulative-tools.stream.txt", "Let me look.", "Two \"places\".", 2),
        (.hunyuan, "tools.stream.txt", "Let me look.", "Two \"places\".", 2),
        (.spark, "tool.frames.txt", "Let me look.", "One place.", 1),
    ])
    func `text, thinking and calls come together`(
        dialect: NativeDialect, transcript: String, content: String, reasoning: String, callCount: Int
    ) throws {
        let told = ToldChat(try dialect.told(transcript).text)
        #expect(told.content == content && told.reasoning == reasoning && told.finish == "tool_calls")
        #expect(told.calls.count == callCount)
        #expect(told.calls.last == ToldChat.Call(name: "now", arguments: "{}"), "a call without arguments")
        if callCount == 2 {
            #expect(told.calls.first == ToldChat.Call(name: "get_weather", arguments: #"{"city": "Oslo"}"#))
            #expect(told.usage["cached"] == 5 && told.usage["total_tokens"] == 22)
        }
    }

    // MARK: However the bytes come

    @Test(arguments: NativeDialect.allCases)
    func `how a stream is cut does not change what is told`(dialect: NativeDialect) throws {
        for name in dialect.transcripts {
            let bytes = dialect.wire(try dialect.golden(name))
            let expected = try dialect.told(name)
            func check(_ pieces: [[UInt8]], _ how: String) throws {
                let writer = ChatStreamWriter(Transcoder.identity, showsUsage: true)
                let isComplete = try dialect.play(pieces, into: writer)
                if isComplete, writer.fault == nil { writer.finishStream() }
                #expect(writer.output.text == expected.text && writer.fault == expected.fault, "\(name) \(how)")
            }
            try check(bytes.map { [$0] }, "byte by byte")
            for seed in SplitMix64.seeds(40) {
                var random = SplitMix64(seed)
                var pieces: [[UInt8]] = []
                var rest = bytes[...]
                while !rest.isEmpty {
                    let count = 1 + Int(random.next() % 90)
                    pieces.append(Array(rest.prefix(count)))
                    rest = rest.dropFirst(count)
                }
                try check(pieces, "seed \(seed)")
            }
        }
    }

    @Test(arguments: NativeDialect.allCases)
    func `a stream that is cut is not taken for a whole one`(dialect: NativeDialect) throws {
        for name in dialect.transcripts where !(try dialect.golden(name)).contains("rror") && name != "G5.frames.txt" {
            let transcript = try dialect.golden(name)
            let separator = dialect == .spark ? "\n" : "\n\n"
            let all = transcript.split(separator: separator).map { $0 + separator }
            let cut = dialect.wire(all.dropLast().joined())
            let writer = ChatStreamWriter(Transcoder.identity, showsUsage: true)
            #expect(try !dialect.play([cut], into: writer), "\(name)")
            #expect(writer.fault == nil, "\(name): what was told stays")
        }
    }

    @Test(arguments: NativeDialect.allCases)
    func `whatever a provider sends, nothing breaks`(dialect: NativeDialect) throws {
        for name in dialect.transcripts {
            let transcript = try dialect.golden(name)
            for seed in SplitMix64.seeds(150) {
                var random = SplitMix64(seed)
                let text = String(decoding: Transcoder.mutated(transcript, &random), as: UTF8.self)
                let writer = ChatStreamWriter(Transcoder.identity, showsUsage: true)
                if (try? dialect.play([dialect.wire(text)], into: writer)) == true, writer.fault == nil {
                    writer.finishStream()
                }
                let assembly = ReplyAssembly()
                _ = try? dialect.play([dialect.wire(text)], into: assembly)
            }
        }
        for document in Self.documents {
            _ = try? dialect.completion(document)
            _ = try? dialect.play(
                [dialect.wire(dialect == .spark ? document : "data: \(document)\n\n")], into: ReplyAssembly())
            _ = try dialect.fault(500, document)
        }
    }

    /// Members that are there, and are not what they should be.
    static let documents = [
        "null", "[]", "7", #""x""#, #"{"output":7}"#, #"{"output":{"choices":[7]}}"#,
        #"{"output":{"choices":[{"message":7,"finish_reason":7}]}}"#,
        #"{"output":{"choices":[{"message":{"content":[7,{"text":7}],"tool_calls":[7,{"function":7},{"function":{"name":7,"arguments":7}}]}}]}}"#,
        #"{"code":7,"message":7}"#, #"{"code":"","message":null}"#, #"{"error_code":"x"}"#,
        #"{"error_code":9223372036854775807}"#,
        #"{"error_code":1e400}"#, #"{"result":7,"function_call":7,"usage":7,"is_end":7}"#,
        #"{"function_call":{"name":{},"arguments":[]}}"#,
        #"{"usage":{"prompt_tokens":-9223372036854775808,"completion_tokens":9223372036854775807,"total_tokens":9223372036854775807},"is_end":true,"result":""}"#,
        #"{"Response":7}"#, #"{"Response":{"Error":7}}"#, #"{"Response":{"Error":{"Code":7}}}"#, #"{"ErrorMsg":7}"#,
        #"{"ErrorMsg":{}}"#,
        #"{"Choices":[{"Delta":{"ToolCalls":[{"Index":-1,"Function":{"Name":"f","Arguments":{}}},{"Index":-1,"Function":{"Name":"f"}}]},"FinishReason":7}]}"#,
        #"{"header":7}"#, #"{"header":{"code":0,"status":2},"payload":7}"#, #"{"header":{"code":"10110"}}"#,
        #"{"header":{"code":0,"status":0},"payload":{"choices":{"text":[7,{"content":7,"function_call":{"name":7}}]},"usage":{"text":7}}}"#,
        #"{"error":{"code":7}}"#, #"{"error":"x"}"#,
    ]

    @Test(arguments: NativeDialect.allCases)
    func `whatever an application sends, what is written is JSON`(dialect: NativeDialect) throws {
        for request in NativeRequests.all {
            for seed in SplitMix64.seeds(120) {
                var random = SplitMix64(seed)
                let text = String(decoding: Transcoder.mutated(request, &random), as: UTF8.self)
                guard let (body, _) = try? dialect.sent(text) else { continue }
                #expect(isSame(body, body), "seed \(seed): \(body)")
            }
        }
    }
}

/// Requests with everything in them.
enum NativeRequests {
    static let tools = #"""
        {"model":"4.0Ultra","messages":[{"role":"system","content":"Be brief."},{"role":"user","content":[{"type":"text","text":"Weather?"},{"type":"image_url","image_url":{"url":"https://a.example/b.png"}},{"type":"input_audio","input_audio":{"data":"AA==","format":"wav"}}]},{"role":"assistant","content":"Let me look.","reasoning_content":"Two places.","tool_calls":[{"id":"c1","type":"function","function":{"name":"get_weather","arguments":"{\"city\":\"Oslo\"}"}},{"id":"c2","type":"function","function":{"name":"now","arguments":""}}]},{"role":"tool","tool_call_id":"c2","content":"{\"time\":\"12:00\"}"},{"role":"tool","tool_call_id":"c1","content":"4 C \"rain\""},{"role":"user","content":"So?"}],"tools":[{"type":"function","function":{"name":"get_weather","description":"d","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}},{"type":"function","function":{"name":"now"}},{"type":"custom","custom":{"name":"x"}}],"tool_choice":"required","stream":true}
        """#
    static let sampling = #"""
        {"model":"4.0Ultra","messages":[{"role":"assistant","content":"Hi"},{"role":"user","content":""},{"role":"user","content":"\n "},{"role":"assistant","content":"\u00e9"}],"temperature":1.7,"top_p":0,"max_tokens":100000,"seed":-7,"stop":["END","a stop that is far too long"],"presence_penalty":1,"frequency_penalty":0.5,"n":1,"store":false,"logprobs":true,"user":"somebody-with-a-name-that-is-too-long","response_format":{"type":"json_schema","json_schema":{"name":"s","schema":{}}},"reasoning_effort":"high","parallel_tool_calls":true,"stream_options":{"include_usage":true},"metadata":{"a":"b"},"top_k":3,"disable_search":false,"EnableEnhancement":true,"unheard_of":1}
        """#
    static let all = [tools, sampling]
}
