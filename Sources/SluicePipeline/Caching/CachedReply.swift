internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluiceProviders
internal import SluiceStorage

/// Sends what is kept: whole as it is, or as a stream in the words of the application's dialect.
enum CachedReply {
    /// What one event of a replayed stream carries, in bytes of text.
    private static let pieceByteCount = 2048

    /// Whether an entry can answer what the application asked for.
    static func fits(_ entry: CacheEntry, _ form: AnswerForm, _ context: RequestContext) -> Bool {
        if entry.form == .failure { return true }
        if entry.form != form.kept { return false }
        if !context.isStream { return true }
        return !entry.isOnlyWhole && (form != .response || context.cacheTurn?.echo != nil)
    }

    /// - Throws: the error that is kept.
    static func send(
        _ entry: CacheEntry, _ form: AnswerForm, _ context: RequestContext, tape: JSONTape
    ) throws(Rejection) {
        if entry.form == .failure { throw failure(entry, tape: tape) }
        let body = entry.body
        if context.isStream || form == .platformChat {
            // What was kept is JSON; a level that damaged it says so.
            guard (try? tape.scan(body.span)) != nil else { throw damaged }
        }
        if context.isStream { return stream(tape.root(over: body.span), form, context) }
        if form != .platformChat { return send(whole: body, context) }
        let reply = ReplyAssembly()
        OpenAIReplyDecoder().decode(whole: tape.root(over: body.span), into: reply)
        let buffer = ByteBuffer(capacity: body.count + 256)
        ReplyFormat.write(reply, context, into: buffer)
        send(whole: buffer, context)
    }

    private static let damaged = Rejection(
        .gateway, 500, type: "api_error", code: "cache_damaged", "An answer was kept that cannot be read.",
        isRetryable: true)

    private static func send(whole body: ByteBuffer, _ context: RequestContext) {
        var fields = HeaderFields(reservingBytes: 256, fields: 6)
        fields.append(.contentType, "application/json")
        context.appendRequestID(to: &fields)
        LimitHeaders.append(to: &fields, context)
        context.status = 200
        context.firstByteAt = context.exchange.loop.now
        context.exchange.sendHead(ResponseHead(200, fields: fields), body: .known(body.count))
        context.exchange.send(sharing: body)
        context.exchange.finish()
    }

    // MARK: As a stream

    private static func stream(_ document: JSONValue, _ form: AnswerForm, _ context: RequestContext) {
        let exchange = context.exchange
        context.streamBegins(200, isAnswerThere: true)
        exchange.sendHead(ReplyFormat.streamHead(context), body: .unknown)
        if form == .completion {
            let buffer = ByteBuffer(capacity: 1024)
            CompletionText.write(document, showsUsage: context.showsUsage, into: buffer)
            exchange.send(sharing: buffer)
        } else {
            let writer = writer(context)
            let pieces = PiecewiseSink(writer, byteCount: pieceByteCount)
            switch form {
            case .message: AnthropicReplyDecoder().decode(whole: document, into: pieces)
            case .response: ResponseReading.read(document, into: pieces)
            default: OpenAIReplyDecoder().decode(whole: document, into: pieces)
            }
            writer.finishStream()
            exchange.send(sharing: writer.output)
        }
        exchange.finish()
    }

    private static func writer(_ context: RequestContext) -> any StreamWriter {
        guard let echo = context.cacheTurn?.echo else { return ReplyFormat.streamWriter(context) }
        return ResponsesStreamWriter(
            ReplyFormat.identity(context), echo, byteCountMax: context.snapshot.limits.bodyBytesMax)
    }

    // MARK: Errors

    private static func failure(_ entry: CacheEntry, tape: JSONTape) -> Rejection {
        let body = entry.body
        guard (try? tape.scan(body.span)) != nil, let error = tape.root(over: body.span)["error"] else {
            return damaged
        }
        return Rejection(
            .caller, Status(entry.status), type: error["type"]?.string ?? "invalid_request_error",
            code: error["code"]?.string ?? "upstream_error", error["message"]?.string ?? "",
            param: error["param"]?.string)
    }
}

/// Passes a whole answer on in pieces, as it would have come from a provider.
private final class PiecewiseSink: ReplySink {
    private let sink: any ReplySink
    private let byteCount: Int

    init(_ sink: any ReplySink, byteCount: Int) {
        self.sink = sink
        self.byteCount = byteCount
    }

    func begin(id: ReplyText?, model: ReplyText?) { sink.begin(id: id, model: model) }
    func origin(created: Int?, fingerprint: ReplyText?) { sink.origin(created: created, fingerprint: fingerprint) }
    func text(_ text: ReplyText) { text.forEachPiece(byteCount: byteCount) { sink.text($0) } }
    func reasoning(_ text: ReplyText) { text.forEachPiece(byteCount: byteCount) { sink.reasoning($0) } }
    func reasoningBlock(_ block: ReasoningBlock) { sink.reasoningBlock(block) }
    func refusal(_ text: ReplyText) { text.forEachPiece(byteCount: byteCount) { sink.refusal($0) } }
    func image(_ image: ReplyImage) { sink.image(image) }
    func toolCall(_ index: Int, _ call: ToolCallStart) { sink.toolCall(index, call) }
    func toolArguments(_ index: Int, _ fragment: ReplyText) { sink.toolArguments(index, fragment) }
    func finish(_ reason: FinishReason) { sink.finish(reason) }
    func usage(_ usage: Usage) { sink.usage(usage) }
    func fault(_ fault: ProviderFault) { sink.fault(fault) }
}

/// Reads a response object that has nothing but text (`AnswerCheck`).
private enum ResponseReading {
    static func read(_ document: JSONValue, into sink: any ReplySink) {
        if let value = document["model"], let model = ReplyText(value) { sink.begin(id: nil, model: model) }
        var items = document.elements(of: "output")
        while let item = items.next() {
            var parts = item.elements(of: "content")
            while let part = parts.next() {
                if let value = part["text"], let text = ReplyText(value), !text.isEmpty { sink.text(text) }
            }
        }
        sink.finish(.stop)
        if let usage = Usage(openAI: document["usage"]) { sink.usage(usage) }
    }
}
