internal import SluiceConfig
internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceProviders
internal import SluiceUpstream

/// Makes the provider's request out of the application's: the same body but for what policy changes, and fields from an allow-list.
enum UpstreamRequestBuilder {
    /// Fields of the application that providers see. Everything else stays here: cookies, forwarding fields, and above all the
    /// application's own credential.
    private static let forwarded: FieldSet = [
        .accept, .contentType, .userAgent, .idempotencyKey, .xClientRequestID, .traceparent, .tracestate, .openaiBeta,
        .range,
        .ifNoneMatch,
    ]
    /// Fields that mean something to OpenAI, and to servers that imitate it.
    private static let openAIFields: FieldSet = [.openaiOrganization, .openaiProject]

    static func build(
        _ request: IncomingRequest, _ context: RequestContext, _ provider: Provider, tape: JSONTape
    ) throws(Rejection) -> UpstreamRequest {
        UpstreamRequest(
            method: context.exchange.head.method, target: try target(context, provider),
            fields: fields(context, provider),
            body: try body(request, context, provider, tape: tape))
    }

    // MARK: Target

    /// The base URL's path, and what follows `/v1` of the application's path and query, or the adapter's path in its place.
    private static func target(_ context: RequestContext, _ provider: Provider) throws(Rejection) -> [UInt8] {
        let received = context.exchange.head.target
        var target: [UInt8] = []
        target.reserveCapacity(provider.basePath.count + received.count)
        target.append(contentsOf: provider.basePath)
        if context.dialect != .anthropic, provider.adaptation.movesPaths,
            let operation = context.operation?.adapterOperation
        {
            let rest = received[3...]
            let usual = operation.usualPath.utf8
            let tail =
                rest.starts(with: usual)
                ? Array(rest.dropFirst(usual.count))
                : rest.firstIndex(of: UInt8(ascii: "?")).map { Array(rest[$0...]) } ?? []
            return target + provider.adaptation.target(operation, model: context.attempt.upstreamModel, rest: tail.span)
        }
        target.append(contentsOf: received[3...])  // without "/v1"
        return target
    }

    // MARK: Fields

    private static func fields(_ context: RequestContext, _ provider: Provider) -> HeaderFields {
        let received = context.exchange.head.fields
        let passesTrace = context.trace == nil
        var fields = HeaderFields(reservingBytes: 768, fields: 16)
        // What opens Sluice's own door is nothing for providers.
        let isForwarding = context.forwardsCredential(to: provider) && received.contains(.authorization)
        provider.authorize(&fields, key: isForwarding ? nil : context.attempt.key)
        if isForwarding { context.attempt.key = nil }
        let configuredCount = fields.count
        for index in 0..<received.count {
            let field = received.field(at: index)
            if !passesTrace, field == .traceparent || field == .tracestate { continue }
            if forwarded.contains(field) || provider.takesOpenAIFields && openAIFields.contains(field) {
                // What the configuration says is not overruled, and two readers of one type could see two types.
                if let known = fields.index(of: field), known < configuredCount || field == .contentType { continue }
                fields.append(fieldAt: index, of: received)
            } else if field == .other, provider.takesOpenAIFields, received.name(at: index).hasPrefix("x-stainless-") {
                fields.append(fieldAt: index, of: received)
            } else if field == .authorization, isForwarding, !fields.contains(.authorization) {
                fields.append(.authorization, received.value(at: index))
            }
        }
        if context.dialect == .anthropic { addAnthropicFields(of: received, to: &fields) }
        fields.append(.xRequestID, context.requestID)
        if !passesTrace { context.appendTrace(to: &fields) }
        return fields
    }

    /// The version and the beta features that the application's words are in go with them; what the configuration says stays.
    private static func addAnthropicFields(of received: borrowing HeaderFields, to fields: inout HeaderFields) {
        if !fields.contains(.anthropicBeta) {
            var position = received.index(of: .anthropicBeta)
            while let index = position {
                fields.append(fieldAt: index, of: received)
                position = received.index(of: .anthropicBeta, from: index + 1)
            }
        }
        if fields.contains(.anthropicVersion) { return }
        if let index = received.index(of: .anthropicVersion) {
            fields.append(fieldAt: index, of: received)
        } else {
            fields.append(.anthropicVersion, AnthropicDialect.version)
        }
    }

    /// Fields for a request whose body we wrote ourselves.
    private static let forwardedWithTranslation: FieldSet = [.userAgent, .xClientRequestID, .traceparent, .tracestate]

    static func translatedFields(_ context: RequestContext, _ provider: Provider) -> HeaderFields {
        let received = context.exchange.head.fields
        var fields = HeaderFields(reservingBytes: 768, fields: 16)
        provider.authorize(&fields, key: context.attempt.key)
        fields.append(.contentType, "application/json")
        if context.isStream { fields.append(.accept, "text/event-stream") }
        for index in 0..<received.count {
            let field = received.field(at: index)
            if context.trace != nil, field == .traceparent || field == .tracestate { continue }
            if forwardedWithTranslation.contains(field), !fields.contains(field) {
                fields.append(fieldAt: index, of: received)
            }
        }
        fields.append(.xRequestID, context.requestID)
        if context.trace != nil { context.appendTrace(to: &fields) }
        return fields
    }

    // MARK: Body

    private static func body(
        _ request: IncomingRequest, _ context: RequestContext, _ provider: Provider, tape: JSONTape
    ) throws(Rejection) -> UpstreamRequest.Body {
        switch request.body {
        case .none: return .none
        case .json(let buffer): return try RequestEditing.body(buffer, context, provider, tape: tape)
        case .whole(let buffer):
            guard let range = request.formModelRange, context.model != context.attempt.upstreamModel else {
                return .parts([UpstreamRequest.Part(buffer, 0..<buffer.count)], byteCount: buffer.count)
            }
            let name = ByteBuffer(context.attempt.upstreamModel)
            let parts = [
                UpstreamRequest.Part(buffer, 0..<range.lowerBound), UpstreamRequest.Part(name, 0..<name.count),
                UpstreamRequest.Part(buffer, range.upperBound..<buffer.count),
            ]
            return .parts(parts, byteCount: buffer.count - range.count + name.count)
        case .streamed:
            let exchange = context.exchange
            let limit = context.snapshot.limits.uploadBytesMax
            return .streamed(exchange.bodyLength) { () async throws(UpstreamError) in
                do throws(DownstreamFailure) {
                    return try await exchange.nextBodyBytes(atMost: limit)
                } catch {
                    throw UpstreamError(.cancelled, "the request body did not arrive whole")
                }
            }
        }
    }
}
