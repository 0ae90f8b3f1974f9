internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluiceProviders

/// What a Messages request would cost in tokens, for providers that cannot be asked: a rough count of ours, marked as one.
enum CountedTokens {
    /// - Returns: false if the provider counts itself.
    static func answer(
        _ request: IncomingRequest, _ destination: Destination, _ context: RequestContext, tape: JSONTape
    ) throws(Rejection) -> Bool {
        if case .targets = destination, context.plan.current?.provider.dialect == .anthropic { return false }
        guard case .json(let body) = request.body else { return false }
        let count = MessagesTokens.estimate(tape.root(over: body.span))
        let reply = ByteBuffer(capacity: 32)
        var json = JSONWriter(into: reply)
        json.object { json in
            json.key("input_tokens")
            json.int(count)
        }
        var fields = HeaderFields(reservingBytes: 160, fields: 4)
        fields.append(.contentType, "application/json")
        context.appendRequestID(to: &fields)
        fields.append(lowercaseName: "x-sluice-usage", "estimated")
        context.status = 200
        context.firstByteAt = context.exchange.loop.now
        context.exchange.sendHead(ResponseHead(200, fields: fields), body: .known(reply.count))
        context.exchange.send(sharing: reply)
        context.exchange.finish()
        return true
    }
}
