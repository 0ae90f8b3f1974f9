internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluiceProviders
internal import SluiceUpstream

/// Takes a provider's reply to an application that speaks another dialect.
enum TranslatedReply {
    static func relay(
        _ head: ResponseHead, from upstream: UpstreamExchange, _ translation: Translation, _ context: RequestContext,
        tape: JSONTape
    ) async throws(UpstreamError) {
        if let embeddings = translation.embeddings {
            try await vectors(from: upstream, embeddings, translation, context, tape: tape)
        } else if context.isStream {
            try await stream(head, from: upstream, translation, context, tape: tape)
        } else {
            try await whole(head, from: upstream, translation, context, tape: tape)
        }
    }

    // MARK: To a stream

    private static func stream(
        _ head: ResponseHead, from upstream: UpstreamExchange, _ translation: Translation, _ context: RequestContext,
        tape: JSONTape
    ) async throws(UpstreamError) {
        let relay = TranslatedStream(context, from: upstream, translation, tape: tape)
        if isStream(head, translation) {
            context.stream = relay
            return
        }
        // A provider may answer whole although it was asked for a stream.
        defer { relay.stop() }
        try relay.take(whole: try await document(from: upstream, context, tape: tape))
    }

    /// Whether the reply comes in events.
    private static func isStream(_ head: ResponseHead, _ translation: Translation) -> Bool {
        switch translation.dialect.framing {
        case .serverSentEvents: Relaying.isEventStream(head)
        case .amazonEventStream: !isJSON(head)
        case .webSocketMessages: true
        }
    }

    private static func isJSON(_ head: ResponseHead) -> Bool {
        guard let index = head.fields.index(of: .contentType) else { return false }
        return head.fields.value(at: index).hasPrefixIgnoringCase("application/json")
    }

    // MARK: To a whole reply

    private static func whole(
        _ head: ResponseHead, from upstream: UpstreamExchange, _ translation: Translation, _ context: RequestContext,
        tape: JSONTape
    ) async throws(UpstreamError) {
        let reply = ReplyAssembly()
        if Relaying.isEventStream(head) || translation.dialect.framing == .webSocketMessages {
            try await AssembledStream(context, from: upstream, translation, reply, tape: tape).collect()
        } else {
            let body = try await document(from: upstream, context, tape: tape)
            translation.decoder.decode(whole: tape.root(over: body.span), into: reply)
            if reply.fault == nil, reply.isEmpty, !translation.decoder.end(into: reply) { throw noAnswer }
        }
        if let fault = reply.fault { throw context.reported(fault) }
        if reply.usage == nil {
            reply.usage(
                .estimate(requestByteCount: context.exchange.receivedByteCount, textByteCount: reply.byteCount))
        }
        context.attempt.noteAnswered(by: reply.model)
        context.attempt.usage = reply.usage
        let buffer = ByteBuffer(capacity: reply.byteCount + 512)
        ReplyFormat.write(reply, context, into: buffer)
        send(buffer, context)
    }

    /// JSON with status 200 that says nothing: nobody is to take it for an answer.
    static let noAnswer = UpstreamError(.malformed, "its reply has no answer in it")

    private static func vectors(
        from upstream: UpstreamExchange, _ embeddings: any EmbeddingDialect, _ translation: Translation,
        _ context: RequestContext,
        tape: JSONTape
    ) async throws(UpstreamError) {
        let body = try await document(from: upstream, context, tape: tape)
        let buffer = ByteBuffer(capacity: body.count + 256)
        let usage = embeddings.decode(
            tape.root(over: body.span), model: context.attempt.upstreamModel, asBase64: translation.asBase64,
            estimate: .estimate(requestByteCount: context.exchange.receivedByteCount, textByteCount: 0), into: buffer)
        guard let usage else {
            if let fault = embeddings.fault(in: tape.root(over: body.span)) { throw context.reported(fault) }
            throw UpstreamError(.malformed, "its reply has no embeddings")
        }
        context.attempt.usage = usage
        send(buffer, context)
    }

    private static func send(_ body: ByteBuffer, _ context: RequestContext) {
        context.status = 200
        context.firstByteAt = context.exchange.loop.now
        var fields = fields("application/json", context)
        if context.operation == .embeddings, context.attempt.usage?.isEstimated == true {
            fields.append(lowercaseName: "x-sluice-usage", "estimated")
        }
        context.exchange.sendHead(ResponseHead(200, fields: fields), body: .known(body.count))
        context.exchange.send(sharing: body)
        context.exchange.finish()
    }

    /// Collects and scans a whole body; the tape holds it afterwards.
    private static func document(
        from upstream: UpstreamExchange, _ context: RequestContext, tape: JSONTape
    ) async throws(UpstreamError) -> ByteBuffer {
        guard let body = try await upstream.collect(atMost: context.snapshot.limits.bodyBytesMax) else {
            throw UpstreamError(.tooLarge, "its reply is longer than \(context.snapshot.limits.bodyBytesMax) bytes")
        }
        do throws(JSONError) {
            try tape.scan(body.span)
        } catch {
            throw UpstreamError(.malformed, "its reply is not valid JSON: \(error)")
        }
        return body
    }

    // MARK: Heads

    /// The fields of a reply that we write ourselves.
    static func fields(_ contentType: StaticString, _ context: RequestContext) -> HeaderFields {
        var fields = HeaderFields(reservingBytes: 256, fields: 6)
        fields.append(.contentType, contentType)
        context.appendRequestID(to: &fields)
        // Of providers that failed there is nothing to say.
        if context.degraded != nil { return fields }
        context.appendTarget(to: &fields)
        LimitHeaders.append(to: &fields, context)
        if let id = context.attempt.upstreamRequestID { fields.append(lowercaseName: "x-upstream-request-id", id) }
        appendReport(context, to: &fields)
        return fields
    }

    /// What of the request got lost or was changed, unless the application is not to be told.
    static func appendReport(_ context: RequestContext, to fields: inout HeaderFields) {
        if context.unsupported == .drop { return }
        let report = context.attempt.report
        if !report.lost.isEmpty {
            fields.append(lowercaseName: "x-sluice-dropped-fields", FieldReport.fieldValue(report.lost))
        }
        if !report.adapted.isEmpty {
            fields.append(lowercaseName: "x-sluice-adapted-fields", FieldReport.fieldValue(report.adapted))
        }
    }
}
