import SluiceCore
import SluiceJSON
import SluiceProviders
import Testing

/// Replies that are no answers, and streams that would have us keep everything.
@Suite struct `Hostile replies` {
    @Test(
        arguments: ProviderDialect.allCases,
        ["{}", "[]", "0", #"{"object":"chat.completion","choices":[]}"#, #"{"output":{}}"#])
    func `a document that says nothing is no answer`(dialect: ProviderDialect, document: String) throws {
        let tape = JSONTape()
        try tape.scan(document.utf8Span.span)
        let reply = ReplyAssembly()
        let decoder = dialect.chat.makeDecoder()
        decoder.decode(whole: tape.root(over: document.utf8Span.span), into: reply)
        #expect(reply.fault != nil || reply.isEmpty && !decoder.end(into: reply))
    }

    /// One attempt's counts are taken from those of all: what is less than nothing, twice, would go round.
    @Test(
        arguments: [ProviderDialect.openai, .dashscope, .hunyuan],
        [
            #""prompt_tokens":0,"completion_tokens":0,"total_tokens":N,"prompt_tokens_details":{"cached_tokens":N,"cache_write_tokens":N},"completion_tokens_details":{"reasoning_tokens":N}"#,
            #""input_tokens":N,"output_tokens":N,"input_tokens_details":{"cached_tokens":N}"#,
            #""PromptTokens":N,"CompletionTokens":N,"TotalTokens":N,"PromptTokensDetails":{"CachedTokens":N},"CompletionTokensDetails":{"ReasoningTokens":N}"#,
        ])
    func `counts of less than nothing are nothing`(dialect: ProviderDialect, counts: String) throws {
        let counts = counts.replacing("N", with: "\(Int.min)")
        let document =
            dialect == .hunyuan
            ? #"{"Response":{"Id":"c","Usage":{\#(counts)}}}"#
            : #"{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{}}],"output":{},"usage":{\#(counts)}}"#
        let tape = JSONTape()
        try tape.scan(document.utf8Span.span)
        let reply = ReplyAssembly()
        dialect.chat.makeDecoder().decode(whole: tape.root(over: document.utf8Span.span), into: reply)
        let isSpoken = counts.contains("Prompt") == (dialect == .hunyuan)
        #expect(reply.usage == (isSpoken ? Usage() : nil))
    }

    @Test func `blanks without an end are not kept for a tag that may follow`() throws {
        let decoder = FilteredReplyDecoder(ProviderDialect.openai.chat.makeDecoder(), through: [ThinkTagFilter()])
        let reply = ReplyAssembly()
        let tape = JSONTape()
        let event = #"{"choices":[{"index":0,"delta":{"content":"\n\n\n\n\n\n\n\n\n\n"}}]}"#
        for _ in 0..<100 {
            try tape.scan(event.utf8Span.span)
            decoder.decode(event: tape.root(over: event.utf8Span.span), named: "".utf8Span.span, into: reply)
        }
        #expect(reply.byteCount > 1800, "\(reply.byteCount) of 2000 bytes of escaped line feeds went on")
    }

    /// Has a decoder read events, and says whether blocks of reasoning came out with their seals.
    private func seals(
        _ dialect: ProviderDialect, _ events: [(name: String, document: String)]
    ) throws -> (sealed: Int, shownByteCount: Int) {
        let decoder = dialect.chat.makeDecoder()
        let reply = ReplyAssembly()
        let tape = JSONTape()
        for event in events {
            try tape.scan(event.document.utf8Span.span)
            decoder.decode(
                event: tape.root(over: event.document.utf8Span.span), named: event.name.utf8Span.span, into: reply)
        }
        return (reply.blocks.count, reply.reasoning?.count ?? 0)
    }

    private static let piece = String(repeating: "x", count: 1 << 19)

    @Test(arguments: [3, 5])
    func `thinking that is too long is shown, and not sealed by half`(pieceCount: Int) throws {
        var anthropic = [
            ("", #"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}"#)
        ]
        var converse: [(String, String)] = []
        for _ in 0..<pieceCount {
            anthropic.append(
                ("", #"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"\#(Self.piece)"}}"#))
            converse.append(
                ("contentBlockDelta", #"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"\#(Self.piece)"}}}"#))
        }
        anthropic.append(
            ("", #"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"s"}}"#))
        anthropic.append(("", #"{"type":"content_block_stop","index":0}"#))
        converse.append(
            ("contentBlockDelta", #"{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"s"}}}"#))
        converse.append(("contentBlockStop", #"{"contentBlockIndex":0}"#))
        for (dialect, events) in [(ProviderDialect.anthropic, anthropic), (.bedrock, converse)] {
            let (sealed, shown) = try seals(dialect, events)
            #expect(shown == pieceCount * Self.piece.utf8.count, "\(dialect)")
            #expect(sealed == (pieceCount == 3 ? 1 : 0), "\(dialect)")
        }
    }

    @Test func `what is kept of blocks that never end is bounded for all of them together`() throws {
        var events: [(String, String)] = []
        for index in 0..<40 {
            events.append(
                ("", #"{"type":"content_block_start","index":\#(index),"content_block":{"type":"thinking","thinking":"\#(Self.piece)"}}"#))
            events.append(
                ("", #"{"type":"content_block_delta","index":\#(index),"delta":{"type":"signature_delta","signature":"s"}}"#))
        }
        events.append(("", #"{"type":"message_stop"}"#))
        let (sealed, _) = try seals(.anthropic, events)
        #expect(sealed <= 4, "2 MB in pieces of half a megabyte")
    }

    @Test func `calls and blocks without text count for what they take`() {
        let reply = ReplyAssembly()
        let text = "thought"
        for _ in 0..<1000 {
            reply.reasoningBlock(
                ReasoningBlock(
                    format: "anthropic", text: ReplyText(text.utf8Span.span), seal: ReplyText("".utf8Span.span)))
        }
        #expect(reply.keptByteCount > 100_000 && reply.byteCount == 0)
    }
}
