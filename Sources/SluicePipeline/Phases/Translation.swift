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
    /// What a response repeats of its request, if that is what the application asked for.
    private(set) var echo: ResponsesEcho?

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
        case .openAI where context.operation == .responses: !provider.hasResponses
        case .openAI:
            provider.dialect != .openai && (context.operation == .chatCompletions || context.operation == .embeddings)
        case .anthropic: provider.dialect != .anthropic && context.operation == .chatCompletions
        }
    }

    /// Refuses, before any call, what a provider of another dialect does not have.
    static func check(_ context: RequestContext, _ provider: Provider) throws(Rejection) {
        guard case .openAI = context.dialect, provider.dialect != .openai, let operation = context.operation else { return }
        switch operation {
        case .chatCompletions, .responses: return
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

    /// Makes a responses request into a chat request; the tape holds it afterwards.
    private static func responsesRequest(
        _ body: ByteBuffer, _ provider: Provider, _ report: inout FieldReport, tape: JSONTape
    ) throws(Rejection) -> ByteBuffer {
        let request = ByteBuffer(capacity: body.count + 512)
        do throws(EncodingRefusal) {
            try ResponsesRequest.write(tape.root(over: body.span), for: target(provider), into: request, &report)
        } catch {
            throw Rejection(.caller, 400, code: "unsupported_parameter", "\(error.param): \(error.message)", param: error.param)
        }
        try scan(request, tape)
        return request
    }

    private static func target(_ provider: Provider) -> MessagesRequest.Target {
        MessagesRequest.Target(
            isOpenAI: provider.dialect == .openai, takesMaxCompletionTokens: provider.endpoint.host.hasSuffix(".openai.com"))
    }

    /// What we wrote ourselves is JSON, unless it has become longer or deeper than is read.
    private static func scan(_ body: ByteBuffer, _ tape: JSONTape) throws(Rejection) {
        do throws(JSONError) {
            try tape.scan(body.span)
        } catch {
            throw Rejection(error)
        }
    }

    /// Makes a Messages request into a chat request; the tape holds it afterwards.
    private static func chatRequest(
        _ body: ByteBuffer, _ provider: Provider, _ report: inout FieldReport, tape: JSONTape
    ) throws(Rejection) -> ByteBuffer {
        let request = ByteBuffer(capacity: body.count + 512)
        do throws(EncodingRefusal) {
            try MessagesRequest.write(tape.root(over: body.span), for: target(provider), into: request, &report)
        } catch {
            throw Rejection(.caller, 400, code: "unsupported_value", "\(error.param): \(error.message)", param: error.param)
        }
        try scan(request, tape)
        return request
    }

    /// Puts a request into the provider's words.
    static func request(
        _ body: ByteBuffer, _ context: RequestContext, _ provider: Provider, tape: JSONTape
    ) throws(Rejection) -> UpstreamRequest {
        if context.operation == .embeddings, let embeddings = provider.chat.embeddings {
            return try embeddingRequest(body, embeddings, context, provider, tape: tape)
        }
        var report = FieldReport()
        var body = body
        var echo: ResponsesEcho?
        if context.dialect == .anthropic {
            body = try chatRequest(body, provider, &report, tape: tape)
        } else if context.operation == .responses {
            echo = ResponsesEcho(of: tape.root(over: body.span))
            body = try responsesRequest(body, provider, &report, tape: tape)
        }
        let root = tape.root(over: body.span)
        let request = ChatRequest(root, model: context.upstreamModel, isStream: context.isStream)
        let encoded = ByteBuffer(capacity: body.count + 512)
        do throws(EncodingRefusal) {
            try provider.chat.encode(request, Capabilities(), into: encoded, &report)
        } catch {
            throw Rejection(.caller, 400, code: "unsupported_value", error.message, param: error.param)
        }
        var fields = UpstreamRequestBuilder.translatedFields(context, provider)
        provider.chat.addFields(request, to: &fields)
        let translation = Translation(provider.chat, report)
        translation.echo = echo
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
