internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP

/// Requests to a path under a provider's prefix.
extension MockProvider {
    /// - Returns: whether the prefix is a dialect's, and so the request was answered.
    func answerDialect(_ exchange: DownstreamExchange, _ target: borrowing RequestTarget, _ body: ByteBuffer) -> Bool {
        if target.segmentCount == 0 { return false }
        guard let dialect = DialectTable.dialect(String(decoding: target.segment(0))) else { return false }
        let call = DialectCall(exchange.head, target, body, shared.options)
        if let socket = dialect as? SparkSocketDialect, openSocket(exchange, call, socket) { return true }
        let model = dialect.model(call) ?? ""
        var behaviour = shared.options.behaviour
        var mistake: DialectFailure?
        do throws(BehaviourMistake) {
            behaviour = try wanted(model, exchange.head)
        } catch {
            mistake = .invalid(error.description)
        }
        let admission = shared.ledger.enter(exchange.head, body, model: model, isTLS: exchange.peer.isTLS)
        if let gate = behaviour.gate, !gate.hits(request: admission.attempt, seed: behaviour.seed) {
            behaviour = behaviour.passing(shared.options.behaviour)
        }
        behaviour.turn = admission.number
        let identity = ReplyIdentity(
            number: admission.number, seed: behaviour.seed, created: WallClock.seconds, model: model)
        let turn = DialectTurn(identity: identity, behaviour: behaviour)
        let reply = Self.reply(dialect, call, turn, mistake)
        deliver(reply, exchange, identity, behaviour, admission)
        return true
    }

    static func reply(
        _ dialect: some Dialect, _ call: DialectCall, _ turn: DialectTurn, _ mistake: DialectFailure? = nil
    ) -> Reply {
        do throws(DialectFailure) {
            if let mistake { throw mistake }
            try dialect.authorize(call)
            if turn.behaviour.fault == .redirect { return redirect() }
            if let failure = DialectFailure(turn.behaviour) { throw failure }
            let reply = try dialect.reply(call, turn)
            // A reply without events tells of an error in its body.
            guard case .errorEvent = turn.behaviour.fault, case .whole = reply.body, reply.status.isSuccess else {
                return reply
            }
            var told = dialect.reply(.internalError, call, turn)
            told.status = 200
            return told
        } catch {
            var reply = dialect.reply(error, call, turn)
            if turn.behaviour.fault == .errorIn200 { reply.status = 200 }
            if dialect.hasRetryAfter, turn.behaviour.fault != nil {
                reply = FaultReplies.advised(reply, turn.behaviour.retry)
            }
            reply.rateLimitWait = nil
            return reply
        }
    }

    private static func redirect() -> Reply {
        Reply([:], status: 307, fields: [("location", FaultReplies.redirectTarget)])
    }
}
