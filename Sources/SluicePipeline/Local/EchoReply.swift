internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluiceProviders

/// The built-in model `echo`: answers with the last user message, whole or word by word. It shows that Sluice works before there is
/// a provider.
enum EchoReply {
    static func send(_ request: IncomingRequest, _ context: RequestContext, tape: JSONTape) async throws(Rejection) {
        guard case .json(let body) = request.body, context.operation == .chatCompletions else {
            throw Rejection(
                .caller, 404, code: "model_not_found",
                "The built-in model \"echo\" answers chat completions only; this endpoint needs a provider.",
                param: "model")
        }
        let text = ChatPrompt.lastUserText(tape.root(over: body.span))
        let tokens = ChatPrompt.estimatedTokens(text)
        let usage = Usage(inputTokens: tokens, outputTokens: tokens)
        context.attempt.usage = usage
        if context.isStream { return await stream(text, usage, context) }
        let reply = ReplyAssembly()
        reply.text(ReplyText(text.utf8Span.span))
        reply.finish(.stop)
        reply.usage(usage)
        let document = ByteBuffer(capacity: text.utf8.count + 384)
        ReplyFormat.write(reply, context, into: document)
        LocalReplies.send(document, context)
    }

    private static func stream(_ text: String, _ usage: Usage, _ context: RequestContext) async {
        let exchange = context.exchange
        context.streamBegins(200)
        exchange.sendHead(ReplyFormat.streamHead(context), body: .unknown)
        let writer = ReplyFormat.streamWriter(context)
        for words in ChatPrompt.pieces(text) {
            writer.text(ReplyText(String(words).utf8Span.span))
            flush(writer, exchange)
            await exchange.drained()
            if exchange.isAbandoned { return }
        }
        writer.finish(.stop)
        writer.usage(usage)
        writer.finishStream()
        flush(writer, exchange)
        exchange.finish()
    }

    private static func flush(_ writer: any StreamWriter, _ exchange: DownstreamExchange) {
        exchange.send(writer.output.span)
        writer.output.removeAll()
    }
}
