import SluiceCore
import SluiceHTTP
import SluiceJSON
import SluiceProviders
import TestSupport
import Testing

@Suite struct `What a stream has said` {
    private static func inspect<Inspector: StreamInspector>(_ events: [String], _ inspector: Inspector) -> Inspector {
        var inspector = inspector
        let tape = JSONTape()
        for event in events { _ = inspector.inspect(event.utf8Span.span, with: tape) }
        return inspector
    }

    private static func chat(_ remembers: Bool = true) -> OpenAIStreamInspector {
        OpenAIStreamInspector(.chatCompletions, showsUsage: false, remembersChunks: remembers)
    }

    @Test(arguments: [
        (#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}]}"#, false),
        (#"{"choices":[{"delta":{"role":"assistant","content":null,"tool_calls":[]}}]}"#, false),
        (#"{"choices":[],"prompt_filter_results":[{"x":1}]}"#, false), (#"{"choices":[],"usage":{"prompt_tokens":1}}"#, false),
        (#"{"choices":[{"delta":{},"finish_reason":""}]}"#, false),
        (#"{"choices":[{"delta":{"content":"a"}}]}"#, true), (#"{"choices":[{"delta":{"reasoning_content":"a"}}]}"#, true),
        (#"{"choices":[{"delta":{"refusal":"no"}}]}"#, true),
        (#"{"choices":[{"delta":{"role":"assistant","tool_calls":[{"index":0,"id":"c"}]}}]}"#, true),
        (#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#, true), (#"{"choices":[{"text":"a"}]}"#, true),
        (#"{"a":1}"#, true), ("[DONE]", false), ("no JSON", false),
    ])
    func `a chat has begun with what a reader notices`(event: String, isNoticed: Bool) {
        let inspector = Self.inspect([event], Self.chat())
        #expect(inspector.hasBegun == isNoticed)
    }

    @Test(arguments: [
        (#"{"type":"message_start","message":{}}"#, false), (#"{"type":"ping"}"#, false),
        (#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#, false),
        (#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}"#, false),
        (#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t"}}"#, true),
        (#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a"}}"#, true),
        (#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#, true), (#"{"type":"message_stop"}"#, false),
        (#"{"type":"something_new"}"#, true),
    ])
    func `a message has begun with what a reader notices`(event: String, isNoticed: Bool) {
        #expect(Self.inspect([event], AnthropicStreamInspector()).hasBegun == isNoticed)
    }

    @Test(arguments: [
        (#"{"type":"response.created","response":{}}"#, false), (#"{"type":"response.in_progress"}"#, false),
        (#"{"type":"response.output_item.added","item":{"type":"message"}}"#, false),
        (#"{"type":"response.content_part.added"}"#, false),
        (#"{"type":"response.output_item.added","item":{"type":"function_call"}}"#, true),
        (#"{"type":"response.output_text.delta","delta":"a"}"#, true), (#"{"type":"response.completed"}"#, true),
    ])
    func `a response has begun with what a reader notices`(event: String, isNoticed: Bool) {
        let inspector = Self.inspect([event], OpenAIStreamInspector(.responses, showsUsage: true))
        #expect(inspector.hasBegun == isNoticed)
    }

    private static func chunk(_ delta: String, _ more: String = "") -> String {
        #"{"id":"c-1","object":"chat.completion.chunk","created":7,"model":"m","system_fingerprint":"f","choices":[{"index":0,"delta":{\#(delta)},"logprobs":null,"finish_reason":null}]\#(more)}"#
    }

    @Test(arguments: [true, false])
    func `text and reasoning of a chat are taken down, escapes or not, learned by heart or not`(remembers: Bool) {
        var inspector = Self.chat(remembers)
        let record = ReplyRecord(byteCountMax: 1000)
        inspector.record = record
        var events = [Self.chunk(#""role":"assistant","content":"""#)]
        for word in ["th", "in\\n", "k"] { events.append(Self.chunk(#""reasoning_content":"\#(word)""#)) }
        for word in ["é", "\\u00e9\\\"", "", "😀", "\\ud83d\\ude00"] {
            events.append(Self.chunk(#""content":"\#(word)""#, #","obfuscation":"xyz""#))
        }
        events.append(Self.chunk(#""refusal":"no""#))
        inspector = Self.inspect(events, inspector)
        #expect(
            record.decoded() == [
                ReplyRecord.Run(kind: .reasoning, bytes: Array("thin\nk".utf8)),
                ReplyRecord.Run(kind: .text, bytes: Array("éé\"😀😀".utf8)),
                ReplyRecord.Run(kind: .refusal, bytes: Array("no".utf8)),
            ])
        #expect(!record.isText && !record.isLost && inspector.record === record)
        #expect(record.opening.id == "c-1" && record.opening.created == 7 && record.opening.fingerprint == "f")
    }

    @Test(arguments: [
        chunk(#""tool_calls":[{"index":0,"id":"c","function":{"name":"f","arguments":""}}]"#),
        chunk(#""annotations":[{"type":"url_citation"}]"#), #"{"choices":[{"index":1,"delta":{"content":"a"}}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":"a"},"logprobs":{"content":[]}}]}"#, #"{"x":1}"#,
    ])
    func `what cannot be compared is not`(event: String) {
        var inspector = Self.chat()
        let record = ReplyRecord(byteCountMax: 1000)
        inspector.record = record
        _ = Self.inspect([Self.chunk(#""content":"a""#), event], inspector)
        #expect(record.isLost && record.byteCount == 0 && !record.isText)
    }

    @Test func `no more is kept than may be`() {
        let record = ReplyRecord(byteCountMax: 10)
        record.append(.text, escaped: "0123456789".utf8Span.span)
        #expect(record.isText && record.byteCount == 10)
        record.append(.text, escaped: "0".utf8Span.span)
        #expect(record.isLost && record.byteCount == 0)
    }

    @Test func `a message is taken down block by block`() {
        func delta(_ index: Int, _ type: String, _ key: String, _ text: String) -> String {
            #"{"type":"content_block_delta","index":\#(index),"delta":{"type":"\#(type)","\#(key)":"\#(text)"}}"#
        }
        func start(_ index: Int, _ block: String) -> String {
            #"{"type":"content_block_start","index":\#(index),"content_block":{\#(block)}}"#
        }
        var inspector = AnthropicStreamInspector()
        let record = ReplyRecord(byteCountMax: 1000)
        inspector.record = record
        inspector = Self.inspect(
            [
                #"{"type":"message_start","message":{"id":"msg_1","model":"claude"}}"#,
                start(0, #""type":"thinking","thinking":"""#), delta(0, "thinking_delta", "thinking", "a"),
                delta(0, "thinking_delta", "thinking", "b"), delta(0, "signature_delta", "signature", "s"),
                #"{"type":"content_block_stop","index":0}"#, start(1, #""type":"text","text":"""#), #"{"type":"ping"}"#,
                delta(1, "text_delta", "text", "c"), delta(1, "text_delta", "text", "d\\n"),
                delta(1, "text_delta", "text", "e"),
            ], inspector)
        #expect(record.decoded().map { String(decoding: $0.bytes, as: UTF8.self) } == ["ab", "cd\ne"])
        #expect(record.sealCount == 1 && record.opening.blockCount == 2 && record.opening.isTextOpen)
        #expect(record.opening.id == "msg_1" && record.opening.model == "claude" && !record.isLost)
        _ = Self.inspect([start(2, #""type":"tool_use","id":"t""#)], inspector)
        #expect(record.isLost)
    }
}
