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
