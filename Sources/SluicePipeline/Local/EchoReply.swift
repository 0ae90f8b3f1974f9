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
                "The built-in model \"echo\" answers chat completions only; this endpoint needs a provider.", param: "model")
        }
        let text = ChatPrompt.lastUserText(tape.root(over: body.span))
        let tokens = ChatPrompt.estimatedTokens(text)
        let usage = Usage(inputTokens: tokens, outputTokens: tokens)
        context.usage = usage
        if context.isStream { return await stream(text, usage, context) }
        if context.dialect == .platform {
            var answer = PlatformAnswer([.text(text), .finish("stop"), .usage(usage)])
            answer.version = "1"
            return PlatformRelay.send(answer, context)
        }
        let reply = ByteBuffer(capacity: text.utf8.count + 384)
        writer(context).completion(text: text, finish: "stop", usage: usage, into: reply)
        LocalReplies.send(reply, context)
    }

    private static func writer(_ context: RequestContext) -> OpenAIChatWriter {
        OpenAIChatWriter(
            id: "chatcmpl-\(context.requestID)", model: Routing.echoModel, created: Int(EventLoop.readWallClock() / 1_000_000_000))
    }

    private static func stream(_ text: String, _ usage: Usage, _ context: RequestContext) async {
        let exchange = context.exchange
        context.status = 200
        context.isInStream = true
        context.firstByteAt = exchange.loop.now
        exchange.sendHead(PlatformRelay.streamHead(context), body: .unknown)
        let writer = writer(context)
        if context.dialect == .openAI { send(context) { writer.roleChunk(withUsage: context.showsUsage, into: $0) } }
        for words in ChatPrompt.pieces(text) {
            let piece = String(words)
            if context.dialect == .platform {
                exchange.send(PlatformEvent.delta(PlatformAnswer([.text(piece)]), context).span)
            } else {
                send(context) { writer.textChunk(piece, withUsage: context.showsUsage, into: $0) }
            }
            await exchange.drained()
            if exchange.isAbandoned { return }
        }
        if context.dialect == .platform {
            exchange.send(PlatformEvent.delta(PlatformAnswer([.finish("stop"), .usage(usage)], version: "1"), context).span)
        } else {
            send(context) { writer.finishChunk("stop", withUsage: context.showsUsage, into: $0) }
            if context.showsUsage { send(context) { writer.usageChunk(usage, into: $0) } }
        }
        exchange.send(PlatformEvent.done.span)
        exchange.finish()
    }

    private static func send(_ context: RequestContext, _ write: (ByteBuffer) -> Void) {
        let data = ByteBuffer(capacity: 320)
        write(data)
        let event = ByteBuffer(capacity: data.count + 16)
        EventWriter.data(data.span, into: event)
        context.exchange.send(event.span)
    }
}
