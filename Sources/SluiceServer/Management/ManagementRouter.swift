internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet
internal import SluicePipeline
internal import SluicePolicy
internal import Synchronization

/// Finds the operation of a management request, checks what every operation wants checked, and sends its reply. On
/// every loop.
final class ManagementRouter: ManagementHandler {
    private struct Entry: Sendable {
        let operation: ManagementOperation
        let segments: [String]
    }

    private let entries = Mutex<[Entry]>([])
    private let inFlight = Atomic<Int>(0)
    private let revision = Mutex<@Sendable () -> String?>({ nil })
    /// Requests to the management API of the process at one time; they do not count as requests to models.
    static let inFlightMax = 64
    /// Of a request's body.
    static let bodyByteCountMax = 4 << 20

    /// Adds operations. Call it before anything is served.
    func add(_ routes: [any ManagementRoute]) {
        let added = routes.flatMap(\.operations).map { operation in
            Entry(operation: operation, segments: "\(operation.path)".split(separator: "/").map(String.init))
        }
        entries.withLock { $0 += added }
    }

    /// - Parameter revision: what replies tell in `x-sluice-revision`; asked when a reply is sent, from any loop.
    func tells(_ revision: @escaping @Sendable () -> String?) { self.revision.withLock { $0 = revision } }

    /// Everything that there is, in the order in which it was added.
    var operations: [ManagementOperation] { entries.withLock { $0.map(\.operation) } }

    func route(of target: borrowing RequestTarget) -> StaticString? { matching(target).first?.path }

    private func matching(_ target: borrowing RequestTarget) -> [ManagementOperation] {
        let entries = entries.withLock { $0 }
        var found: [ManagementOperation] = []
        var foundSegments: [String] = []
        for entry in entries where Self.matches(entry.segments, target) {
            // A path that is written out goes before one with a parameter.
            if found.isEmpty || Self.isMoreSpecific(entry.segments, foundSegments) {
                found = []
                foundSegments = entry.segments
            }
            if entry.segments == foundSegments { found.append(entry.operation) }
        }
        return found
    }

    private static func matches(_ segments: [String], _ target: borrowing RequestTarget) -> Bool {
        if segments.count != target.segmentCount || target.hasTrailingSlash { return false }
        for index in segments.indices {
            let segment = String(decoding: target.segment(index))
            if segments[index].hasPrefix("{") ? segment.isEmpty : segment != segments[index] { return false }
        }
        return true
    }

    private static func isMoreSpecific(_ a: [String], _ b: [String]) -> Bool {
        a.count { $0.hasPrefix("{") } < b.count { $0.hasPrefix("{") }
    }

    // MARK: Answering

    func answer(_ call: ManagementCall) async -> ManagementOutcome {
        let count = inFlight.add(1, ordering: .relaxed).newValue
        defer { inFlight.subtract(1, ordering: .relaxed) }
        do throws(ManagementError) {
            if count > Self.inFlightMax {
                throw ManagementError(
                    .managementBusy, "\(Self.inFlightMax) management requests are under way. Try again in a moment.")
            }
            let request = try await read(call)
            let reply = try await request.operation.answer(request)
            await send(reply, request, call)
            return ManagementOutcome(status: reply.status)
        } catch {
            send(error, call)
            let owner: Rejection.Owner = error.code.status.code < 500 ? .caller : .gateway
            return ManagementOutcome(
                status: error.code.status,
                rejection: Rejection(
                    owner, error.code.status, type: "\(error.code.type)", code: error.code.rawValue, error.message,
                    param: error.param))
        }
    }

    private func read(_ call: ManagementCall) async throws(ManagementError) -> ManagementRequest {
        let exchange = call.exchange
        let head = exchange.head
        let target: RequestTarget
        do throws(RequestTarget.Invalid) {
            target = try RequestTarget(head.target)
        } catch {
            throw ManagementError(error.status == 404 ? .unknownURL : .invalidPath, "\(error.message)")
        }
        let operations = matching(target)
        if operations.isEmpty { throw ManagementError(.unknownURL, "There is no such path in the management API.") }
        let method = head.method == .head ? .get : head.method
        guard let operation = operations.first(where: { $0.method == method }) else {
            let allowed = operations.map { $0.method == .get ? "GET, HEAD" : "\($0.method.name)" }.joined(
                separator: ", ")
            throw ManagementError(.methodNotAllowed, "Use \(allowed) here.", allowed: allowed)
        }
        if let action = operation.action, !call.principal.access.allows(action) {
            throw ManagementError(
                .permissionDenied, "This credential may not do that: it takes \(action.rawValue).",
                param: action.rawValue)
        }
        try Self.check(operation, head)
        let body = try await Self.body(operation, exchange)
        return ManagementRequest(
            operation: operation, method: head.method, target: target, fields: head.fields, body: body,
            loop: exchange.loop, requestID: call.requestID, principal: call.principal, address: exchange.peer.host)
    }

