internal import SluiceCore
internal import SluiceHTTP

/// How a dialect's stream tells of an error, and what a spoilt event of it looks like.
struct StreamForm {
    /// The bytes of an error within the stream; empty where none can be told.
    let error: [UInt8]
    let malformed: [UInt8]
    /// What keeps the connection alive; empty where nothing does.
    let keepAlive: [UInt8]

    init(
        error: [UInt8], malformed: [UInt8] = Array("data: {\"broken\":\n\n".utf8),
        keepAlive: [UInt8] = Array(": keep-alive\n\n".utf8)
    ) {
        self.error = error
        self.malformed = malformed
        self.keepAlive = keepAlive
    }

    init(data error: MockJSON) { self.init(error: Array("data: ".utf8) + error.bytes + Array("\n\n".utf8)) }
}

extension Reply {
    /// A JSON body of another provider.
    init(_ json: MockJSON, status: Status = 200, fields: [(name: StaticString, value: String)] = []) {
        let buffer = ByteBuffer(capacity: 512)
        json.write(to: buffer)
        self.init(Reply.json, .whole(buffer))
        self.status = status
        self.fields = fields
        isForeign = true
    }

    /// A stream of another provider.
    init(
        _ script: Script, _ form: StreamForm, type: StaticString = "text/event-stream",
        fields: [(name: StaticString, value: String)] = []
    ) {
        self.init(type, .script(script))
        self.fields = fields
        streamForm = form
        isForeign = true
    }
}

extension Script {
    mutating func data(_ json: MockJSON) { event { json.write(to: $0) } }
    mutating func text(_ text: String) { piece { $0.append(text) } }
    mutating func bytes(_ bytes: [UInt8]) { piece { $0.append(bytes.span) } }
}
