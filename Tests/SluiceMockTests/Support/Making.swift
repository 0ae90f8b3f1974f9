import SluiceCore
import SluiceJSON

@testable import SluiceMock

/// Replies made without a socket.
enum Making {
    static func reply(
        _ endpoint: Endpoint, _ body: String, _ words: String = "", hex: String = "X", created: Int = 1_764_000_000,
        model: String? = nil, store: ObjectStore = ObjectStore()
    ) throws -> Reply {
        let behaviour = try BehaviourGrammar.list(words, over: Behaviour())
        let bytes = ByteBuffer(body)
        let tape = JSONTape()
        try tape.scan(bytes.span)
        let root = tape.root(over: bytes.span)
        let identity = ReplyIdentity(hex: hex, created: created, model: model ?? root["model"]?.string ?? "")
        var reply = try Answers.reply(endpoint, root, identity, behaviour, store)
        if case .script(let script) = reply.body { reply.body = .script(script.spoiled(by: behaviour, reply.dialect)) }
        return reply
    }

    static func text(_ reply: Reply) -> String {
        switch reply.body {
        case .whole(let body): return body.text
        case .script(let script):
            return (0..<script.count).map { String(decoding: script.buffer.span.extracting(script.range(of: $0))) }
                .joined()
        }
    }

    static func json(_ endpoint: Endpoint, _ body: String, _ words: String = "") throws -> JSONThing {
        try JSONThing(text(reply(endpoint, body, words)))
    }

    /// The body of an error.
    static func text(_ error: APIError) -> String {
        let buffer = ByteBuffer(capacity: 256)
        error.write(to: buffer)
        return buffer.text
    }

    static func schemaInstance(_ schema: String) throws -> String {
        let bytes = ByteBuffer(schema)
        let tape = JSONTape()
        try tape.scan(bytes.span)
        return String(decoding: SchemaInstance.text(tape.root(over: bytes.span)), as: UTF8.self)
    }
}
