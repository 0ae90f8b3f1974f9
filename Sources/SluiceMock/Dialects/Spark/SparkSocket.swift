internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP

/// One upgraded connection: waits for the question, answers it in frames, and closes.
final class SparkSocket {
    private let provider: MockProvider
    private let exchange: DownstreamExchange
    private let call: DialectCall
    private var received: [UInt8] = []
    private var message: [UInt8] = []
    private var isAnswered = false

    init(_ provider: MockProvider, _ exchange: DownstreamExchange, _ call: DialectCall) {
        self.provider = provider
        self.exchange = exchange
        self.call = call
    }

    /// Answers 101, if the request is a handshake (RFC 6455 §4.2.1).
    func open() -> Bool {
        guard call.head.method == .get, call.header("upgrade")?.lowercased() == "websocket",
            call.header("sec-websocket-version") == "13", let key = call.header("sec-websocket-key"),
            key.utf8.count == 24
        else { return false }
        var fields = HeaderFields()
        fields.append(lowercaseName: "sec-websocket-accept", WebSocketFrame.accept(key))
        return exchange.upgrade(ResponseHead(101, fields: fields), to: "websocket") { [self] bytes in take(bytes) }
    }

    private func take(_ bytes: Span<UInt8>) {
        received += Array(copying: bytes)
        do throws(WebSocketFrame.Violation) {
            while let frame = try WebSocketFrame.next(&received) { take(frame) }
        } catch {
            close(error.code)
        }
    }

    private func take(_ frame: WebSocketFrame.Received) {
        switch frame.opcode {
        case .ping: send(.pong, frame.payload)
        case .pong: break
        case .close: close(1000)
        case .text, .binary, .continuation:
            if isAnswered { return }
            message += frame.payload
            if message.count > WebSocketFrame.payloadByteCountMax { return close(1009) }
            if frame.isFinal { answer() }
        }
    }

    private func answer() {
        isAnswered = true
        provider.answerSocket(exchange, call, message)
    }

    private func send(_ opcode: WebSocketFrame.Opcode, _ payload: [UInt8]) {
        exchange.send(WebSocketFrame.bytes(opcode, payload).span)
    }

    private func close(_ code: UInt16) {
        send(.close, [UInt8(code >> 8), UInt8(truncatingIfNeeded: code)])
        exchange.finish()
    }
}

extension MockProvider {
    /// - Returns: whether the request is an upgrade that was answered.
    func openSocket(_ exchange: DownstreamExchange, _ call: DialectCall, _ dialect: SparkSocketDialect) -> Bool {
        guard (try? dialect.authorize(call)) != nil else { return false }
        return SparkSocket(self, exchange, call).open()
    }

    /// Answers one question with frames.
    func answerSocket(_ exchange: DownstreamExchange, _ call: DialectCall, _ message: [UInt8]) {
        let dialect = SparkSocketDialect()
        let body = MockJSON(parsing: message.span) ?? .null
        let model = body["parameter"]?["chat"]?["domain"]?.text ?? ""
        var behaviour = shared.options.behaviour
        var mistake: DialectFailure?
        do throws(BehaviourMistake) {
            behaviour = try wanted(model, exchange.head)
        } catch {
            mistake = .invalid(error.description)
        }
        let admission = shared.ledger.enter(
            exchange.head, ByteBuffer(copying: message.span), model: model, isTLS: exchange.peer.isTLS)
        if let gate = behaviour.gate, !gate.hits(request: admission.attempt, seed: behaviour.seed) {
            behaviour = behaviour.passing(shared.options.behaviour)
        }
        behaviour.turn = admission.number
        let identity = ReplyIdentity(
            number: admission.number, seed: behaviour.seed, created: WallClock.seconds, model: model)
        let turn = DialectTurn(identity: identity, behaviour: behaviour)
        var script: Script
        do throws(DialectFailure) {
            if let failure = mistake ?? DialectFailure(behaviour) { throw failure }
            let failure = WebSocketFrame.bytes(.text, SparkSocketDialect.error(.internalError, turn).bytes)
            let form = StreamForm(
                error: failure, malformed: WebSocketFrame.bytes(.text, Array("{\"broken\":".utf8)),
                keepAlive: WebSocketFrame.bytes(.ping, []))
            script = try dialect.script(message, call.path, turn).spoiled(by: behaviour, .plain, form)
        } catch {
            script = Script()
            script.bytes(WebSocketFrame.bytes(.text, SparkSocketDialect.error(error, turn).bytes))
            script.bytes(WebSocketFrame.bytes(.close, [0x03, 0xE8]))
        }
        Player(
            exchange, script, head: ResponseHead(101), behaviour, Pacing(behaviour), ledger: shared.ledger, admission
        ).start(after: behaviour.latency)
    }
}
