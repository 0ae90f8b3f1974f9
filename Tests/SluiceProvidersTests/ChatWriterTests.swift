import SluiceCore
import SluiceJSON
import SluiceProviders
import Testing

@Suite struct `Chat writing` {
    private static let writer = OpenAIChatWriter(id: "chatcmpl-1", model: "m\"1", created: 1_700_000_000)
    private static let usage = Usage(inputTokens: 3, outputTokens: 4)

    private static func written(_ write: (ByteBuffer) -> Void) throws -> String {
        let buffer = ByteBuffer()
        write(buffer)
        try JSONTape().scan(buffer.span)
        return String(decoding: buffer.span)
    }

    private static let head = #""created":1700000000,"model":"m\"1","system_fingerprint":null"#

    @Test func `a completion is as the API describes it`() throws {
        let text = try Self.written { Self.writer.completion(text: "Hi \"\n😀", finish: "stop", usage: Self.usage, into: $0) }
        #expect(
            text == #"{"id":"chatcmpl-1","object":"chat.completion",\#(Self.head),"#
                + #""choices":[{"index":0,"message":{"role":"assistant","content":"Hi \"\n😀","refusal":null},"#
                + #""logprobs":null,"finish_reason":"stop"}],"#
                + #""usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}"#)
    }

    @Test func `chunks are as the API describes them, with usage null when usage is to come`() throws {
        let chunk = #"{"id":"chatcmpl-1","object":"chat.completion.chunk",\#(Self.head),"choices":"#
        let role = try Self.written { Self.writer.roleChunk(withUsage: true, into: $0) }
        #expect(
            role == chunk + #"[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"#
                + #""logprobs":null,"finish_reason":null}],"usage":null}"#)
        let text = try Self.written { Self.writer.textChunk("a", withUsage: false, into: $0) }
        #expect(text == chunk + #"[{"index":0,"delta":{"content":"a"},"logprobs":null,"finish_reason":null}]}"#)
        let finish = try Self.written { Self.writer.finishChunk("length", withUsage: false, into: $0) }
        #expect(finish == chunk + #"[{"index":0,"delta":{},"logprobs":null,"finish_reason":"length"}]}"#)
        let usage = try Self.written { Self.writer.usageChunk(Self.usage, into: $0) }
        #expect(usage == chunk + #"[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}}"#)
    }

    @Test func `what was written is read back as the same events`() throws {
        let tape = JSONTape()
        let buffer = ByteBuffer()
        Self.writer.completion(text: "Hello 中文", finish: "stop", usage: Self.usage, into: buffer)
        try tape.scan(buffer.span)
        let whole = OpenAIChatDecoder.decode(tape.root(over: buffer.span))
        #expect(whole.model == "m\"1")
        #expect(whole.events == [.text("Hello 中文"), .finish("stop"), .usage(Self.usage)])
        var events: [ReplyEvent] = []
        let writes: [(ByteBuffer) -> Void] = [
            { Self.writer.roleChunk(withUsage: true, into: $0) }, { Self.writer.textChunk("Hel", withUsage: true, into: $0) },
            { Self.writer.textChunk("lo", withUsage: true, into: $0) },
            { Self.writer.finishChunk("stop", withUsage: true, into: $0) }, { Self.writer.usageChunk(Self.usage, into: $0) },
        ]
        for write in writes {
            let chunk = ByteBuffer()
            write(chunk)
            try tape.scan(chunk.span)
            events += OpenAIChatDecoder.decode(chunk: tape.root(over: chunk.span)).events
        }
        #expect(events == [.text("Hel"), .text("lo"), .finish("stop"), .usage(Self.usage)])
    }
}
