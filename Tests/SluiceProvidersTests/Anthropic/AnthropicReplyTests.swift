import Foundation
import SluiceCore
import SluiceHTTP
import SluiceJSON
import SluiceProviders
import TestSupport
import Testing

@Suite struct `Replies of Anthropic` {
    private let dialect = AnthropicDialect()

    private func chat(_ assembly: ReplyAssembly) -> String {
        let body = ByteBuffer()
        var identity = Transcoder.identity
        ChatReplyBody.write(assembly, &identity, into: body)
        return body.text
    }

    @Test(arguments: ["A1", "A3", "A6", "A8"])
    func `are those of the sheet as chat completions`(name: String) throws {
        let body = chat(try Transcoder.whole(try Golden.text("Anthropic/\(name).anthropic-resp.json"), from: dialect))
        #expect(isSame(body, try Golden.text("Anthropic/\(name).oai-chat-resp.json")), "\(body)")
    }

    @Test func `keep the seal of their thinking`() throws {
        let body = chat(try Transcoder.whole(try Golden.text("Anthropic/A5.anthropic-resp.json"), from: dialect))
        let details =
            #","reasoning_details":[{"type":"reasoning.text","text":"17*20=340, 17*3=51.","signature":"EqQBsig==","format":"anthropic-claude-v1","index":0}]}"#
        let expected = try Golden.text("Anthropic/A5.oai-chat-resp.json").replacingOccurrences(
            of: #""17*20=340, 17*3=51."}"#, with: #""17*20=340, 17*3=51.""# + details)
        #expect(isSame(body, expected), "\(body)")
    }

    @Test(arguments: [("A2", true), ("A4", false)])
    func `are those of the sheet as streams, however they are cut`(name: String, showsUsage: Bool) throws {
        let stream = try Golden.text("Anthropic/\(name).anthropic-stream.txt")
        let expected = data(ofEvents: try Golden.text("Anthropic/\(name).oai-chat-stream.txt"))
        for seed in SplitMix64.seeds(60) {
            var random = SplitMix64(seed)
            let writer = ChatStreamWriter(Transcoder.identity, showsUsage: showsUsage)
            #expect(try Transcoder.stream(Transcoder.pieces(stream, &random), from: dialect, into: writer))
            writer.finishStream()
            var found = data(ofEvents: writer.output.text)
            if name == "A2" {
                // The sheet says that nothing came from the cache; we say so by silence.
                found = found.map { $0.description.contains("prompt_tokens") ? expected[4] : $0 }
            }
            #expect(found == expected, "seed \(seed): \(writer.output.text)")
        }
    }

    private let thinking = """
        event: message_start
        data: {"type":"message_start","message":{"id":"msg_T","model":"c","usage":{"input_tokens":5,"output_tokens":1}}}

        event: content_block_start
        data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Let \\u0061"}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":" me."}}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"sig=="}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":0}

        event: content_block_start
        data: {"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"secret"}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":1}

        event: content_block_start
        data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"now","input":{}}}

        event: content_block_stop
        data: {"type":"content_block_stop","index":2}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":9,"output_tokens_details":{"thinking_tokens":4}}}

        event: message_stop
        data: {"type":"message_stop"}


        """

    @Test func `that think in a stream are the same as whole ones`() throws {
        let assembly = ReplyAssembly()
        #expect(try Transcoder.stream([Array(thinking.utf8)], from: dialect, into: assembly))
        #expect(assembly.reasoning?.text == "Let \\u0061 me.")
        #expect(
            assembly.blocks.map(\.text) == ["Let a me.", nil] && assembly.blocks.map(\.seal) == ["sig==", "secret"])
        #expect(assembly.calls.map(\.name) == ["now"] && assembly.finishReason == .toolCalls)
        #expect(assembly.usage == Usage(inputTokens: 5, outputTokens: 9, reasoningTokens: 4))
    }

