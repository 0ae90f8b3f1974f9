internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON

/// What the management API answers when all is well.
struct ManagementReply {
    enum Body {
        case none
        case whole(ByteBuffer)
        /// Written while it is sent.
        case streamed((ManagementSink) async -> Void)
    }

    var status: Status
    var contentType: StaticString = "application/json"
    /// Further fields, names in lower case.
    var fields: [(name: StaticString, value: String)] = []
    var body: Body

    init(_ status: Status = 200, _ body: Body = .none) {
        self.status = status
        self.body = body
    }

    /// A JSON document that is written in one go.
    init(_ status: Status = 200, etag: String? = nil, json write: (inout JSONWriter) -> Void) {
        let buffer = ByteBuffer(capacity: 1024)
        var json = JSONWriter(into: buffer)
        write(&json)
        self.init(status, .whole(buffer))
        if let etag { fields.append(("etag", etag)) }
    }

    /// A JSON document that there is already.
    init(_ status: Status = 200, etag: String? = nil, text: String) {
        self.init(status, .whole(ByteBuffer(text)))
        if let etag { fields.append(("etag", etag)) }
    }

    static var noContent: ManagementReply { ManagementReply(204) }

    /// The caller has it as it is (RFC 9110 §15.4.5).
    static func notModified(_ etag: String) -> ManagementReply {
        var reply = ManagementReply(304)
        reply.fields.append(("etag", etag))
        return reply
    }
}

/// Takes a reply piece by piece, as fast as the caller does.
final class ManagementSink {
    private let exchange: DownstreamExchange
    /// Whether something could not be had: the reply is cut off, so that nobody takes it for the whole.
    private(set) var isBroken = false

    init(_ exchange: DownstreamExchange) { self.exchange = exchange }

    /// Sends a piece and waits until there is room for the next. Nobody changes the buffer any more.
    ///
    /// - Returns: whether to go on; the caller may have gone.
    func send(_ buffer: ByteBuffer) async -> Bool {
        if exchange.isFinished || exchange.isAbandoned { return false }
        exchange.send(sharing: buffer)
        await exchange.drained()
        return !exchange.isFinished && !exchange.isAbandoned
    }

    /// Has the reply end so that it is not taken for a whole one.
    func fail() { isBroken = true }
}
