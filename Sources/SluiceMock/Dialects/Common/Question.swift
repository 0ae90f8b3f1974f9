internal import SluiceCore
internal import SluiceJSON

/// What a request asks, in no dialect.
struct Question {
    struct Tool {
        let name: String
        /// JSON Schema of its arguments.
        let schema: MockJSON?
    }

    enum Choice: Equatable {
        case auto, none, required
        case named(String)
    }

    /// What is answered if nothing else is said: the last user text, or the last tool result.
    var echo = ""
    var endsWithToolResult = false
    /// What the assistant said last, if nothing comes after it; else empty.
    var prefill = ""
    /// Whether the dialect goes on after that by itself.
    var continuesPrefill = false
    var tools: [Tool] = []
    var choice = Choice.auto
    var isParallel = true
    var wantsReasoning = false
    var isStream = false
    var limit: Int?
    var stops: [String] = []
    /// Whether a matched stop sequence is part of the answer.
    var keepsStop = false
    /// A JSON Schema that the answer is to satisfy.
    var schema: MockJSON?
    var promptByteCount = 0
}

/// What the mock says, before a dialect spells it.
struct Answer {
    let reasoning: String?
    let text: ReplyText
    let calls: [ToolCall]
    let usage: TokenUsage
    /// The stop sequence that ended it.
    let stop: String?

    private static let thought = "The user wants an answer. It is simple."

    init(_ question: Question, _ behaviour: Behaviour) throws(DialectFailure) {
        if behaviour.prefill == .refuse, !question.prefill.isEmpty {
            throw .invalid(
                "This model does not support assistant message prefill. The conversation must end with a user message.")
        }
        let isContinued = behaviour.prefill.map { $0 == .continue } ?? question.continuesPrefill
        calls = Self.calls(question, behaviour)
        var stop: String?
        let schema = question.schema.map { SchemaText.instance($0) }
        var text = ReplyText(
            echo: schema ?? Array(question.echo.utf8), behaviour, limit: question.limit,
            prefill: isContinued ? Array(question.prefill.utf8) : [])
        if !question.stops.isEmpty {
            let full = String(decoding: text.bytes, as: UTF8.self)
            if let hit = Self.firstStop(in: full, question.stops) {
                stop = hit.stop
                let kept = question.keepsStop ? hit.text + hit.stop : hit.text
                text = ReplyText(echo: Array(kept.utf8), Self.literal(behaviour))
            }
        }
        self.stop = calls.isEmpty ? stop : nil
        self.text = text
        let isThinking = question.wantsReasoning || behaviour.reasoning != nil
        reasoning = isThinking ? behaviour.reasoning ?? Self.thought : nil
        let thoughtTokens = reasoning.map { Tokens.count($0.utf8Span.span) } ?? 0
        let spoken =
            calls.isEmpty ? text.tokenCount : calls.reduce(0) { $0 + 1 + Tokens.count($1.arguments.span) }
        var override = behaviour.usage
        if override.reasoning == 0 { override.reasoning = thoughtTokens }
        usage = TokenUsage(
            prompt: Tokens.estimate(byteCount: question.promptByteCount), completion: spoken + override.reasoning,
            override)
    }

    /// The text in tokens, as a stream carries it.
    var pieces: [String] { Self.pieces(text.bytes) }
    var reasoningPieces: [String] { reasoning.map { Self.pieces(Array($0.utf8)) } ?? [] }
    var string: String { String(decoding: text.bytes, as: UTF8.self) }

    static func pieces(_ text: [UInt8]) -> [String] {
        var pieces: [String] = []
        var at = 0
        while at < text.count {
            let end = Tokens.end(in: text.span, from: at)
            pieces.append(String(decoding: text[at..<end], as: UTF8.self))
            at = end
        }
        return pieces
    }

    private static func literal(_ behaviour: Behaviour) -> Behaviour {
        var behaviour = behaviour
        behaviour.text = nil
        behaviour.tokens = nil
        behaviour.variance = nil
        return behaviour
    }

    private static func firstStop(in text: String, _ stops: [String]) -> (text: String, stop: String)? {
        let bytes = Array(text.utf8)
        for start in bytes.indices {
            for stop in stops where !stop.isEmpty && bytes[start...].starts(with: stop.utf8) {
                return (String(decoding: bytes[..<start], as: UTF8.self), stop)
            }
        }
        return nil
    }

    private static func calls(_ question: Question, _ behaviour: Behaviour) -> [ToolCall] {
        if question.endsWithToolResult || question.choice == .none { return [] }
        var tools = question.tools
        if case .named(let name) = question.choice { tools = tools.filter { $0.name == name } }
        if tools.isEmpty { return [] }
        let forced = question.choice != .auto ? max(behaviour.toolCalls, 1) : behaviour.toolCalls
        let count = question.isParallel ? forced : min(forced, 1)
        return (0..<count).map { index in
            let tool = tools[index % tools.count]
            let arguments = behaviour.arguments.map { Array($0.utf8) } ?? tool.schema.map { SchemaText.instance($0) }
            return ToolCall(name: tool.name, arguments: arguments ?? Array("{}".utf8), isCustom: false)
        }
    }
}

/// An instance of a schema that a dialect spells in its own way.
enum SchemaText {
    static func instance(_ schema: MockJSON) -> [UInt8] {
        let text = lowercased(schema).bytes
        let tape = JSONTape()
        guard (try? tape.scan(text.span)) != nil else { return Array("{}".utf8) }
        return SchemaInstance.text(tape.root(over: text.span))
    }

    /// Gemini spells types in capitals.
    private static func lowercased(_ schema: MockJSON) -> MockJSON {
        switch schema {
        case .array(let items): return .array(items.map { lowercased($0) })
        case .object(let members):
            return .object(
                members.map { member in
                    if member.name == "type", let type = member.value.text {
                        return MockJSON.Member(name: "type", value: .string(type.lowercased()))
                    }
                    return MockJSON.Member(name: member.name, value: lowercased(member.value))
                })
        default: return schema
        }
    }
}
