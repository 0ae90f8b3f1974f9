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
    /// What of the request got lost or was changed on the way.
    let report: FieldReport
    /// What a response repeats of its request, if that is what the application asked for.
    private(set) var echo: ResponsesEcho?

    private init(_ dialect: any ChatDialect, _ report: FieldReport, _ filters: [ReplyFilter]) {
        self.dialect = dialect
        let decoder = dialect.makeDecoder()
        self.decoder = filters.isEmpty ? decoder : FilteredReplyDecoder(decoder, through: filters)
        self.report = report
    }

    /// Whether the provider is asked in the application's own words, which then pass byte for byte.
    ///
    /// - Parameter root: the request.
    static func isNeeded(_ context: RequestContext, _ provider: Provider, _ root: JSONValue) -> Bool {
        switch context.dialect {
        case .platform: return true
        case .openAI where context.operation == .responses: return !provider.hasResponses
        case .openAI:
            if context.operation != .chatCompletions { return false }
            if provider.dialect != .openai { return true }
            // Several choices and logarithms of probabilities are only in a reply that passes as it comes.
            return provider.adaptation.normalises && (root["n"]?.int ?? 1) == 1 && root["logprobs"]?.bool != true
        case .anthropic: return provider.dialect != .anthropic && context.operation == .chatCompletions
        }
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

    /// Puts a chat request into the provider's words.
    static func request(
        _ body: ByteBuffer, _ context: RequestContext, _ provider: Provider, tape: JSONTape
    ) throws(Rejection) -> UpstreamRequest {
        var body = body
        var echo: ResponsesEcho?
        if context.dialect == .anthropic {
            body = try chatRequest(body, provider, &context.report, tape: tape)
        } else if context.operation == .responses {
            echo = ResponsesEcho(of: tape.root(over: body.span))
            body = try responsesRequest(body, provider, &context.report, tape: tape)
        }
        let stops = stops(tape.root(over: body.span), provider)
        body = try RequestEditing.adapted(body, context, provider, takesChoices: false, tape: tape)
        let capabilities = provider.adaptation.capabilities.row(for: context.upstreamModel)
        let encoded = ByteBuffer(capacity: body.count + 512)
        var fields = UpstreamRequestBuilder.translatedFields(context, provider)
        var target = provider.basePath
        if provider.dialect == .openai {
            let root = tape.root(over: body.span)
            let edits = RequestEditing.edits(
                root, context, provider, .chat, isAskedForUsage: context.isStream && capabilities.streamUsage)
            edits.splices(over: root).append(to: encoded, from: root.rawBytes)
            target += provider.adaptation.target(.chat, model: context.upstreamModel, rest: [UInt8]().span)
        } else {
            body = try transformed(body, context, provider, tape: tape)
            let request = ChatRequest(
                tape.root(over: body.span), model: context.upstreamModel, isStream: context.isStream)
            do throws(EncodingRefusal) {
                try provider.chat.encode(request, capabilities, into: encoded, &context.report)
            } catch {
                throw RequestEditing.refusal(error)
            }
            provider.chat.addFields(request, to: &fields)
            target += Array(provider.chat.chatTarget(request).utf8)
        }
        try RequestEditing.settle(context)
        let translation = Translation(provider.chat, context.report, filters(context, provider, stops))
        translation.echo = echo
        context.translation = translation
        if provider.chat.framing == .webSocketMessages {
            return translation.webSocketRequest(target, fields, firstMessage: encoded)
        }
        return UpstreamRequest(
            method: .post, target: target, fields: fields,
            body: .parts([UpstreamRequest.Part(encoded, 0..<encoded.count)], byteCount: encoded.count))
    }

    /// What the adapter changes before the dialect's own request is written. The tape holds the result's document afterwards.
    private static func transformed(
        _ body: ByteBuffer, _ context: RequestContext, _ provider: Provider, tape: JSONTape
    ) throws(Rejection) -> ByteBuffer {
        if provider.adaptation.request.isEmpty { return body }
        let root = tape.root(over: body.span)
        var edits = JSONEdits()
        provider.adaptation.request.apply(
            to: root, model: context.upstreamModel, operation: .chat, isStream: context.isStream, &edits,
            &context.report)
        if edits.isEmpty { return body }
        let changed = ByteBuffer(capacity: body.count + 256)
        edits.splices(over: root).append(to: changed, from: root.rawBytes)
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

    private static func filters(_ context: RequestContext, _ provider: Provider, _ stops: [String]) -> [ReplyFilter] {
        var filters: [ReplyFilter] = []
        if provider.adaptation.reply.hasThinkTags { filters.append(ThinkTagFilter()) }
        if !stops.isEmpty { filters.append(StopFilter(stops)) }
        if let tool = context.answerTool { filters.append(AnswerToolFilter(tool)) }
        return filters
    }

    /// What is sent once the provider has opened its WebSocket.
    private(set) var firstMessage: ByteBuffer?

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