    private static func check(_ operation: ManagementOperation, _ head: RequestHead) throws(ManagementError) {
        // A page in somebody's browser reaches ports of its machine too; what it may not do is change something.
        if operation.changesSomething, head.fields.contains(.origin) {
            throw ManagementError(
                .crossOrigin, "Requests of web pages change nothing: send no Origin.", param: "origin")
        }
        let given = operation.success.mediaTypes
        if operation.success.schema != nil, !given.contains(where: { AcceptField.allows("\($0)", head.fields) }) {
            let names = given.map { "\($0)" }.joined(separator: ", ")
            throw ManagementError(.notAcceptable, "The answer is \(names).", param: "accept")
        }
        guard let body = operation.body, let type = head.fields.text(.contentType) else { return }
        let name = type.prefix { $0 != ";" && $0 != " " }.lowercased()
        if !body.mediaTypes.contains(where: { "\($0)" == name }) {
            let names = body.mediaTypes.map { "\($0)" }.joined(separator: " or ")
            throw ManagementError(.unsupportedMediaType, "The body is to be \(names).", param: "content-type")
        }
    }

    private static func body(
        _ operation: ManagementOperation, _ exchange: DownstreamExchange
    ) async throws(ManagementError) -> ByteBuffer {
        let body: ByteBuffer
        do throws(DownstreamFailure) {
            body = try await exchange.collectBody(atMost: bodyByteCountMax)
        } catch {
            switch error {
            case .bodyTooLarge:
                throw ManagementError(.requestTooLarge, "A body has at most \(bodyByteCountMax) bytes here.")
            case .bodyMalformed(let reason): throw ManagementError(.invalidBody, reason)
            case .bodyTimeout, .gone, .stalled:
                throw ManagementError(.requestTimeout, "The request body did not arrive in time.")
            }
        }
        if body.isEmpty, operation.body?.isRequired == true {
            throw ManagementError(.invalidBody, "A body is needed here.")
        }
        return body
    }

    // MARK: Sending

    private func send(_ reply: ManagementReply, _ request: ManagementRequest, _ call: ManagementCall) async {
        var fields = fields(call)
        for (name, value) in reply.fields { fields.append(lowercaseName: name, value) }
        let exchange = call.exchange
        switch reply.body {
        case .none:
            exchange.sendHead(ResponseHead(reply.status, fields: fields), body: .none)
        case .whole(let buffer):
            fields.append(.contentType, reply.contentType)
            exchange.sendHead(ResponseHead(reply.status, fields: fields), body: .known(buffer.count))
            exchange.send(sharing: buffer)
        case .streamed(let write):
            fields.append(.contentType, reply.contentType)
            exchange.sendHead(ResponseHead(reply.status, fields: fields), body: .unknown)
            let sink = ManagementSink(exchange)
            if request.method != .head { await write(sink) }
            if sink.isBroken { return exchange.abortAfterSending() }
        }
        exchange.finish()
    }

    private func send(_ error: ManagementError, _ call: ManagementCall) {
        var fields = fields(call)
        fields.append(.contentType, "application/json")
        if let allowed = error.allowed { fields.append(.allow, allowed) }
        if error.code.status == 503 { fields.append(.retryAfter, "1") }
        let body = error.body
        call.exchange.sendHead(ResponseHead(error.code.status, fields: fields), body: .known(body.count))
        call.exchange.send(sharing: body)
        call.exchange.finish()
    }

    /// What is told of settings and people is for whoever asked, and changes.
    private func fields(_ call: ManagementCall) -> HeaderFields {
        var fields = HeaderFields(reservingBytes: 256, fields: 6)
        fields.append(.cacheControl, "no-store")
        if !call.requestID.isEmpty { fields.append(.xRequestID, call.requestID) }
        if let revision = revision.withLock({ $0 })() { fields.append(lowercaseName: "x-sluice-revision", revision) }
        return fields
    }
}
