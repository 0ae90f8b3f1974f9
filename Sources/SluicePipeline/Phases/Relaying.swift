internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders
internal import SluiceUpstream

/// Takes a provider's response to the application: whole, event by event, or as it comes.
enum Relaying {
    /// Fields of providers that applications see. Cookies, server names and framing stay here.
    private static let returned: FieldSet = [
        .contentType, .contentDisposition, .contentEncoding, .openaiOrganization, .openaiProcessingMS, .openaiVersion,
        .retryAfter, .retryAfterMS,
        .xShouldRetry, .etag, .lastModified, .acceptRanges, .contentRange,
    ]
    /// An error's body is read up to so many bytes.
    private static let errorBytesMax = 262_144

    static func relay(
        _ head: ResponseHead, from upstream: UpstreamExchange, _ context: RequestContext, tape: JSONTape
    ) async throws(UpstreamError) {
        context.attempt.upstreamStatus = head.status
        context.attempt.upstreamRequestID = upstreamRequestID(head)
        if let target = context.attempt.target, !context.showsOwnCredential {
            target.quota.note(head.fields, at: context.exchange.loop.now)
        }
        let code = head.status.code
        let rescue = context.rescue?.translation(context)
        if code >= 400, let dialect = errorDialect(context) {
            try await ProviderError.translate(head, from: upstream, dialect, context, tape: tape)
        } else if code >= 400 {
            try await ProviderError.relay(head, from: upstream, context, tape: tape)
        } else if code >= 300, code != 304 {
            upstream.cancel(UpstreamError(.cancelled, "redirect"))
            throw UpstreamError(
                .malformed, "it answered with a redirect (\(code)), which is not followed with a credential")
        } else if let translation = context.attempt.translation, translation.asksForWebSocket, code != 101 {
            upstream.cancel(UpstreamError(.cancelled, "no WebSocket"))
            throw UpstreamError(.malformed, "it answered with status \(code) where it was asked for a WebSocket")
        } else if let translation = rescue ?? context.attempt.translation {
            try await TranslatedReply.relay(head, from: upstream, translation, context, tape: tape)
        } else if isEventStream(head) {
            let reply = ResponseHead(head.status, fields: fields(head, context))
            context.stream = stream(reply, from: upstream, context, tape: tape)
        } else if context.isInStream {
            throw UpstreamError(.malformed, "it answered whole where it was asked for a stream")
        } else if isAccounted(context.operation) {
            try await relayWhole(head, from: upstream, context, tape: tape)
        } else {
            try await relayRaw(head, from: upstream, context)
        }
    }

    /// What reads an error; `nil` for one that can pass as it is. Within a stream none can.
    private static func errorDialect(_ context: RequestContext) -> (any ChatDialect)? {
        context.attempt.translation?.dialect ?? context.dialectOfErrors
            ?? (context.isInStream ? context.attempt.provider?.chat : nil)
    }

    /// The relay of a stream in the application's own dialect.
    private static func stream(
        _ head: ResponseHead, from upstream: UpstreamExchange, _ context: RequestContext, tape: JSONTape
    ) -> any RelayedStream {
        if context.dialect == .anthropic {
            return StreamRelay(context, from: upstream, head: head, through: AnthropicStreamInspector(), tape: tape)
        }
        let inspector = OpenAIStreamInspector(context.operation ?? .passage, showsUsage: context.showsUsage)
        return StreamRelay(context, from: upstream, head: head, through: inspector, tape: tape)
    }

    /// Anthropic's name for it has no `x-` (section 2 of its sheet), and AWS has its own.
    private static func upstreamRequestID(_ head: ResponseHead) -> String? {
        if let id = head.fields.text(.xRequestID) { return id }
        let index = head.fields.index(named: "request-id") ?? head.fields.index(named: "x-amzn-requestid")
        return index.map { String(decoding: head.fields.value(at: $0)) }
    }

    static func isEventStream(_ head: ResponseHead) -> Bool {
        guard let index = head.fields.index(of: .contentType) else { return false }
        return head.fields.value(at: index).hasPrefixIgnoringCase("text/event-stream")
    }

    /// Whether replies say what they cost.
    private static func isAccounted(_ operation: OpenAIOperation?) -> Bool {
        switch operation {
        case .chatCompletions, .completions, .embeddings, .responses, .moderations, .images, .audioTranscription: true
        default: false
        }
    }

