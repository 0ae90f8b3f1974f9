internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluiceProviders
internal import SluiceUpstream

/// A provider's error reply: read for what it means, and kept as it is where it is an OpenAI error object, put into one where it is
/// not, for the application that may get it in the end.
enum ProviderError {
    private static let bytesMax = 262_144
    private static let excerptBytesMax = 400

    static func relay(
        _ head: ResponseHead, from upstream: UpstreamExchange, _ context: RequestContext, tape: JSONTape
    ) async throws(UpstreamError) {
        let body = try await upstream.collect(atMost: bytesMax)
        if body == nil { upstream.cancel(UpstreamError(.cancelled, "an error's body that is too long")) }
        // Servers that refuse a key like to repeat it.
        if let body { context.attempt.provider?.conceal(in: body) }
        let reply = rewritten(head, body, context, tape: tape) ?? body ?? ByteBuffer()
        var fields = Relaying.fields(head, context)
        if reply !== body {
            fields.remove(.contentType)
            fields.append(.contentType, "application/json")
        }
        fields.append(lowercaseName: "x-sluice-error-owner", owner(of: head.status).rawValue)
        context.attempt.errorReply = ProviderErrorReply(status: head.status, fields: fields, body: reply)
        let dialect: any ChatDialect = context.attempt.provider?.chat ?? OpenAIDialect()
        throw context.reported(fault(head, body ?? ByteBuffer(), dialect, tape))
    }

    /// What an error's reply says, in OpenAI's words, with the time for which the provider wants to be left alone.
    private static func fault(
        _ head: ResponseHead, _ text: ByteBuffer, _ dialect: any ChatDialect, _ tape: JSONTape
    ) -> ProviderFault {
        let isJSON = (try? tape.scan(text.span)) != nil
        var fault =
            isJSON
            ? dialect.fault(head, tape.root(over: text.span), text: text.span)
            : dialect.fault(head, nil, text: text.span)
        if fault.retryAfter == nil {
            // When a bucket is full again says nothing of a server that fails.
            let isStated = head.fields.contains(.retryAfter) || head.fields.contains(.retryAfterMS)
            let fields = isStated || fault.status == 429 ? head.fields : HeaderFields()
            let now = Int(EventLoop.readWallClock() / 1_000_000)
            fault.retryAfter =
                isJSON
                ? RetryAfter.read(fields, body: tape.root(over: text.span), nowMilliseconds: now)
                : RetryAfter.read(fields, body: nil, nowMilliseconds: now)
        }
        if let index = head.fields.index(of: .xShouldRetry), head.fields.value(at: index).equals("false") {
            fault.isRetryable = false
        }
        return fault
    }

    /// Reads the error of a provider that speaks another dialect than the application.
    static func translate(
        _ head: ResponseHead, from upstream: UpstreamExchange, _ dialect: any ChatDialect, _ context: RequestContext,
        tape: JSONTape
    ) async throws(UpstreamError) {
        let body = try await upstream.collect(atMost: bytesMax)
        if body == nil { upstream.cancel(UpstreamError(.cancelled, "an error's body that is too long")) }
        throw context.reported(fault(head, body ?? ByteBuffer(), dialect, tape))
    }

    /// Whose doing a provider's status is: a request that it refuses is the caller's, anything else its own.
    static func owner(of status: Status) -> Rejection.Owner {
        switch status.code {
        case 400, 404, 405, 409, 413, 415, 422: .caller
        case 401, 403: .gateway
        default: .provider
        }
    }

    /// - Returns: `nil` if the body can stay as it is.
    private static func rewritten(
        _ head: ResponseHead, _ body: ByteBuffer?, _ context: RequestContext, tape: JSONTape
    ) -> ByteBuffer? {
        let provider = context.attempt.provider?.name ?? ""
        var message = "Provider \(provider) answered with status \(head.status.code)."
        var code = "upstream_error"
        if let body, (try? tape.scan(body.span)) != nil {
            let root = tape.root(over: body.span)
            if let error = root["error"], error.isObject, error["message"]?.isString == true {
                if context.dialect == .openAI { return nil }
                if context.dialect == .anthropic, root["type"]?.equals("error") == true, error["type"]?.isString == true
                {
                    return nil
                }
                message = error["message"]?.string ?? message
                code = error["code"]?.string ?? error["type"]?.string ?? code
            } else if let text = root["error"]?.string ?? root["message"]?.string ?? root["detail"]?.string {
                message = "Provider \(provider): \(text)"
            } else {
                message += " " + excerpt(body)
            }
        } else if let body, !body.isEmpty {
            message += " " + excerpt(body)
        }
        return ProviderErrorBody.write(message: message, code: code, status: head.status, context)
    }

    private static func excerpt(_ body: ByteBuffer) -> String {
        String(decoding: body.span.extracting(0..<min(body.count, excerptBytesMax)))
    }

    /// The beginning of what a provider says, short enough for a log line and an error message.
    static func excerpt(_ text: String) -> String {
        let bytes = text.utf8Span.span
        return bytes.count <= excerptBytesMax ? text : String(decoding: bytes.extracting(0..<excerptBytesMax))
    }
}

/// An error of a provider, in the caller's dialect.
enum ProviderErrorBody {
    static func write(message: String, code: String, status: Status, _ context: RequestContext) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: message.utf8.count + 160)
        var json = JSONWriter(into: buffer)
        if context.dialect == .platform {
            PlatformReply.writeError(
                status: status, message: message, type: "provider_error", code: code, owner: .provider, context, &json)
            return buffer
        }
        if context.dialect == .anthropic {
            ErrorReply.writeAnthropic(message, status, context, &json)
            return buffer
        }
        json.object { json in
            json.key("error")
            json.object { json in
                json.key("message")
                json.string(message)
                json.key("type")
                json.string(status.code < 500 ? "invalid_request_error" : "api_error")
                json.key("param")
                json.null()
                json.key("code")
                json.string(code)
            }
        }
        return buffer
    }
}
