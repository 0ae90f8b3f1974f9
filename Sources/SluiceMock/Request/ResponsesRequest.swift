internal import SluiceCore
internal import SluiceJSON

/// A request of the Responses API, and what is to be answered.
struct ResponsesRequest {
    let isStream: Bool
    let isStored: Bool
    let calls: [ToolCall]
    let text: ReplyText
    let usage: TokenUsage
    let maxOutputTokens: Int?
    let isParallel: Bool
    /// Members that the response repeats, as JSON texts.
    let repeated: [(name: StaticString, json: [UInt8])]

    private static let repeatedMembers: [(name: StaticString, absent: StaticString)] = [
        ("instructions", "null"), ("metadata", "{}"), ("previous_response_id", "null"),
        ("reasoning", #"{"effort":null,"summary":null}"#),
        ("temperature", "1.0"), ("text", #"{"format":{"type":"text"}}"#), ("tool_choice", #""auto""#), ("tools", "[]"),
        ("top_p", "1.0"), ("truncation", #""disabled""#), ("user", "null"),
    ]

    init(_ root: JSONValue, _ behaviour: Behaviour) throws(APIError) {
        let input = try Self.input(root)
        isStream = try root.bool("stream") ?? false
        isStored = try root.bool("store") ?? true
        isParallel = try root.bool("parallel_tool_calls") ?? true
        maxOutputTokens = try root.int("max_output_tokens", in: 1...Int.max)
        try root.check("temperature", in: 0...2)
        try root.check("top_p", in: 0...1)
        calls = input.endsWithToolResult ? [] : try ToolChoice.calls(root, behaviour, isFlat: true)
        let echo = try Self.structured(root) ?? input.echo
        text = ReplyText(echo: echo, behaviour, limit: maxOutputTokens)
        let spoken = calls.isEmpty ? text.tokenCount : calls.reduce(0) { $0 + 1 + Tokens.count($1.arguments.span) }
        usage = TokenUsage(prompt: input.tokens, completion: spoken, behaviour.usage)
        repeated = Self.repeatedMembers.map { name, absent in
            (name, root.rawText(name) ?? Array("\(absent)".utf8))
        }
    }

    private static func input(_ root: JSONValue) throws(APIError) -> (
        echo: [UInt8], endsWithToolResult: Bool, tokens: Int
    ) {
        guard let input = root.given("input") else { throw .missing("input") }
        let instructions = Tokens.estimate(byteCount: root.rawByteCount("instructions"))
        let tokens = instructions + Tokens.estimate(byteCount: input.range.count)
        if input.isString { return (ContentText.bytes(input), false, tokens) }
        guard input.isArray else { throw .invalidType("input", expected: "a string or an array of input items") }
        if input.count == 0 { throw .emptyArray("input") }
        var echo: [UInt8] = []
        var endsWithToolResult = false
        var index = 0
        var items = input.elements
        while let item = items.next() {
            guard item.isObject else { throw .invalidType("input[\(index)]", expected: "an object") }
            let type = item["type"]
            endsWithToolResult =
                type?.equals("function_call_output") == true || type?.equals("custom_tool_call_output") == true
            if endsWithToolResult, let output = item["output"] { echo = ContentText.bytes(output) }
            if item["role"]?.equals("user") == true, let content = item["content"] { echo = ContentText.bytes(content) }
            index += 1
        }
        return (echo, endsWithToolResult, tokens)
    }

    private static func structured(_ root: JSONValue) throws(APIError) -> [UInt8]? {
        guard let format = root.given("text")?.given("format") else { return nil }
        guard let type = format["type"]?.string else { throw .missing("text.format.type") }
        switch type {
        case "text": return nil
        case "json_object": return Array(#"{"answer":"text"}"#.utf8)
        case "json_schema":
            guard format["name"]?.string != nil else { throw .missing("text.format.name") }
            guard let schema = format["schema"] else { throw .missing("text.format.schema") }
            return SchemaInstance.text(schema)
        default:
            throw .invalidValue("text.format.type", "supported values are: 'json_object', 'json_schema', and 'text'")
        }
    }
}
