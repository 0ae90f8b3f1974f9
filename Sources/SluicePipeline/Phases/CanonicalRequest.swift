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
        let isMessages = context.dialect == .anthropic
        if !isMessages, context.operation != .responses { return body }
        let root = tape.root(over: body.span)
        let request = ByteBuffer(capacity: body.count + 512)
        do throws(EncodingRefusal) {
            if isMessages {
                try MessagesRequest.write(root, for: target(provider), into: request, &context.attempt.report)
            } else {
                try ResponsesRequest.write(root, for: target(provider), into: request, &context.attempt.report)
            }
        } catch {
            let code = isMessages ? "unsupported_value" : "unsupported_parameter"
            throw Rejection(.caller, 400, code: code, "\(error.param): \(error.message)", param: error.param)
        }
        try RequestEditing.scan(request, tape)
        return request
    }

    private static func target(_ provider: Provider) -> ChatTarget {
        ChatTarget(
            isOpenAI: provider.dialect == .openai,
            takesMaxCompletionTokens: provider.endpoint.host.hasSuffix(".openai.com"))
    }
}
