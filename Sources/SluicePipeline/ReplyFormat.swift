internal import SluiceCore
internal import SluiceHTTP
internal import SluiceNet
internal import SluiceProviders

/// How replies that we write ourselves look in the dialect that the application speaks.
enum ReplyFormat {
    /// - Parameter echo: what a reply in the responses dialect repeats of its request.
    static func streamWriter(_ context: RequestContext, _ echo: ResponsesEcho? = nil) -> any StreamWriter {
        if let echo = echo ?? context.attempt.translation?.echo {
            let writer = ResponsesStreamWriter(
                identity(context), echo, byteCountMax: context.snapshot.limits.bodyBytesMax)
            context.attempt.responsesWriter = writer
            return writer
        }
        return switch context.dialect {
        case .openAI: ChatStreamWriter(identity(context), showsUsage: context.showsUsage)
        case .anthropic: MessagesStreamWriter(identity(context))
        case .platform: PlatformStreamWriter(context)
        }
    }

    /// For a stream that a provider has begun in the application's own dialect, and another one goes on with.
    static func resumingWriter(_ opening: ReplyOpening, _ context: RequestContext) -> any StreamWriter {
        context.dialect == .anthropic
            ? MessagesStreamWriter(resuming: opening, identity(context))
            : ChatStreamWriter(resuming: opening, identity(context), showsUsage: context.showsUsage)
    }

    /// Writes a whole reply.
    static func write(
        _ reply: ReplyAssembly, _ context: RequestContext, _ echo: ResponsesEcho? = nil, into buffer: ByteBuffer
    ) {
        var identity = identity(context)
        if let echo = echo ?? context.attempt.translation?.echo {
            return ResponsesReplyBody.write(reply, &identity, echo, into: buffer)
        }
        switch context.dialect {
        case .openAI: ChatReplyBody.write(reply, &identity, into: buffer)
        case .anthropic: MessagesReplyBody.write(reply, &identity, into: buffer)
        case .platform: PlatformReply.write(reply, context, into: buffer)
        }
    }

    static func streamHead(_ context: RequestContext) -> ResponseHead {
        var fields = TranslatedReply.fields("text/event-stream; charset=utf-8", context)
        fields.append(.cacheControl, "no-cache")
        return ResponseHead(200, fields: fields)
    }

    static func identity(_ context: RequestContext) -> ReplyIdentity {
        let now = EventLoop.readWallClock()
        return ReplyIdentity(
            requestID: context.requestID, created: Int(now / 1_000_000_000), model: model(context),
            seed: UInt64(truncatingIfNeeded: now) ^ UInt64(truncatingIfNeeded: context.requestID.hashValue))
    }

    /// Who answers. What no provider has said, a degraded answer and the built-in model's, comes from the model that was asked for.
    private static func model(_ context: RequestContext) -> String {
        let answering = context.attempt.upstreamModel
        return context.degraded == nil && !answering.isEmpty ? answering : context.model
    }
}
