internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceProviders
internal import SluiceUpstream

/// What an application asks for in its own dialect, as a chat completions request: what every provider's encoder reads.
enum CanonicalRequest {
    /// - Returns: the request; the tape holds its document.
    static func make(
        of body: ByteBuffer, _ context: RequestContext, _ provider: Provider, tape: JSONTape
    ) throws(Rejection) -> ByteBuffer {
        if context.dialect == .anthropic { return try fromMessages(body, context, provider, tape) }
        return context.operation == .responses ? try fromResponses(body, context, provider, tape) : body
    }

    private static func fromMessages(
        _ body: ByteBuffer, _ context: RequestContext, _ provider: Provider, _ tape: JSONTape
    ) throws(Rejection) -> ByteBuffer {
        let request = ByteBuffer(capacity: body.count + 512)
        do throws(EncodingRefusal) {
            try MessagesRequest.write(tape.root(over: body.span), for: target(provider), into: request, &context.report)
        } catch {
            throw Rejection(
                .caller, 400, code: "unsupported_value", "\(error.param): \(error.message)", param: error.param)
        }
        try RequestEditing.scan(request, tape)
        return request
    }

    private static func fromResponses(
        _ body: ByteBuffer, _ context: RequestContext, _ provider: Provider, _ tape: JSONTape
    ) throws(Rejection) -> ByteBuffer {
        let request = ByteBuffer(capacity: body.count + 512)
        do throws(EncodingRefusal) {
            try ResponsesRequest.write(tape.root(over: body.span), for: target(provider), into: request, &context.report)
        } catch {
            throw Rejection(
                .caller, 400, code: "unsupported_parameter", "\(error.param): \(error.message)", param: error.param)
        }
        try RequestEditing.scan(request, tape)
        return request
    }

    private static func target(_ provider: Provider) -> MessagesRequest.Target {
        MessagesRequest.Target(
            isOpenAI: provider.dialect == .openai,
            takesMaxCompletionTokens: provider.endpoint.host.hasSuffix(".openai.com"))
    }
}
