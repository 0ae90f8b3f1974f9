internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON

/// A response before anything goes wrong with it.
struct Reply {
    enum Body {
        case whole(ByteBuffer)
        case script(Script)
    }

    var status: Status = 200
    var contentType: StaticString
    var fields: [(name: StaticString, value: String)] = []
    var body: Body
    var dialect = Dialect.plain
    /// Whether another provider than OpenAI says it: then the head has nothing of OpenAI's.
    var isForeign = false
    /// How another provider's stream goes wrong.
    var streamForm: StreamForm?
    /// After how many milliseconds a bucket that is empty now is full again; `nil` if none is empty.
    var rateLimitWait: Int?

    /// How errors are told within a body.
    enum Dialect {
        /// Not at all.
        case plain
        /// `data: {"error":{…}}`.
        case chat
        /// `event: error`.
        case named
    }

    static let json: StaticString = "application/json"
    static let eventStream: StaticString = "text/event-stream; charset=utf-8"

    init(_ contentType: StaticString, _ body: Body) {
        self.contentType = contentType
        self.body = body
    }

    /// A JSON body that is written already.
    init(json body: ByteBuffer) { self.init(Reply.json, .whole(body)) }

    /// A JSON body.
    init(status: Status = 200, capacity: Int = 512, json write: (inout JSONWriter) -> Void) {
        let buffer = ByteBuffer(capacity: capacity)
        var json = JSONWriter(into: buffer)
        write(&json)
        self.init(Reply.json, .whole(buffer))
        self.status = status
    }

    /// A stream of events.
    init(_ script: Script, _ dialect: Dialect) {
        self.init(Reply.eventStream, .script(script))
        self.dialect = dialect
    }

    init(_ error: APIError) {
        let buffer = ByteBuffer(capacity: 256)
        error.write(to: buffer)
        self.init(Reply.json, .whole(buffer))
        status = error.status
    }
}
