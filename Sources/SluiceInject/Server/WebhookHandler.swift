internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet

/// Answers the API server: one on a loop.
final class WebhookHandler {
    private let injector: Injector
    private let metrics: InjectMetrics
    private let log: InjectLog
    /// Nothing on it outlives a suspension.
    private let tape = JSONTape()
    /// Bytes of the bodies that are on their way, or may be: of usual ones and of large ones, which do not get in each other's way.
    private var expected = Expected(usual: 0, large: 0)
    private static let expectedMax = Expected(usual: 24 << 20, large: 4 * Injector.bodyByteCountMax)

    private struct Expected {
        var usual: Int
        var large: Int
    }

    /// Hardly any pod has more.
    private static let usualByteCountMax = 256 << 10

    init(_ injector: Injector, _ metrics: InjectMetrics, _ log: InjectLog) {
        self.injector = injector
        self.metrics = metrics
        self.log = log
    }

    func serve(_ exchange: DownstreamExchange) async {
        let head = exchange.head
        guard let scope = Self.scope(head) else {
            return refuse(exchange, 404, "There is /inject and /inject/annotated here.")
        }
        guard head.method == .post else { return refuse(exchange, 405, "Use POST.") }
        guard Self.isJSON(head.fields) else { return refuse(exchange, 415, "The body has to be application/json.") }
        let share = Self.share(exchange.bodyLength)
        let kind = share <= Self.usualByteCountMax ? \Expected.usual : \Expected.large
        guard expected[keyPath: kind] + share <= Self.expectedMax[keyPath: kind] else {
            return refuse(exchange, 503, "Too many reviews are on their way.")
        }
        expected[keyPath: kind] += share
        defer { expected[keyPath: kind] -= share }
        let body: ByteBuffer
        do throws(DownstreamFailure) {
            body = try await exchange.collectBody(atMost: Injector.bodyByteCountMax)
        } catch {
            return refuse(exchange, error)
        }
        answer(exchange, body, scope)
    }

    private func answer(_ exchange: DownstreamExchange, _ body: ByteBuffer, _ scope: Injector.Scope) {
        let start = EventLoop.readClock()
        do throws(Injector.Malformed) {
            let answer = try injector.answer(body.span, scope, tape: tape)
            metrics.note(answer.decision, took: EventLoop.readClock() - start)
            log.reviewed(answer)
            send(exchange, 200, answer.body)
        } catch {
            refuse(exchange, 400, "This is no AdmissionReview: \(error.message).")
        }
        tape.clear()
    }

    /// What a body may take of the memory.
    private static func share(_ length: BodyLength) -> Int {
        if case .known(let count) = length { return min(count, Injector.bodyByteCountMax) }
        return length == .none ? 0 : Injector.bodyByteCountMax
    }

    private static func scope(_ head: borrowing RequestHead) -> Injector.Scope? {
        if head.path.equals("/inject") { return .namespace }
        return head.path.equals("/inject/annotated") ? .annotated : nil
    }

    private static func isJSON(_ fields: HeaderFields) -> Bool {
        guard let index = fields.index(of: .contentType) else { return false }
        let type = fields.value(at: index)
        return type.hasPrefixIgnoringCase("application/json")
    }

    // MARK: Refusing

    private func refuse(_ exchange: DownstreamExchange, _ failure: DownstreamFailure) {
        switch failure {
        case .gone, .stalled: break
        case .bodyTooLarge(let limit): refuse(exchange, 413, "The body is longer than \(limit) bytes.")
        case .bodyMalformed(let reason): refuse(exchange, 400, "\(reason)")
        case .bodyTimeout: refuse(exchange, 408, "The body did not arrive in time.")
        }
    }

    private func refuse(_ exchange: DownstreamExchange, _ status: Status, _ message: String) {
        metrics.noteRefused(Int(status.code))
        log.refused(exchange, status, message)
        let buffer = ByteBuffer()
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.key("error")
            json.string(message)
        }
        send(exchange, status, buffer)
    }

    private func send(_ exchange: DownstreamExchange, _ status: Status, _ body: ByteBuffer) {
        var fields = HeaderFields()
        fields.append(.contentType, "application/json")
        exchange.sendHead(ResponseHead(status, fields: fields), body: .known(body.count))
        exchange.send(sharing: body)
        exchange.finish()
    }
}
