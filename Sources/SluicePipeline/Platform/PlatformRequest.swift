internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceProviders

/// The platform's envelope around a chat request, made into one in OpenAI's dialect.
///
///     {"model", "parameters": {"prompt" or "messages", "temperature", "max_tokens", "prompt_id", "stream", …},
///      "user_info": {"user_id", "user_role"}, "request_id"}
///
/// As JSON, or as a form (urlencoded or multipart) with the same fields: `parameters` and `user_info` as JSON text, or their members
/// as `parameters.prompt`, `parameters[prompt]` or just `prompt`.
enum PlatformRequest {
    /// Members of `parameters` that are the envelope's own; every other one is passed on as it is.
    private static let ownParameters: [StaticString] = [
        "prompt", "messages", "prompt_id", "stream", "model", "stream_options", "user",
    ]

    /// - Returns: the chat request; the tape holds its document, and the context what the envelope says.
    static func read(_ body: ByteBuffer, _ context: RequestContext, tape: JSONTape) throws(Rejection) -> ByteBuffer {
        let envelope = try PlatformForm.json(body, context) ?? body
        do throws(JSONError) {
            try tape.scan(envelope.span)
        } catch {
            throw Rejection(error)
        }
        let request = try chatRequest(tape.root(over: envelope.span), context)
        do throws(JSONError) {
            try tape.scan(request.span)
        } catch {
            throw Rejection(error)
        }
        try Intake.readFacts(tape.root(over: request.span), context)
        return request
    }

    private static func chatRequest(_ root: JSONValue, _ context: RequestContext) throws(Rejection) -> ByteBuffer {
        guard root.isObject else {
            throw Rejection(.caller, 400, code: "invalid_request", "The request body must be a JSON object.")
        }
        guard let model = root["model"] else { throw Intake.missingModel() }
        if let id = root["request_id"]?.string, !id.isEmpty { context.envelopeRequestID = String(id.prefix(128)) }
        guard let parameters = root["parameters"], parameters.isObject else {
            throw Rejection(
                .caller, 400, code: "missing_required_parameter", "The request has no parameters object.",
                param: "parameters")
        }
        context.scene = parameters["prompt_id"]?.string
        if context.snapshot.asksWhoCalls { Identification.readEnvelope(root, context) }
        let buffer = ByteBuffer(capacity: root.range.count + 64)
        var json = JSONWriter(into: buffer)
        json.beginObject()
        json.key("model")
        json.value(model)
        try writeMessages(parameters, &json)
        if let user = root["user_info"]?["user_id"]?.string {
            json.key("user")
            json.string(user)
        }
        if let stream = parameters["stream"] {
            json.key("stream")
            json.value(stream)
        } else if let stream = root["stream"] {
            json.key("stream")
            json.value(stream)
        }
        writeOthers(parameters, &json)
        json.endObject()
        return buffer
    }

    private static func writeMessages(_ parameters: JSONValue, _ json: inout JSONWriter) throws(Rejection) {
        json.key("messages")
        if let messages = parameters["messages"] {
            json.value(messages)
            return
        }
        guard let prompt = parameters["prompt"] else {
            throw Rejection(
                .caller, 400, code: "missing_required_parameter", "parameters has neither a prompt nor messages.",
                param: "parameters.prompt")
        }
        guard prompt.isString else {
            throw Rejection(
                .caller, 400, code: "invalid_type", "The prompt must be a string.", param: "parameters.prompt")
        }
        json.beginArray()
        json.beginObject()
        json.key("role")
        json.string("user")
        json.key("content")
        json.value(prompt)
        json.endObject()
        json.endArray()
    }

    private static func writeOthers(_ parameters: JSONValue, _ json: inout JSONWriter) {
        var members = parameters.members
        while let member = members.next() {
            var isOwn = false
            for name in ownParameters where member.isNamed(name) { isOwn = true }
            if isOwn { continue }
            guard let key = member.key.string else { continue }
            json.key(key.utf8Span.span)
            json.value(member.value)
        }
    }
}
