internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet

/// What all workers of a mock share.
final class MockShared: Sendable {
    let options: MockOptions
    let ledger: Ledger
    let store = ObjectStore()

    init(_ options: MockOptions) {
        self.options = options
        ledger = Ledger(kept: options.requestsKept)
    }
}

/// One worker's provider: reads a request, finds out how to behave, answers.
final class MockProvider {
    let shared: MockShared
    private let heads = ResponseHeads()
    /// Nothing on it outlives a suspension.
    private let tape = JSONTape()

    /// The longest body, in bytes.
    private static let bodyByteCountMax = 512 << 20
    /// In how many pieces a slow body comes.
    private static let slowBodyPieces = 32

    init(_ shared: MockShared) { self.shared = shared }

    func serve(_ exchange: DownstreamExchange) async {
        let body: ByteBuffer
        do throws(DownstreamFailure) {
            body = try await exchange.collectBody(atMost: Self.bodyByteCountMax)
        } catch {
            return refuseBody(exchange, error)
        }
        answer(exchange, body)
    }

    private func refuseBody(_ exchange: DownstreamExchange, _ failure: DownstreamFailure) {
        switch failure {
        case .gone, .stalled: break
        case .bodyTooLarge(let limit): send(Reply(APIError(413, "The body is longer than \(limit) bytes.")), exchange)
        case .bodyMalformed(let reason): send(Reply(APIError(400, reason)), exchange)
        case .bodyTimeout: send(Reply(APIError(408, "The body did not arrive in time.")), exchange)
        }
    }

    private func answer(_ exchange: DownstreamExchange, _ body: ByteBuffer) {
        let head = exchange.head
        let target: RequestTarget
        let endpoint: Endpoint
        do throws(RequestTarget.Invalid) {
            target = try RequestTarget(head.target)
        } catch {
            return send(Reply(APIError(error.status, "\(error.message)")), exchange)
        }
        if answerDialect(exchange, target, body) { return }
        do throws(APIError) {
            endpoint = try Endpoint(head.method, target, path: head.path)
        } catch {
            return send(Reply(error), exchange)
        }
        if endpoint.isOwn { return send(OwnReplies(shared: shared).reply(endpoint, target), exchange) }
        answer(exchange, endpoint, target, body)
    }

    private func answer(
        _ exchange: DownstreamExchange, _ endpoint: Endpoint, _ target: borrowing RequestTarget, _ body: ByteBuffer
    ) {
        let content = RequestContent(endpoint, exchange.head, body, tape)
        let model = content.model
        var behaviour = shared.options.behaviour
        var mistake = content.mistake
        do throws(BehaviourMistake) {
            behaviour = try wanted(model, exchange.head)
        } catch {
            mistake = .behaviour(error)
        }
        let admission = shared.ledger.enter(exchange.head, body, model: model, isTLS: exchange.peer.isTLS)
        if let gate = behaviour.gate, !gate.hits(request: admission.attempt, seed: behaviour.seed) {
            behaviour = behaviour.passing(shared.options.behaviour)
        }
        behaviour.turn = admission.number
        let identity = ReplyIdentity(
            number: admission.number, seed: behaviour.seed, created: WallClock.seconds, model: model)
        let reply: Reply
        do throws(APIError) {
            if let mistake { throw mistake }
            try authorize(exchange.head, model)
            if let fault = FaultReplies.reply(for: behaviour, model: model) {
                reply = fault
            } else {
                reply = try self.reply(endpoint, target, content, body, identity, behaviour)
            }
        } catch {
            reply = Reply(error)
        }
        deliver(reply, exchange, identity, behaviour, admission)
    }

    /// The defaults, then the model's name, then the header.
    func wanted(_ model: String, _ head: RequestHead) throws(BehaviourMistake) -> Behaviour {
        let named = try BehaviourGrammar.model(model, over: shared.options.behaviour)
        guard let index = head.fields.index(named: "x-mock") else { return named }
        return try BehaviourGrammar.list(String(decoding: head.fields.value(at: index)), over: named)
    }

    private func authorize(_ head: RequestHead, _ model: String) throws(APIError) {
        guard let index = head.fields.index(of: .authorization) else {
            if shared.options.apiKey == nil { return }
            throw .noKey
        }
        let value = head.fields.value(at: index)
        guard value.hasPrefixIgnoringCase("bearer ") else { throw .noKey }
        let given = value.extracting(7...)
        switch MockCredentials.Tail(given) {
        case .refused: throw .wrongKey(String(decoding: given))
        case .limited: throw .rateLimit(model, wait: MockCredentials.limitedWait)
        case .quota: throw .quota
        case nil: break
        }
        if let key = shared.options.apiKey, !key.matches(given) { throw .wrongKey(String(decoding: given)) }
    }

    private func reply(
        _ endpoint: Endpoint, _ target: borrowing RequestTarget, _ content: RequestContent, _ body: ByteBuffer,
        _ identity: ReplyIdentity, _ behaviour: Behaviour
    ) throws(APIError) -> Reply {
        if let form = content.form { return try Answers.reply(endpoint, form, identity, behaviour, shared.store) }
        if content.isJSON {
            let tape = tape
            return try Answers.reply(endpoint, tape.root(over: body.span), identity, behaviour, shared.store)
        }
        let models = ModelReplies.listedByDefault + shared.options.models
        return try Answers.reply(endpoint, target, behaviour, shared.store, models: models)
    }

    // MARK: Sending

    func deliver(
        _ reply: Reply, _ exchange: DownstreamExchange, _ identity: ReplyIdentity, _ behaviour: Behaviour,
        _ admission: Ledger.Admission
    ) {
        let reply = Self.told(reply, behaviour)
        let head = heads.head(for: reply, identity, behaviour)
        if behaviour.isPlain, case .whole(let body) = reply.body {
            shared.ledger.leave(admission, .answered(reply.status))
            return send(head, body, exchange)
        }
        var pacing = Pacing(behaviour)
        var script: Script
        switch reply.body {
        case .script(let written): script = written
        case .whole(let body):
            let isSlow = behaviour.defects.contains(.slowBody)
            script = Script(whole: body, pieces: isSlow ? Self.slowBodyPieces : 1)
            if isSlow { pacing.pace = .every(Player.dripTime / Self.slowBodyPieces) }
        }
        if let drip = behaviour.drip { pacing.pace = .every(drip) }
        // An error is an error: only what would have been an answer is spoilt.
        if reply.status.isSuccess { script = script.spoiled(by: behaviour, reply.dialect, reply.streamForm) }
        Player(exchange, script, head: head, behaviour, pacing, ledger: shared.ledger, admission).start(
            after: behaviour.latency)
    }

    /// A reply without events tells of an error in its body.
    private static func told(_ reply: Reply, _ behaviour: Behaviour) -> Reply {
        guard case .errorEvent = behaviour.fault, case .whole = reply.body, reply.status.isSuccess, !reply.isForeign
        else { return reply }
        var told = Reply(.serverError)
        told.status = 200
        return told
    }

    private func send(_ reply: Reply, _ exchange: DownstreamExchange) {
        guard case .whole(let body) = reply.body else { return }
        let identity = ReplyIdentity(number: 0, seed: 0, created: 0, model: "")
        send(heads.head(for: reply, identity, Behaviour()), body, exchange)
    }

    private func send(_ head: ResponseHead, _ body: ByteBuffer, _ exchange: DownstreamExchange) {
        exchange.sendHead(head, body: .known(body.count))
        exchange.send(sharing: body)
        exchange.finish()
    }
}
