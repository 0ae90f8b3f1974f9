internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders
internal import SluiceStorage

/// What is made of a reply that has gone out, for those who ask the same later.
enum KeptAnswer {
    case entry(CacheEntry)
    /// It is complete, and nobody else's.
    case unshareable
    /// There is none: whoever waits has to ask.
    case none

    /// For so long everybody asks for himself after an answer that was not to be shared.
    private static let unshareableTTL = Duration.seconds(10)
    /// The answer of a model that stood in is good until the one that was asked for may be back.
    private static let standInTTL = Duration.seconds(10)
    /// A provider's word that the same request would get the same error; 401, 403, 408, 409 and 429 may pass.
    private static let definite: [Status] = [400, 404, 413, 422]
    /// Refusals of what is said, which another provider or another day may see differently.
    private static let filtered = ["content_filter", "content_policy_violation", "data_inspection_failed"]

    static func make(
        of recording: ReplyRecording, _ request: CacheRequest, _ context: RequestContext, _ policy: CachePolicy,
        _ runtime: CacheRuntime, tape: JSONTape
    ) -> KeptAnswer {
        if context.rejection != nil || context.outcome == .providerError {
            return failure(recording, request, context, runtime)
        }
        guard recording.isComplete, recording.status == 200, context.outcome == .complete else { return .none }
        guard let body = body(recording, request.form, context, runtime.tape), body.count <= policy.entryByteCountMax,
            let tape = scanned(body, context, runtime, tape: tape)
        else { return .unshareable }
        let verdict = AnswerCheck.verdict(tape.root(over: body.span), request.form)
        if verdict == .refused { return .unshareable }
        var rule = request.rule
        rule.ttl = policy.jittered(min(request.wishes.ttl ?? rule.ttl, policy.ttlMax), runtime.nextRandom())
        if standsIn(context) {
            rule.ttl = min(rule.ttl, standInTTL)
            rule.staleWhileRevalidate = .zero
            rule.staleIfError = .zero
        }
        return .entry(
            CacheEntry(
                request.form.kept, trimmed(body),
                Lifetime(
                    createdAt: runtime.loop.now, ttl: rule.ttl, staleWhileRevalidate: rule.staleWhileRevalidate,
                    staleIfError: rule.staleIfError),
                isOnlyWhole: verdict == .onlyWhole, labels: labels(context)))
    }

    /// Whether another model answered than the one that was asked for.
    private static func standsIn(_ context: RequestContext) -> Bool {
        guard let route = context.plan.route, let target = context.attempt.routed else { return false }
        return target.model != route.model
    }

    /// The tape that has the answer's document: where it went through as it came it has been read already.
    private static func scanned(
        _ body: ByteBuffer, _ context: RequestContext, _ runtime: CacheRuntime, tape: JSONTape
    ) -> JSONTape? {
        if let scanned = context.scannedReply, scanned.body === body, scanned.scan == tape.scanCount { return tape }
        return (try? runtime.tape.scan(body.span)) == nil ? nil : runtime.tape
    }

    /// Marks a request whose answer is not to be shared: those who come now do not wait for each other.
    static func marker(_ context: RequestContext, now: Instant) -> CacheEntry {
        CacheEntry(
            .nothing, ByteBuffer(capacity: 16), Lifetime(createdAt: now, ttl: unshareableTTL), labels: labels(context))
    }

    private static func labels(_ context: RequestContext) -> CacheEntry.Labels {
        CacheEntry.Labels(
            model: context.model, scene: context.scene ?? "", tenant: context.tenant,
            provider: context.attempt.provider?.name ?? "")
    }

    private static func body(
        _ recording: ReplyRecording, _ form: AnswerForm, _ context: RequestContext, _ tape: JSONTape
    ) -> ByteBuffer? {
        if let stream = recording.stream { return stream.whole(context.attempt.usage, ReplyFormat.identity(context)) }
        guard !recording.isEventStream, let body = recording.body else { return nil }
        if form != .platformChat { return body }
        guard (try? tape.scan(body.span)) != nil else { return nil }
        let reply = ReplyAssembly()
        PlatformReplyDecoder().decode(whole: tape.root(over: body.span), into: reply)
        guard reply.fault == nil, reply.calls.isEmpty, reply.finishReason == .stop || reply.finishReason == .length
        else {
            return nil
        }
        var identity = ReplyFormat.identity(context)
        let buffer = ByteBuffer(capacity: reply.byteCount + 384)
        ChatReplyBody.write(reply, &identity, into: buffer)
        return buffer
    }

    /// Without room that nobody will use.
    private static func trimmed(_ body: ByteBuffer) -> ByteBuffer {
        body.capacity <= body.count + body.count / 4 + 256 ? body : ByteBuffer(copying: body.span)
    }

    // MARK: Errors

    private static func failure(
        _ recording: ReplyRecording, _ request: CacheRequest, _ context: RequestContext, _ runtime: CacheRuntime
    ) -> KeptAnswer {
        guard request.rule.errorTTL > .zero, let error = definiteError(recording, context, runtime.tape) else {
            return .none
        }
        return .entry(
            CacheEntry(
                .failure, error.body, Lifetime(createdAt: runtime.loop.now, ttl: request.rule.errorTTL),
                status: error.status.code, labels: labels(context)))
    }

    private static func definiteError(
        _ recording: ReplyRecording, _ context: RequestContext, _ tape: JSONTape
    ) -> (status: Status, body: ByteBuffer)? {
        if let rejection = context.rejection {
            // Ours are made again at once; the provider's are what is asked for in vain.
            guard context.attempt.fault != nil, !rejection.isRetryable, definite.contains(rejection.status),
                !filtered.contains(rejection.code)
            else { return nil }
            return (rejection.status, body(rejection.message, rejection.type, rejection.code, rejection.param))
        }
        guard definite.contains(recording.status), let body = recording.body, (try? tape.scan(body.span)) != nil,
            let error = tape.root(over: body.span)["error"], let message = error["message"]?.string
        else { return nil }
        let type = error["type"]?.string ?? "invalid_request_error"
        let code = error["code"]?.string ?? type
        if filtered.contains(code) { return nil }
        return (recording.status, Self.body(message, type, code, error["param"]?.string))
    }

    private static func body(_ message: String, _ type: String, _ code: String, _ param: String?) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: message.utf8.count + 128)
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.key("error")
            json.object { json in
                json.key("message")
                json.string(message)
                json.key("type")
                json.string(type)
                json.key("param")
                if let param { json.string(param) } else { json.null() }
                json.key("code")
                json.string(code)
            }
        }
        return buffer
    }
}

/// A reply that was read whole, and which of the tape's documents it was.
struct ScannedReply {
    let body: ByteBuffer
    let scan: Int
}
