internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceProviders

/// What was read of a request: its body, and what routing and policy want to know of it.
struct IncomingRequest {
    enum Body {
        case none
        /// JSON that has been validated.
        case json(ByteBuffer)
        /// A form or another body that was read whole.
        case whole(ByteBuffer)
        /// A body that is passed on while it comes.
        case streamed
    }

    var body: Body
    /// Where the model's name stands in a form, if that is where it stands.
    var formModelRange: Range<Int>?
}

extension RequestContext {
    /// Has the tape hold the request's document, if something else was read since: by others on this worker, while this exchange
    /// waited, or by ourselves.
    func load(_ request: IncomingRequest, on tape: JSONTape) {
        guard case .json(let body) = request.body, tape.scanCount != requestScan else { return }
        // It was valid the first time.
        try? tape.scan(body.span)
        requestScan = tape.scanCount
    }
}

/// Reads what has to be read before a provider can be chosen.
enum Intake {
    static func read(
        _ demand: Reception.Demand, _ context: RequestContext, tape: JSONTape
    ) async throws(Rejection) -> IncomingRequest {
        switch demand {
        case .token, .models, .model, .platformModels, .management: return IncomingRequest(body: .none)
        case .platformChat:
            let body = try await collect(context)
            return IncomingRequest(body: .json(try PlatformRequest.read(body, context, tape: tape)))
        case .messages:
            let request = try readJSON(try await collect(context), context, tape: tape)
            // Messages always say what they cost.
            context.showsUsage = true
            return request
        case .openAI(let operation):
            switch operation.bodyKind {
            case .json: return try readJSON(try await collect(context), context, tape: tape)
            case .form: return try readForm(try await collect(context), context, tape: tape)
            case .opaque: return try readOpaque(context)
            }
        }
    }

    private static func collect(_ context: RequestContext) async throws(Rejection) -> ByteBuffer {
        do throws(DownstreamFailure) {
            return try await context.exchange.collectBody(atMost: context.snapshot.limits.bodyBytesMax)
        } catch {
            throw Rejection(error)
        }
    }

    /// The body is left where it is; one that says that it is too long never gets as far as a provider.
    private static func readOpaque(_ context: RequestContext) throws(Rejection) -> IncomingRequest {
        let limit = context.snapshot.limits.uploadBytesMax
        switch context.exchange.bodyLength {
        case .none: return IncomingRequest(body: .none)
        case .known(let byteCount) where byteCount > limit:
            throw Rejection(.bodyTooLarge(limit: limit), limitName: "limits.upload_bytes_max")
        case .known, .unknown: return IncomingRequest(body: .streamed)
        }
    }

    private static func readJSON(
        _ body: ByteBuffer, _ context: RequestContext, tape: JSONTape
    ) throws(Rejection) -> IncomingRequest {
        do throws(JSONError) {
            try tape.scan(body.span)
        } catch {
            throw Rejection(error)
        }
        try readFacts(tape.root(over: body.span), context)
        return IncomingRequest(body: .json(body))
    }

    /// What routing and accounting want to know; everything else in the request is none of our business.
    static func readFacts(_ root: JSONValue, _ context: RequestContext) throws(Rejection) {
        guard root.isObject else {
            throw Rejection(.caller, 400, code: "invalid_request", "The request body must be a JSON object.")
        }
        guard let model = root["model"] else { throw missingModel() }
        guard let name = model.string, !name.isEmpty else {
            throw Rejection(.caller, 400, code: "invalid_type", "The model must be a string.", param: "model")
        }
        // Two readers could take different ones: what is checked must be what is served.
        if root.count(of: "model") > 1 {
            throw Rejection(.caller, 400, code: "invalid_request", "The model is given more than once.", param: "model")
        }
        try take(model: name, context)
        if let stream = root["stream"], !stream.isNull {
            guard let isStream = stream.bool, root.count(of: "stream") == 1 else {
                throw Rejection(
                    .caller, 400, code: "invalid_type", "stream must be true or false, once.", param: "stream")
            }
            context.isStream = isStream
        }
        if context.isStream { context.showsUsage = root["stream_options"]?["include_usage"]?.bool ?? false }
        if context.snapshot.asksWhoCalls { Identification.readUser(root, context) }
        if context.operation == .chatCompletions { try checkMessages(root) }
    }

    private static func checkMessages(_ root: JSONValue) throws(Rejection) {
        guard let messages = root["messages"] else {
            throw Rejection(
                .caller, 400, code: "missing_required_parameter", "The request has no messages.", param: "messages")
        }
        guard messages.isArray else {
            throw Rejection(.caller, 400, code: "invalid_type", "messages must be an array.", param: "messages")
        }
    }

    /// Names go into logs, errors and tables: no provider has such long ones.
    private static let modelBytesMax = 512

    private static func take(model name: String, _ context: RequestContext) throws(Rejection) {
        guard name.utf8.count <= modelBytesMax else {
            throw Rejection(
                .caller, 400, code: "invalid_value", "The model's name is longer than \(modelBytesMax) bytes.",
                param: "model")
        }
        context.model = name
    }

    private static func readForm(
        _ body: ByteBuffer, _ context: RequestContext, tape: JSONTape
    ) throws(Rejection) -> IncomingRequest {
        let fields = context.exchange.head.fields
        guard let index = fields.index(of: .contentType) else { return try readJSON(body, context, tape: tape) }
        let type = fields.value(at: index)
        guard type.hasPrefixIgnoringCase("multipart/form-data") else { return try readJSON(body, context, tape: tape) }
        let form: MultipartForm
        do throws(FormError) {
            form = try MultipartForm(body.span, contentType: type)
        } catch {
            throw Rejection(.caller, error.status, code: "invalid_form", "\(error.message)")
        }
        if let stream = form.part(named: "stream") {
            context.isStream = body.span.extracting(stream.body).equals("true")
        }
        var request = IncomingRequest(body: .whole(body))
        if let part = form.part(named: "model") {
            // Two readers could take different ones: what is checked must be what is served.
            if form.parts.count(where: { $0.name == part.name }) > 1 {
                throw Rejection(
                    .caller, 400, code: "invalid_request", "The model is given more than once.", param: "model")
            }
            try take(model: String(decoding: body.span.extracting(part.body)), context)
            request.formModelRange = part.body
        }
        return request
    }

    static func missingModel() -> Rejection {
        Rejection(
            .caller, 400, code: "missing_model", "The request names no model. GET /v1/models lists what there is.",
            param: "model")
    }
}
