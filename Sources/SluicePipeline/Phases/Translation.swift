internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceProviders
internal import SluiceUpstream

/// What is needed to take one exchange between an application's dialect and a provider's other one.
package final class Translation {
    let dialect: any ChatDialect
    let decoder: any ReplyDecoder
    /// What of the request got lost or was changed on the way.
    let report: FieldReport
    /// For a request for embeddings: what they are read by, and how the application wants them.
    let embeddings: (any EmbeddingDialect)?
    let asBase64: Bool

    private init(
        _ dialect: any ChatDialect, _ report: FieldReport, embeddings: (any EmbeddingDialect)? = nil, asBase64: Bool = false
    ) {
        self.dialect = dialect
        self.embeddings = embeddings
        self.asBase64 = asBase64
        decoder = dialect.makeDecoder()
        self.report = report
    }

    /// Whether the provider is asked in the application's own words, which then pass byte for byte.
    static func isNeeded(_ context: RequestContext, _ provider: Provider) -> Bool {
        switch context.dialect {
        case .platform: true
        case .openAI:
            provider.dialect != .openai && (context.operation == .chatCompletions || context.operation == .embeddings)
        }
    }

    /// Refuses, before any call, what a provider of another dialect does not have.
    static func check(_ context: RequestContext, _ provider: Provider) throws(Rejection) {
        guard case .openAI = context.dialect, provider.dialect != .openai, let operation = context.operation else { return }
        switch operation {
        case .chatCompletions: return
        case .embeddings where provider.chat.embeddings != nil: return
        case .models:
            throw Rejection(
                .caller, 404, code: "model_not_found",
                "The model is not known here, and provider \(provider.name) cannot be asked for it.", param: "model")
        default:
            throw Rejection(
                .caller, 400, code: "unsupported_operation",
                "Provider \(provider.name) (\(provider.dialect.rawValue)) has nothing for \(operation.template).", param: "model")
        }
    }

    /// Puts a request into the provider's words.
    static func request(
        _ body: ByteBuffer, _ context: RequestContext, _ provider: Provider, tape: JSONTape
    ) throws(Rejection) -> UpstreamRequest {
        if context.operation == .embeddings, let embeddings = provider.chat.embeddings {
            return try embeddingRequest(body, embeddings, context, provider, tape: tape)
        }
        return try chatRequest(body, context, provider, tape: tape)
    }

    private static func embeddingRequest(
        _ body: ByteBuffer, _ embeddings: any EmbeddingDialect, _ context: RequestContext, _ provider: Provider, tape: JSONTape
    ) throws(Rejection) -> UpstreamRequest {
        let root = tape.root(over: body.span)
        var report = FieldReport()
        let encoded = ByteBuffer(capacity: body.count + 512)
        do throws(EncodingRefusal) {
            try embeddings.encode(root, model: context.upstreamModel, into: encoded, &report)
        } catch {
            throw Rejection(.caller, 400, code: "unsupported_value", error.message, param: error.param)
        }
        context.translation = Translation(
            provider.chat, report, embeddings: embeddings, asBase64: root["encoding_format"]?.equals("base64") == true)
        return post(
            encoded, embeddings.target(model: context.upstreamModel), UpstreamRequestBuilder.translatedFields(context, provider), provider)
    }

    private static func chatRequest(
        _ body: ByteBuffer, _ context: RequestContext, _ provider: Provider, tape: JSONTape
    ) throws(Rejection) -> UpstreamRequest {
        let root = tape.root(over: body.span)
        let request = ChatRequest(root, model: context.upstreamModel, isStream: context.isStream)
        var report = FieldReport()
        let encoded = ByteBuffer(capacity: body.count + 512)
        do throws(EncodingRefusal) {
            try provider.chat.encode(request, Capabilities(), into: encoded, &report)
        } catch {
            throw Rejection(.caller, 400, code: "unsupported_value", error.message, param: error.param)
        }
        var fields = UpstreamRequestBuilder.translatedFields(context, provider)
        provider.chat.addFields(request, to: &fields)
        let translation = Translation(provider.chat, report)
        context.translation = translation
        let target = provider.chat.chatTarget(request)
        if provider.chat.framing == .webSocketMessages {
            return translation.webSocketRequest(provider.basePath + Array(target.utf8), fields, firstMessage: encoded)
        }
        return post(encoded, target, fields, provider)
    }

    private static func post(_ body: ByteBuffer, _ target: String, _ fields: HeaderFields, _ provider: Provider) -> UpstreamRequest {
        UpstreamRequest(
            method: .post, target: provider.basePath + Array(target.utf8), fields: fields,
            body: .parts([UpstreamRequest.Part(body, 0..<body.count)], byteCount: body.count))
    }

    /// What is sent once the provider has opened its WebSocket.
    private(set) var firstMessage: ByteBuffer?

    private func webSocketRequest(_ target: [UInt8], _ fields: HeaderFields, firstMessage: ByteBuffer) -> UpstreamRequest {
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
