internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluiceProviders

/// Answers in place of providers when none of them does, where the configuration says with what: in the application's dialect,
/// whole or as a stream, and marked.
///
/// Never for what is the caller's own doing, nor for limits: those are told as they are.
enum Degrading {
    /// Rejections of the gateway's that have their cause at the provider.
    private static let codes: Set<String> = ["upstream_busy", "provider_busy", "queue_timeout"]

    /// Whether there is something to answer with in place of such a failure.
    static func isPossible(_ rejection: Rejection, _ context: RequestContext) -> Bool {
        if context.exchange.isHeadSent || !isProvidersDoing(rejection, context) { return false }
        return fixedReply(context) != nil || Caching.stale(for: context) != nil
    }

    /// - Returns: whether it was answered.
    static func answer(
        _ rejection: Rejection, _ context: RequestContext, _ runtime: CacheRuntime, tape: JSONTape
    ) -> Bool {
        if !isPossible(rejection, context) { return false }
        let outcome = context.outcome
        context.outcome = .degraded
        let isFixedFirst = context.snapshot.degraded?.usesStale == false
        if isFixedFirst, answerFixed(rejection, context, tape) { return true }
        context.degraded = .stale
        if Caching.answersStale(rejection, context, runtime) { return true }
        if !isFixedFirst, answerFixed(rejection, context, tape) { return true }
        context.degraded = nil
        context.outcome = outcome
        return false
    }

    private static func fixedReply(_ context: RequestContext) -> DegradedPolicy.Reply? {
        guard let policy = context.snapshot.degraded, !context.countsTokens else { return nil }
        switch context.operation {
        case .chatCompletions, .completions, .responses: break
        default: return nil
        }
        return policy.models[context.plan.route?.name ?? context.model] ?? policy.reply
    }

    private static func answerFixed(_ rejection: Rejection, _ context: RequestContext, _ tape: JSONTape) -> Bool {
        guard let reply = fixedReply(context), let policy = context.snapshot.degraded else { return false }
        var echo: ResponsesEcho?
        if context.operation == .responses {
            guard let request = context.request, case .json(let body) = request.body else { return false }
            context.load(request, on: tape)
            echo = ResponsesEcho(of: tape.root(over: body.span))
        }
        // It is not to be kept for others.
        Recording.end(context)
        context.degraded = .fixed
        let status = Status(policy.status)
        // With another status SDKs read no stream.
        if context.isStream, status.isSuccess {
            stream(reply, status, echo, context, tape: tape)
        } else {
            whole(reply, status, echo, rejection, context, tape: tape)
        }
        return true
    }

    private static func isProvidersDoing(_ rejection: Rejection, _ context: RequestContext) -> Bool {
        switch rejection.owner {
        case .provider: true
        case .gateway: codes.contains(rejection.code) || context.attempt.fault.map { $0.key != .fine } ?? false
        case .caller, .policy: false
        }
    }

    private static func whole(
        _ reply: DegradedPolicy.Reply, _ status: Status, _ echo: ResponsesEcho?, _ rejection: Rejection,
        _ context: RequestContext, tape: JSONTape
    ) {
        let assembly = ReplyAssembly()
        write(reply, into: assembly, tape: tape)
        let body = ByteBuffer(capacity: assembly.byteCount + 512)
        if context.operation == .completions {
            CompletionBody.write(assembly, context, into: body)
        } else {
            ReplyFormat.write(assembly, context, echo, into: body)
        }
        var fields = TranslatedReply.fields("application/json", context)
        if !status.isSuccess { ErrorReply.appendAdvice(rejection, status, to: &fields) }
        begin(context, status)
        context.exchange.sendHead(ResponseHead(status, fields: fields), body: .known(body.count))
        context.exchange.send(sharing: body)
        context.exchange.finish()
    }

    private static func stream(
        _ reply: DegradedPolicy.Reply, _ status: Status, _ echo: ResponsesEcho?, _ context: RequestContext,
        tape: JSONTape
    ) {
        let events: ByteBuffer
        if context.operation == .completions {
            let assembly = ReplyAssembly()
            write(reply, into: assembly, tape: tape)
            events = CompletionBody.events(assembly, context, tape: tape)
        } else {
            let writer = ReplyFormat.streamWriter(context, echo)
            write(reply, into: writer, tape: tape)
            writer.finishStream()
            events = writer.output
        }
        begin(context, status)
        var head = ReplyFormat.streamHead(context)
        head.status = status
        context.exchange.sendHead(head, body: .unknown)
        context.exchange.send(sharing: events)
        context.exchange.finish()
    }

    private static func begin(_ context: RequestContext, _ status: Status) {
        context.status = status
        context.firstByteAt = context.exchange.loop.now
    }

    private static func write(_ reply: DegradedPolicy.Reply, into sink: any ReplySink, tape: JSONTape) {
        switch reply {
        case .text(let text):
            sink.text(ReplyText(text.utf8Span.span))
            sink.finish(.stop)
            sink.usage(Usage())
        case .completion(let text):
            let document = ByteBuffer(text)
            // It was valid when the configuration was read.
            try? tape.scan(document.span)
            let root = tape.root(over: document.span)
            let hasReason = root["choices"]?[0]?["finish_reason"]?.isString == true
            let hasUsage = root["usage"]?.isObject == true
            OpenAIDialect().makeDecoder().decode(whole: root, into: sink)
            if !hasReason { sink.finish(.stop) }
            if !hasUsage { sink.usage(Usage()) }
        }
    }
}
