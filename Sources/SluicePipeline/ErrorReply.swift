internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceProviders

/// Turns a rejection into a reply in the caller's dialect; no other file writes error bodies for exchanges.
enum ErrorReply {
    static func send(_ rejection: Rejection, to context: RequestContext) {
        if rejection.status.code == 499 { return context.exchange.abort() }
        let body = body(rejection, context)
        var fields = HeaderFields(reservingBytes: 256, fields: 6)
        fields.append(.contentType, "application/json")
        context.appendRequestID(to: &fields)
        LimitHeaders.append(to: &fields, context)
        if context.refusingLimit != nil { LimitHeaders.appendWait(rejection, to: &fields) }
        appendAdvice(rejection, rejection.status, to: &fields)
        if let challenge = context.challenge { fields.append(.wwwAuthenticate, challenge) }
        if let allowed = context.allowedMethods { fields.append(.allow, allowed) }
        if let id = context.attempt.upstreamRequestID { fields.append(lowercaseName: "x-upstream-request-id", id) }
        context.exchange.sendHead(ResponseHead(rejection.status, fields: fields), body: .known(body.count))
        context.exchange.send(sharing: body)
        context.exchange.finish()
    }

    /// Whose doing it was, and whether and when an SDK may try again.
    static func appendAdvice(_ rejection: Rejection, _ status: Status, to fields: inout HeaderFields) {
        fields.append(lowercaseName: "x-sluice-error-owner", rejection.owner.rawValue)
        // What the gateway has tried already, or what cannot change, an SDK need not try again.
        if !rejection.isRetryable { fields.append(.xShouldRetry, "false") }
        if let wait = rejection.retryAfter {
            fields.append(.retryAfter, "\(max(1, Int((wait.nanoseconds + 999_999_999) / 1_000_000_000)))")
        } else if status == 503 {
            fields.append(.retryAfter, "1")
        }
    }

    /// The last event of a stream that cannot be completed.
    static func event(_ rejection: Rejection, _ context: RequestContext) -> ByteBuffer {
        if let writer = context.attempt.responsesWriter {
            writer.fail(code: rejection.code, message: rejection.message, param: rejection.param)
            return writer.output
        }
        let body = body(rejection, context)
        let event = ByteBuffer(capacity: body.count + 16)
        if context.operation == .responses || context.dialect == .anthropic {
            EventWriter.name("error".utf8Span.span, into: event)
        }
        EventWriter.data(body.span, into: event)
        return event
    }

    static func body(_ rejection: Rejection, _ context: RequestContext) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: 384)
        var json = JSONWriter(into: buffer)
        switch context.dialect {
        case .openAI where context.isInStream && context.operation == .responses: writeResponsesEvent(rejection, &json)
        case .openAI: writeOpenAI(rejection, &json)
        case .anthropic: writeAnthropic(rejection.message, rejection.status, context, &json)
        case .platform: PlatformReply.write(rejection, context, &json)
        }
        return buffer
    }

    private static func writeOpenAI(_ rejection: Rejection, _ json: inout JSONWriter) {
        json.object { json in
            json.key("error")
            json.object { json in
                json.key("message")
                json.string(rejection.message)
                json.key("type")
                json.string(rejection.type)
                json.key("param")
                if let param = rejection.param { json.string(param) } else { json.null() }
                json.key("code")
                json.string(rejection.code)
            }
        }
    }

    /// An error as Messages have it (section 8 of the Anthropic sheet): as a reply and as an event alike.
    static func writeAnthropic(_ message: String, _ status: Status, _ context: RequestContext, _ json: inout JSONWriter)
    {
        json.object { json in
            json.key("type")
            json.string("error")
            json.key("error")
            json.object { json in
                json.key("type")
                json.string(MessagesError.type(of: status))
                json.key("message")
                json.string(message)
            }
            json.key("request_id")
            json.string(context.requestID)
        }
    }

    /// The shape that the schema of the responses dialect gives to an error within a stream.
    private static func writeResponsesEvent(_ rejection: Rejection, _ json: inout JSONWriter) {
        json.object { json in
            json.key("type")
            json.string("error")
            json.key("code")
            json.string(rejection.code)
            json.key("message")
            json.string(rejection.message)
            json.key("param")
            json.null()
            json.key("sequence_number")
            json.int(0)
        }
    }
}
