import SluiceCore
import SluiceJSON
import SluiceProviders
import TestSupport
import Testing

@Suite struct `Chat writing` {
    private static func identity() -> ReplyIdentity {
        ReplyIdentity(requestID: "1", created: 1_700_000_000, model: "m\"1", seed: 1)
    }

    /// The data of the events that a writer has put out; each is checked to be JSON.
    private static func data(_ writer: ChatStreamWriter) throws -> [String] {
        let text = writer.output.text
        #expect(text.hasSuffix("\n\n"))
        return try text.dropLast(2).split(separator: "\n\n").map { event in
            #expect(event.hasPrefix("data: "))
            let data = String(event.dropFirst(6))
            if data != "[DONE]" { try JSONTape().scan(data.utf8Span.span) }
            return data
        }
    }

    private static let head =
        #"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"m\"1","choices":["#

    private static func chunk(_ delta: String, finish: String = "null") -> String {
        head + #"{"index":0,"delta":{\#(delta)},"logprobs":null,"finish_reason":\#(finish)}]"#
    }

    @Test func `a stream names the role first, and says at the end why it ends and what it cost`() throws {
        let writer = ChatStreamWriter(Self.identity(), showsUsage: true)
        #expect(!writer.hasContent)
        writer.text(ReplyText("Hi \"\n😀".utf8Span.span))
        #expect(writer.hasContent)
        writer.usage(Usage(inputTokens: 3, outputTokens: 4))
        writer.finish(.length)
        writer.finishStream()
        #expect(
            try Self.data(writer) == [
                Self.chunk(#""role":"assistant","content":"""#) + #","usage":null}"#,
                Self.chunk(#""content":"Hi \"\n😀""#) + #","usage":null}"#,
                Self.chunk("", finish: #""length""#) + #","usage":null}"#,
                Self.head + #"],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}"#, "[DONE]",
            ])
    }

    @Test func `usage that was not asked for is not shown, and empty text is no chunk`() throws {
        let writer = ChatStreamWriter(Self.identity(), showsUsage: false)
        writer.usage(Usage(inputTokens: 3, outputTokens: 4))
        writer.text(ReplyText("".utf8Span.span))
        writer.finishStream()
        #expect(
            try Self.data(writer) == [
                Self.chunk(#""role":"assistant","content":"""#) + "}", Self.chunk("", finish: #""stop""#) + "}",
                "[DONE]",
            ])
        #expect(writer.usage == Usage(inputTokens: 3, outputTokens: 4))
    }

    @Test func `a call without arguments has an empty object, and a stop after calls means them`() throws {
        let writer = ChatStreamWriter(Self.identity(), showsUsage: false)
        writer.toolCall(0, ToolCallStart(id: ReplyText("c0".utf8Span.span), name: ReplyText("f".utf8Span.span)))
        writer.toolCall(1, ToolCallStart(id: nil, name: ReplyText("g".utf8Span.span)))
        writer.toolArguments(1, ReplyText("{\"a\":1}".utf8Span.span))
        writer.finish(.stop)
        writer.finishStream()
        let reply = try Self.decoded(try Self.data(writer))
        #expect(reply.calls.map(\.name) == ["f", "g"])
        #expect(reply.calls.map(\.arguments.text) == ["{}", #"{\"a\":1}"#])
        #expect(reply.calls[0].id == "c0")
        #expect(reply.calls[1].id?.hasPrefix("call_") == true)
        #expect(reply.finishReason == .toolCalls)
    }

    /// What the decoder of the same dialect makes of chunks.
    private static func decoded(_ data: [String]) throws -> ReplyAssembly {
        let (decoder, reply, tape) = (OpenAIReplyDecoder(), ReplyAssembly(), JSONTape())
        for document in data where document != "[DONE]" {
            let bytes = Array(document.utf8)
            try tape.scan(bytes.span)
            decoder.decode(event: tape.root(over: bytes.span), named: Span(), into: reply)
        }
        #expect(decoder.end(into: reply))
        return reply
    }

    /// Gives the same random reply to each sink.
    private static func tell(_ sinks: [any ReplySink], using random: inout SplitMix64) {
        let words = ["Hello", " world", "\"\\\n\u{1}", "中文😀", "", "</s>"]
        for sink in sinks { sink.begin(id: ReplyText("id-1".utf8Span.span), model: ReplyText("m-2".utf8Span.span)) }
        var calls = 0
        for _ in 0..<Int.random(in: 0...12, using: &random) {
            let word = words.randomElement(using: &random) ?? ""
            let kind = Int.random(in: 0..<5, using: &random)
            for sink in sinks {
                let text = ReplyText(word.utf8Span.span)
                switch kind {
                case 0: sink.text(text)
                case 1: sink.reasoning(text)
                case 2: sink.refusal(text)
                case 3:
                    sink.toolCall(
                        calls,
                        ToolCallStart(id: ReplyText("call-\(calls)".utf8Span.span), name: ReplyText("f".utf8Span.span)))
                default: if calls > 0 { sink.toolArguments(calls - 1, text) }
                }
            }
            if kind == 3 { calls += 1 }
        }
        let usage = Usage(
            inputTokens: Int.random(in: 0...9, using: &random), outputTokens: Int.random(in: 0...9, using: &random))
        for sink in sinks {
            sink.finish(.length)
            sink.usage(usage)
        }
    }

    private static func body(_ reply: ReplyAssembly) throws -> String {
        let buffer = ByteBuffer()
        var identity = identity()
        ChatReplyBody.write(reply, &identity, into: buffer)
        try JSONTape().scan(buffer.span)
        return buffer.text
    }

    @Test func `a reply is the same whether it was written whole or as a stream, and read again or not`() throws {
        for seed in SplitMix64.seeds(300) {
            var random = SplitMix64(seed)
            let (reply, writer) = (ReplyAssembly(), ChatStreamWriter(Self.identity(), showsUsage: true))
            Self.tell([reply, writer], using: &random)
            writer.finishStream()
            // A text that is there and empty has no chunk of its own, and need not be told from one that is not there.
            func plain(_ reply: ReplyAssembly) throws -> String {
                var body = try Self.body(reply).replacing(#""content":null"#, with: #""content":"""#)
                body = body.replacing(#""refusal":"""#, with: #""refusal":null"#)
                return body.replacing(#","reasoning_content":"""#, with: "")
            }
            #expect(try plain(Self.decoded(Self.data(writer))) == plain(reply), "seed \(seed)")
            let bytes = Array(try Self.body(reply).utf8)
            let (again, tape) = (ReplyAssembly(), JSONTape())
            try tape.scan(bytes.span)
            OpenAIReplyDecoder().decode(whole: tape.root(over: bytes.span), into: again)
            #expect(try plain(again) == plain(reply), "seed \(seed)")
        }
    }

    @Test func `a whole reply is as the API describes it`() throws {
        let reply = ReplyAssembly()
        reply.text(ReplyText("Hi".utf8Span.span))
        reply.finish(.stop)
        reply.usage(Usage(inputTokens: 3, outputTokens: 4))
        #expect(
            try Self.body(reply)
                == #"{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"m\"1","#
                + #""choices":[{"index":0,"message":{"role":"assistant","content":"Hi","refusal":null},"#
                + #""logprobs":null,"finish_reason":"stop"}],"#
                + #""usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}"#)
    }
}
