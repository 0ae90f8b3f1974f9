internal import SluiceConfig
internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceProviders
internal import SluiceUpstream

/// What is needed to take one exchange between an application's dialect and a provider's other one.
package final class Translation {
    let dialect: any ChatDialect
    let decoder: any ReplyDecoder
    /// For a request for embeddings: what they are read by, and how the application wants them.
    let embeddings: (any EmbeddingDialect)?
    let asBase64: Bool
    /// What a response repeats of its request, if that is what the application asked for.
    private(set) var echo: ResponsesEcho?

    init(
        _ dialect: any ChatDialect, _ filters: [ReplyFilter] = [],
        embeddings: (any EmbeddingDialect)? = nil, asBase64: Bool = false
    ) {
        self.dialect = dialect
        self.embeddings = embeddings
        self.asBase64 = asBase64
        let decoder = dialect.makeDecoder()
        self.decoder = filters.isEmpty ? decoder : FilteredReplyDecoder(decoder, through: filters)
    }

    /// Whether the provider has to be asked in other words than the application's, which pass byte for byte otherwise.
    ///
    /// - Parameter root: the request.
    static func isNeeded(_ context: RequestContext, _ provider: Provider, _ root: JSONValue) -> Bool {
        switch context.dialect {
        case .platform: return true
        case .anthropic: return provider.dialect != .anthropic && context.operation == .chatCompletions
        case .openAI where context.operation == .responses: return !provider.hasResponses
        case .openAI:
            if provider.dialect != .openai {
                return context.operation == .chatCompletions || context.operation == .embeddings
            }
            if context.operation != .chatCompletions { return false }
            // Several choices and logarithms of probabilities are only in a reply that passes as it comes.
            return provider.adaptation.normalises && (root["n"]?.int ?? 1) == 1 && root["logprobs"]?.bool != true
        }
    }

    /// Puts a request into the provider's words.
    static func request(
        _ body: ByteBuffer, _ context: RequestContext, _ provider: Provider, media: MediaFetcher, tape: JSONTape
    ) async throws(Rejection) -> UpstreamRequest {
        if context.operation == .embeddings, let embeddings = provider.chat.embeddings {
            return try embeddingRequest(body, embeddings, context, provider, tape: tape)
        }
        let echo = context.operation == .responses ? ResponsesEcho(of: tape.root(over: body.span)) : nil
        var body = try CanonicalRequest.make(of: body, context, provider, tape: tape)
        let capabilities = context.capabilities
        if !capabilities.imageURLs { body = try await MediaInlining.inline(body, context, media, tape: tape) }
        let stops = stops(tape.root(over: body.span), provider)
        body = try RequestEditing.adapted(body, context, provider, takesChoices: false, tape: tape)
        let encoded = ByteBuffer(capacity: body.count + 512)
        var fields = UpstreamRequestBuilder.translatedFields(context, provider)
        var target = provider.basePath
        if provider.dialect == .openai {
            let root = tape.root(over: body.span)
            let edits = RequestEditing.edits(
                root, context, provider, .chat, isAskedForUsage: context.isStream && capabilities.streamUsage)
            edits.splices(over: root).append(to: encoded, from: root.documentBytes)
            target += provider.adaptation.target(.chat, model: context.attempt.upstreamModel, rest: [UInt8]().span)
        } else {
            body = try transformed(body, context, provider, tape: tape)
            let request = ChatRequest(
                tape.root(over: body.span), model: context.attempt.upstreamModel, isStream: context.isStream,
                applicationID: provider.signer(context.attempt.key)?.applicationID)
            do throws(EncodingRefusal) {
                try provider.chat.encode(request, capabilities, into: encoded, &context.attempt.report)
            } catch {
                throw RequestEditing.refusal(error)
            }
            provider.chat.addFields(request, to: &fields)
            target += Array(provider.chat.chatTarget(request).utf8)
        }
        try RequestEditing.settle(context)
        let translation = Translation(provider.chat, filters(context, provider, stops))
        translation.echo = echo
        context.attempt.translation = translation
        if provider.chat.framing == .webSocketMessages {
            return translation.webSocketRequest(target, fields, firstMessage: encoded)
        }
        return post(encoded, target, fields)
    }

    private static func embeddingRequest(
        _ body: ByteBuffer, _ embeddings: any EmbeddingDialect, _ context: RequestContext, _ provider: Provider,
        tape: JSONTape
    ) throws(Rejection) -> UpstreamRequest {
        let root = tape.root(over: body.span)
        let encoded = ByteBuffer(capacity: body.count + 512)
        do throws(EncodingRefusal) {
            try embeddings.encode(
                root, model: context.attempt.upstreamModel, applicationID: provider.signer(context.attempt.key)?.applicationID,
                into: encoded,
                &context.attempt.report)
        } catch {
            throw RequestEditing.refusal(error)
        }
        try RequestEditing.settle(context)
        context.attempt.translation = Translation(
            provider.chat, embeddings: embeddings,
            asBase64: root["encoding_format"]?.equals("base64") == true)
        var fields = UpstreamRequestBuilder.translatedFields(context, provider)
        embeddings.addFields(to: &fields)
        return post(
            encoded, provider.basePath + Array(embeddings.target(model: context.attempt.upstreamModel).utf8), fields)
    }

    private static func post(_ body: ByteBuffer, _ target: [UInt8], _ fields: HeaderFields) -> UpstreamRequest {
        UpstreamRequest(
            method: .post, target: target, fields: fields,
            body: .parts([UpstreamRequest.Part(body, 0..<body.count)], byteCount: body.count))
    }

    /// What the adapter changes before the dialect's own request is written. The tape holds the result's document afterwards.
    private static func transformed(
        _ body: ByteBuffer, _ context: RequestContext, _ provider: Provider, tape: JSONTape
    ) throws(Rejection) -> ByteBuffer {
        if provider.adaptation.request.isEmpty { return body }
        let root = tape.root(over: body.span)
        var edits = JSONEdits()
        provider.adaptation.request.apply(
            to: root, model: context.attempt.upstreamModel, operation: .chat, isStream: context.isStream, &edits,
            &context.attempt.report)
        if edits.isEmpty { return body }
        let changed = ByteBuffer(capacity: body.count + 256)
        edits.splices(over: root).append(to: changed, from: root.documentBytes)
        try RequestEditing.scan(changed, tape)
        return changed
    }

    /// Stop sequences that the provider leaves at the end of its answer.
    private static func stops(_ root: JSONValue, _ provider: Provider) -> [String] {
        if !provider.adaptation.reply.includesStop { return [] }
        var stops: [String] = []
        ChatRequest(root, model: "", isStream: false).forEachStop { stop in
            if let text = stop.string, !text.isEmpty { stops.append(text) }
        }
        return stops
    }

    static func filters(_ context: RequestContext, _ provider: Provider, _ stops: [String]) -> [ReplyFilter] {
        var filters: [ReplyFilter] = []
        if provider.adaptation.reply.hasThinkTags { filters.append(ThinkTagFilter()) }
        if !stops.isEmpty { filters.append(StopFilter(stops)) }
        if let tool = context.attempt.answerTool { filters.append(AnswerToolFilter(tool)) }
        return filters
    }

    /// What is sent once the provider has opened its WebSocket.
    private var firstMessage: ByteBuffer?
    var asksForWebSocket: Bool { firstMessage != nil }

    /// The provider has opened its WebSocket: it is asked, and told when nobody wants the answer any more.
    func open(_ upstream: UpstreamExchange) {
        if let firstMessage { upstream.post(firstMessage) }
        let close = ByteBuffer(capacity: 16)
        WebSocketFrameWriter.close(.normal, mask: .random(in: 0 ... .max), into: close)
        upstream.farewell = close
    }

    private func webSocketRequest(_ target: [UInt8], _ fields: HeaderFields, firstMessage: ByteBuffer)
        -> UpstreamRequest
    {
        let frame = ByteBuffer(capacity: firstMessage.count + 16)
        WebSocketFrameWriter.text(firstMessage.span, mask: .random(in: 0 ... .max), into: frame)
        self.firstMessage = frame
        var fields = fields
        fields.remove(.contentType)
        var request = UpstreamRequest(method: .get, target: target, fields: fields, body: .none)
        request.webSocket = WebSocketHandshake(
            nonce: (0..<WebSocketHandshake.nonceByteCount).map { _ in .random(in: 0 ... .max) })
        return request
    }
}
