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

    private init(_ dialect: any ChatDialect, _ report: FieldReport) {
        self.dialect = dialect
        decoder = dialect.makeDecoder()
        self.report = report
    }

    /// Whether the provider is asked in the application's own words, which then pass byte for byte.
    static func isNeeded(_ context: RequestContext, _ provider: Provider) -> Bool {
        switch context.dialect {
        case .platform: true
        case .openAI: provider.dialect != .openai && context.operation == .chatCompletions
        }
    }

    /// Puts a chat request into the provider's words.
    static func request(
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
        let target = provider.basePath + Array(provider.chat.chatTarget(request).utf8)
        let translation = Translation(provider.chat, report)
        context.translation = translation
        if provider.chat.framing == .webSocketMessages {
            return translation.webSocketRequest(target, fields, firstMessage: encoded)
        }
        return UpstreamRequest(
            method: .post, target: target, fields: fields,
            body: .parts([UpstreamRequest.Part(encoded, 0..<encoded.count)], byteCount: encoded.count))
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
