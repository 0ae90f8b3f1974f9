internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceIdentity
internal import SluiceProviders

/// Finds out what an exchange is about from its head, and answers what needs no provider.
enum Reception {
    /// What is asked for: of the body of a request that needs a provider, what it has to be.
    enum Demand {
        /// A token of Sluice's own: who asks proves himself in the body.
        case token(TokenOffice)
        case models
        case model(String)
        case platformModels
        case openAI(OpenAIOperation)
        /// A request in Anthropic's dialect, for a message or the count of its tokens.
        case messages
        /// The platform's envelope around a chat request.
        case platformChat
        /// Something about the gateway itself.
        case management
    }

    /// - Returns: `nil` when the exchange has been answered: health is for everybody.
    static func receive(
        _ context: RequestContext, _ status: GatewayStatus, _ management: (any ManagementHandler)?
    ) throws(Rejection) -> Demand? {
        let head = context.exchange.head
        let target: RequestTarget
        do throws(RequestTarget.Invalid) {
            target = try RequestTarget(head.target)
        } catch {
            throw Rejection(.caller, error.status, code: "invalid_path", "\(error.message)")
        }
        // Spelled so: what follows it is put after the provider's path as it was sent.
        if target.segment(0, is: "v1"), head.target.span.hasPrefix("/v1") {
            if target.segment(1, is: "messages") { return try receiveMessages(target, context) }
            return try receiveOpenAI(target, context)
        }
        if target.segment(0, is: "api"), target.segment(1, is: "v1") {
            return try receivePlatform(target, context, management)
        }
        if let office = context.snapshot.tokenOffice {
            if target.segmentCount == 2, target.segment(0, is: "oauth"), target.segment(1, is: "token") {
                context.route = "/oauth/token"
                if context.exchange.head.method != .post { throw methodNotAllowed("POST", context) }
                return .token(office)
            }
            if try TokenIssuing.answersKeys(target, context, office) { return nil }
        }
        if isManagement(target, context, management) { return .management }
        try LocalReplies.health(target, context, status)
        return nil
    }

    /// Answers what is known here, once it is known who asks.
    ///
    /// - Returns: what has to be asked of a provider; `nil` when the exchange has been answered.
    static func answer(
        _ demand: Demand, _ context: RequestContext, _ directory: ModelDirectory
    ) throws(Rejection) -> Demand? {
        switch demand {
        case .models: ModelReplies.list(context, directory)
        case .platformModels: ModelReplies.platformList(context, directory)
        case .model(let id):
            if let access = context.restrictingAccess, !ModelNames(id, context.snapshot).areAllowed(by: access) {
                throw Rejection(
                    .caller, 404, code: "model_not_found",
                    "There is no such model that this credential may use. GET /v1/models lists those that there are.",
                    param: "model")
            }
            // A model that only its provider knows about is asked for there.
            if !ModelReplies.single(id, context, directory) { return .openAI(.passage) }
        case .token, .openAI, .messages, .platformChat, .management: return demand
        }
        return nil
    }

    private static func receiveOpenAI(
        _ target: borrowing RequestTarget, _ context: RequestContext
    ) throws(Rejection) -> Demand? {
        let head = context.exchange.head
        let method = head.method
        guard let operation = OpenAIOperation(target, method: method) else {
            let allowed = OpenAIOperation.allowedMethods(target)
            if allowed.utf8CodeUnitCount == 0 { throw unknownURL(context) }
            throw methodNotAllowed(allowed, context)
        }
        context.operation = operation
        context.route = operation.template
        if operation != .models { return .openAI(operation) }
        // Both dialects have the path; Anthropic's says so.
        if head.fields.contains(.anthropicVersion) { context.dialect = .anthropic }
        return target.segmentCount == 2 ? .models : .model(String(decoding: target.segment(2)))
    }

    private static func receiveMessages(
        _ target: borrowing RequestTarget, _ context: RequestContext
    ) throws(Rejection) -> Demand? {
        context.dialect = .anthropic
        if target.segmentCount == 2 {
            context.route = "/v1/messages"
            context.operation = .chatCompletions
        } else if target.segmentCount == 3, target.segment(2, is: "count_tokens") {
            context.route = "/v1/messages/count_tokens"
            context.operation = .passage
            context.countsTokens = true
        } else {
            throw unknownURL(context)
        }
        if context.exchange.head.method != .post { throw methodNotAllowed("POST", context) }
        return .messages
    }

    private static func receivePlatform(
        _ target: borrowing RequestTarget, _ context: RequestContext, _ management: (any ManagementHandler)?
    ) throws(Rejection) -> Demand? {
        context.dialect = .platform
        let method = context.exchange.head.method
        if target.segmentCount == 4, target.segment(2, is: "chat"), target.segment(3, is: "completions") {
            context.route = "/api/v1/chat/completions"
            context.operation = .chatCompletions
            if method != .post { throw methodNotAllowed("POST", context) }
            return .platformChat
        }
        if target.segmentCount == 3, target.segment(2, is: "models") {
            context.route = "/api/v1/models"
            if method != .get && method != .head {
                if isManagement(target, context, management) { return .management }
                throw methodNotAllowed("GET, HEAD", context)
            }
            return .platformModels
        }
        if isManagement(target, context, management) { return .management }
        throw unknownURL(context)
    }

    /// Whether the request is about the gateway itself: it is answered when it is known who asks.
    private static func isManagement(
        _ target: borrowing RequestTarget, _ context: RequestContext, _ management: (any ManagementHandler)?
    ) -> Bool {
        guard let route = management?.route(of: target) else { return false }
        context.route = route
        context.dialect = .openAI
        return true
    }

    static func unknownURL(_ context: RequestContext) -> Rejection {
        let head = context.exchange.head
        let path = String(decoding: head.path)
        return Rejection(
            .caller, 404, code: "unknown_url",
            "There is no \(head.method.name) \(path). The OpenAI API and Anthropic's /v1/messages are under /v1, the platform's under /api/v1."
        )
    }

    static func methodNotAllowed(_ allowed: StaticString, _ context: RequestContext) -> Rejection {
        context.allowedMethods = allowed
        let head = context.exchange.head
        let path = String(decoding: head.path)
        return Rejection(
            .caller, 405, code: "method_not_allowed",
            "\(head.method.name) is not allowed for \(path); use \(allowed).")
    }
}