    /// The fields of our reply: what the provider's allow-listed ones say, and what we say about the exchange.
    static func fields(_ head: ResponseHead, _ context: RequestContext) -> HeaderFields {
        var fields = HeaderFields(reservingBytes: 512, fields: 12)
        context.appendRequestID(to: &fields)
        context.appendTarget(to: &fields)
        let isLimited = LimitHeaders.append(to: &fields, context)
        TranslatedReply.appendReport(context, to: &fields)
        for index in 0..<head.fields.count {
            let field = head.fields.field(at: index)
            if returned.contains(field) {
                fields.append(fieldAt: index, of: head.fields)
            } else if field == .xRequestID {
                fields.append(name: "x-upstream-request-id".utf8Span.span, value: head.fields.value(at: index))
            } else if field == .other {
                let name = head.fields.name(at: index)
                if name.equals("request-id") {
                    fields.append(name: "x-upstream-request-id".utf8Span.span, value: head.fields.value(at: index))
                } else if name.hasPrefix("openai-") || !isLimited && LimitHeaders.isProviders(name) {
                    fields.append(fieldAt: index, of: head.fields)
                }
            }
        }
        return fields
    }

    /// Trailers are held to the same list as fields.
    private static func trailers(_ received: HeaderFields) -> HeaderFields {
        var trailers = HeaderFields()
        for index in 0..<received.count where returned.contains(received.field(at: index)) {
            trailers.append(received.field(at: index), received.value(at: index))
        }
        return trailers
    }

    // MARK: Whole

    private static func relayWhole(
        _ head: ResponseHead, from upstream: UpstreamExchange, _ context: RequestContext, tape: JSONTape
    ) async throws(UpstreamError) {
        guard let body = try await upstream.collect(atMost: context.snapshot.limits.replyBytesBufferedMax) else {
            return try await relayRaw(head, from: upstream, context)
        }
        if isJSON(head), head.status.isSuccess, context.exchange.head.method != .head {
            do throws(JSONError) {
                try tape.scan(body.span)
            } catch {
                throw UpstreamError(.malformed, "its reply is not valid JSON: \(error)")
            }
            context.scannedReply = ScannedReply(body: body, scan: tape.scanCount)
            let root = tape.root(over: body.span)
            if let fault = errorInPlaceOfAnswer(root, context) { throw context.reported(fault) }
            if context.dialectOfErrors != nil, let fault = context.attempt.provider?.adaptation.errors.inBand(root) {
                throw context.reported(fault)
            }
            context.attempt.noteAnswered(by: root["model"])
            context.attempt.usage =
                context.dialect == .anthropic ? Usage(anthropic: root["usage"]) : Usage(openAI: root["usage"])
            if context.attempt.usage == nil, context.operation?.hasStreamOptions == true {
                context.attempt.usage = .estimate(
                    requestByteCount: context.exchange.receivedByteCount, textByteCount: body.count)
            }
        }
        context.status = head.status
        context.firstByteAt = context.exchange.loop.now
        context.exchange.sendHead(ResponseHead(head.status, fields: fields(head, context)), body: .known(body.count))
        context.exchange.send(sharing: body)
        context.exchange.finish()
    }

    /// Servers that answer an error with status 200: it is no success (theme 3.2). A response object may have an error and be one.
    private static func errorInPlaceOfAnswer(_ root: JSONValue, _ context: RequestContext) -> ProviderFault? {
        guard context.operation != .responses, let error = root["error"], error.isObject, root["choices"] == nil,
            root["data"] == nil
        else { return nil }
        return context.dialect == .anthropic ? AnthropicFault.inBand(root) : OpenAIFault.inBand(root)
    }

    private static func isJSON(_ head: ResponseHead) -> Bool {
        guard let index = head.fields.index(of: .contentType) else { return false }
        return head.fields.value(at: index).hasPrefixIgnoringCase("application/json")
    }

    // MARK: Raw

    private static func relayRaw(
        _ head: ResponseHead, from upstream: UpstreamExchange, _ context: RequestContext
    ) async throws(UpstreamError) {
        context.status = head.status
        var length = BodyLength.unknown
        if let index = head.fields.index(of: .contentLength), let count = ASCII.decimal(head.fields.value(at: index)) {
            length = .known(count)
        } else if head.status.hasNoBody {
            length = .none
        }
        context.firstByteAt = context.exchange.loop.now
        context.exchange.sendHead(ResponseHead(head.status, fields: fields(head, context)), body: length)
        let relay = RawRelay(context.exchange, upstream)
        try await upstream.relay(to: relay)
        context.exchange.finish(trailers: upstream.trailers.map(trailers))
    }
}

/// Passes a body on as it comes, at the pace of the slower side.
final class RawRelay: BodySink {
    private let exchange: DownstreamExchange
    private let upstream: UpstreamExchange

    init(_ exchange: DownstreamExchange, _ upstream: UpstreamExchange) {
        self.exchange = exchange
        self.upstream = upstream
        exchange.onDrained = { [unowned upstream] in upstream.resume() }
    }

    func received(_ bytes: Span<UInt8>) {
        exchange.send(bytes)
        if exchange.isCongested { upstream.pause() }
    }
}
