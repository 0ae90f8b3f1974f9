internal import SluiceConfig
internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceProviders
internal import SluiceUpstream

/// What is changed in a request's JSON before it goes out: what the model lacks, what the adapter says, and our own wishes.
enum RequestEditing {
    /// Rejects what the provider has no place for.
    static func check(_ context: RequestContext, _ provider: Provider) throws(Rejection) {
        guard context.dialect == .openAI, let operation = context.operation else { return }
        // What it does not have itself is made out of its chat completions.
        if operation == .responses { return }
        if provider.adaptation.has(operation.adapterOperation), provider.speaks(operation) { return }
        if operation == .models {
            throw Rejection(
                .caller, 404, code: "model_not_found",
                "The model is not known here, and provider \(provider.name) cannot be asked for it.", param: "model")
        }
        throw Rejection(
            .caller, 400, code: "unsupported_operation",
            "Provider \(provider.name) (\(provider.dialect.rawValue)) has nothing for \(operation.template).",
            param: "model")
    }

    /// Adapts a chat request to what the model lacks. The tape holds the result's document afterwards.
    ///
    /// - Parameter takesChoices: whether the reply may have several choices.
    static func adapted(
        _ body: ByteBuffer, _ context: RequestContext, _ provider: Provider, takesChoices: Bool, tape: JSONTape
    ) throws(Rejection) -> ByteBuffer {
        if takesChoices {
            let isActive = provider.adaptation.isActive || context.attempt.routed?.overridesCapabilities == true
            guard context.dialect == .openAI, context.operation == .chatCompletions, isActive else { return body }
        }
        let capabilities = context.capabilities
        var adaptation = ChatAdaptation(capabilities, takesChoices: takesChoices)
        let changed: ByteBuffer?
        do throws(EncodingRefusal) {
            changed = try adaptation.adapt(tape.root(over: body.span), &context.attempt.report)
        } catch {
            throw refusal(error)
        }
        context.attempt.answerTool = adaptation.answerTool
        guard let changed else { return body }
        try scan(changed, tape)
        return changed
    }

    static func refusal(_ error: EncodingRefusal) -> Rejection {
        Rejection(.caller, 400, code: "unsupported_value", error.message, param: error.param)
    }

    /// What we wrote ourselves is JSON, unless it has become longer or deeper than is read.
    static func scan(_ body: ByteBuffer, _ tape: JSONTape) throws(Rejection) {
        do throws(JSONError) {
            try tape.scan(body.span)
        } catch {
            throw Rejection(error)
        }
    }

    /// Notes the changes for a provider that speaks OpenAI's dialect.
    ///
    /// - Parameter isAskedForUsage: whether a stream is asked what it cost, which the application did not do.
    static func edits(
        _ root: JSONValue, _ context: RequestContext, _ provider: Provider, _ operation: Adapter.Operation?,
        isAskedForUsage: Bool
    ) -> JSONEdits {
        var edits = JSONEdits()
        if root["model"]?.equals(context.attempt.upstreamModel.utf8Span.span) != true {
            edits.set("model", in: root) { $0.string(context.attempt.upstreamModel) }
        }
        if isAskedForUsage { OpenAIDialect.askForUsage(root, &edits) }
        if let operation, provider.adaptation.changesRequests {
            provider.adaptation.request.apply(
                to: root, model: context.attempt.upstreamModel, operation: operation,
                isStream: context.isStream, &edits,
                &context.attempt.report)
        }
        if context.rescue?.isContinuing == true, provider.dialect == .openai {
            RescueRequest.mark(root, context.capabilities.continuation, &edits)
        }
        return edits
    }

    /// The body that goes out in place of the application's, byte for byte the same but for what is changed.
    static func body(
        _ received: ByteBuffer, _ context: RequestContext, _ provider: Provider, tape: JSONTape
    ) throws(Rejection) -> UpstreamRequest.Body {
        let buffer = try adapted(received, context, provider, takesChoices: true, tape: tape)
        let root = tape.root(over: buffer.span)
        let asks =
            context.isStream && !context.showsUsage && context.dialect == .openAI
            && context.operation?.hasStreamOptions == true
            && context.capabilities.streamUsage
        let operation = context.dialect == .openAI ? context.operation?.adapterOperation : nil
        let edits = edits(root, context, provider, operation, isAskedForUsage: asks)
        try settle(context)
        if edits.isEmpty { return .parts([UpstreamRequest.Part(buffer, 0..<buffer.count)], byteCount: buffer.count) }
        let splices = edits.splices(over: root)
        var parts: [UpstreamRequest.Part] = []
        splices.forEachRun(sharing: buffer) { buffer, range in parts.append(UpstreamRequest.Part(buffer, range)) }
        return .parts(parts, byteCount: splices.byteCount)
    }

    /// Refuses a request that would lose something, where that is wanted.
    static func settle(_ context: RequestContext) throws(Rejection) {
        guard context.unsupported == .strict, let first = context.attempt.report.lost.first else { return }
        let others = context.attempt.report.lost.dropFirst()
        let more = others.isEmpty ? "" : " The same is true of: \(others.joined(separator: ", "))."
        throw Rejection(
            .caller, 400, code: "unsupported_parameter",
            "\(first) cannot be said to the model \(context.attempt.upstreamModel) of \(context.attempt.provider?.name ?? "the provider").\(more)",
            param: first)
    }
}

extension Provider {
    /// Whether the dialect has a form for an operation.
    fileprivate func speaks(_ operation: OpenAIOperation) -> Bool {
        if dialect == .openai || operation == .chatCompletions { return true }
        return operation == .embeddings && chat.embeddings != nil
    }
}