    @Test func `go to Messages and back without a loss`() throws {
        let writer = MessagesStreamWriter(Transcoder.identity)
        try Transcoder.stream([Array(thinking.utf8)], from: dialect, into: writer)
        writer.finishStream()
        let again = ReplyAssembly()
        #expect(try Transcoder.stream([Array(writer.output.text.utf8)], from: dialect, into: again))
        #expect(again.reasoning?.text == "Let \\u0061 me." && again.blocks.map(\.seal) == ["sig==", "secret"])
        #expect(
            again.calls.map(\.id) == ["toolu_1"]
                && again.usage == Usage(inputTokens: 5, outputTokens: 9, reasoningTokens: 4))
        let whole = ByteBuffer()
        var identity = Transcoder.identity
        MessagesReplyBody.write(again, &identity, into: whole)
        let expected =
            #"{"id":"msg_T","type":"message","role":"assistant","model":"c","content":[{"type":"thinking","thinking":"Let a me.","signature":"sig=="},{"type":"redacted_thinking","data":"secret"},{"type":"tool_use","id":"toolu_1","name":"now","input":{}}],"stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":9,"output_tokens_details":{"thinking_tokens":4}}}"#
        #expect(isSame(whole.text, expected), "\(whole.text)")
    }

    @Test func `that are cut are not complete, at any event`() throws {
        for name in ["A2", "A4"] {
            let events = try Golden.text("Anthropic/\(name).anthropic-stream.txt").components(separatedBy: "\n\n")
            for count in 0..<events.count - 2 {
                let part = events.prefix(count).map { $0 + "\n\n" }.joined()
                #expect(
                    try !Transcoder.stream([Array(part.utf8)], from: dialect, into: ReplyAssembly()),
                    "\(name), \(count) events")
            }
        }
    }

    @Test func `that fail on the way say why`() throws {
        let assembly = ReplyAssembly()
        let stream = try Golden.text("Anthropic/A9.anthropic-stream-error.txt")
        #expect(try Transcoder.stream([Array(stream.utf8)], from: dialect, into: assembly))
        let fault = try #require(assembly.fault)
        #expect(
            fault.status == 503 && fault.code == "server_is_overloaded" && fault.message == "Overloaded"
                && fault.isRetryable)
    }

    @Test(arguments: [
        (
            400, "invalid_request_error", "prompt is too long: 3 > 2", 400, "invalid_request_error",
            "context_length_exceeded"
        ),
        (401, "authentication_error", "invalid x-api-key", 401, "invalid_request_error", "invalid_api_key"),
        (402, "billing_error", "pay", 402, "insufficient_quota", "insufficient_quota"),
        (
            400, "invalid_request_error", "Your credit balance is too low", 402, "insufficient_quota",
            "insufficient_quota"
        ),
        (404, "not_found_error", "model: x", 404, "invalid_request_error", "model_not_found"),
        (429, "rate_limit_error", "slow", 429, "requests", "rate_limit_exceeded"),
        (529, "overloaded_error", "Overloaded", 503, "service_unavailable_error", "server_is_overloaded"),
        (500, "api_error", "oops", 500, "server_error", nil),
    ])
    func `that are errors become OpenAI's`(
        status: UInt16, type: String, message: String, told: UInt16, toldType: String, code: String?
    ) throws {
        let body = ByteBuffer(
            #"{"type":"error","error":{"type":"\#(type)","message":"\#(message)"},"request_id":"req_1"}"#)
        let tape = JSONTape()
        try tape.scan(body.span)
        let fault = dialect.fault(
            ResponseHead(Status(status), fields: HeaderFields()), tape.root(over: body.span), text: body.span)
        #expect(
            fault.status == Status(told) && fault.type == toldType && fault.code == code && fault.message == message)
        #expect(fault.isRetryable == (told == 429 || told >= 500))
    }

    @Test func `survive whatever providers send`() throws {
        let streams = try ["A2", "A4"].map { try Golden.text("Anthropic/\($0).anthropic-stream.txt") } + [thinking]
        for seed in SplitMix64.seeds(600) {
            var random = SplitMix64(seed)
            let bytes = Transcoder.mutated(streams[Int(random.next() % 3)], &random)
            let writer = MessagesStreamWriter(Transcoder.identity)
            try Transcoder.stream([bytes], from: dialect, into: writer)
            writer.finishStream()
            for event in writer.output.text.split(separator: "\n") where event.hasPrefix("data: ") {
                #expect((try? JSONTape().scan(event.dropFirst(6).utf8Span.span)) != nil, "seed \(seed): \(event)")
            }
            _ = try? Transcoder.whole(String(decoding: bytes, as: UTF8.self), from: dialect)
        }
    }
}
