internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON

/// A chat request, read and checked as api.openai.com would, and what is to be answered.
struct ChatRequest {
    let isStream: Bool
    let includesUsage: Bool
    let choiceCount: Int
    /// `nil` without logprobs, else how many alternatives.
    let topLogprobs: Int?
    let calls: [ToolCall]
    let text: ReplyText
    let usage: TokenUsage

    /// Tokens of all choices together: a stream is written before it is sent.
    private static let tokensOfAllChoicesMax = 200_000
    private static let choicesMax = 128

    init(_ root: JSONValue, _ behaviour: Behaviour) throws(APIError) {
        let messages = try ChatMessages(root)
        isStream = try root.bool("stream") ?? false
        includesUsage = try Self.includesUsage(root, isStream: isStream) && !behaviour.usage.isOmitted
        choiceCount = try root.int("n", in: 1...Self.choicesMax) ?? 1
        topLogprobs = try Self.logprobs(root)
        try Self.checkRanges(root)
        if behaviour.isStrict { try ChatParameters.check(root) }
        let oldLimit = try root.int("max_tokens", in: 1...Int.max)
        let limit = try root.int("max_completion_tokens", in: 1...Int.max)
        let bound = Self.tokensOfAllChoicesMax / choiceCount
        calls = messages.endsWithToolResult ? [] : try ToolChoice.calls(root, behaviour, isFlat: false)
        if root.given("tools") == nil, root.given("parallel_tool_calls") != nil {
            throw APIError(
                400,
                "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified.",
                param: "parallel_tool_calls")
        }
        if behaviour.prefill == .refuse, !messages.prefill.isEmpty { throw .noPrefill }
        let structured = try Self.structured(root)
        text = ReplyText(
            echo: structured ?? messages.echo, behaviour, limit: min(limit ?? oldLimit ?? bound, bound),
            stops: try root.stops(), prefill: behaviour.prefill == .continue ? messages.prefill : [])
        let spoken = calls.isEmpty ? text.tokenCount : calls.reduce(0) { $0 + 1 + Tokens.count($1.arguments.span) }
        usage = TokenUsage(prompt: messages.promptTokens, completion: spoken * choiceCount, behaviour.usage)
    }

    /// Why every choice ends.
    var finishReason: StaticString { calls.isEmpty ? text.end.finishReason : "tool_calls" }

    private static func includesUsage(_ root: JSONValue, isStream: Bool) throws(APIError) -> Bool {
        guard let options = root.given("stream_options") else { return false }
        guard options.isObject else { throw .invalidType("stream_options", expected: "an object") }
        if !isStream {
            throw APIError(
                400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param: "stream_options"
            )
        }
        return try options.bool("include_usage") ?? false
    }

    private static func logprobs(_ root: JSONValue) throws(APIError) -> Int? {
        let isAsked = try root.bool("logprobs") ?? false
        let top = try root.int("top_logprobs", in: 0...20)
        if top != nil, !isAsked {
            throw .invalidValue("top_logprobs", "'logprobs' must be true if 'top_logprobs' is given")
        }
        return isAsked ? top ?? 0 : nil
    }

    private static func checkRanges(_ root: JSONValue) throws(APIError) {
        try root.check("temperature", in: 0...2)
        try root.check("top_p", in: 0...1)
        try root.check("frequency_penalty", in: -2...2)
        try root.check("presence_penalty", in: -2...2)
    }

    /// A JSON text, if the response format asks for one.
    private static func structured(_ root: JSONValue) throws(APIError) -> [UInt8]? {
        guard let format = root.given("response_format") else { return nil }
        guard let type = format["type"]?.string else { throw .missing("response_format.type") }
        switch type {
        case "text": return nil
        case "json_object":
            guard let messages = root["messages"], mentionsJSON(messages.rawBytes) else {
                throw APIError(
                    400,
                    "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
                    param: "messages")
            }
            return Array(#"{"answer":"text"}"#.utf8)
        case "json_schema":
            guard let description = format["json_schema"] else { throw .missing("response_format.json_schema") }
            guard description["name"]?.string != nil else { throw .missing("response_format.json_schema.name") }
            guard let schema = description["schema"] else { return Array("{}".utf8) }
            return SchemaInstance.text(schema)
        default:
            throw .invalidValue(
                "response_format.type", "supported values are: 'json_object', 'json_schema', and 'text'")
        }
    }

    private static func mentionsJSON(_ bytes: Span<UInt8>) -> Bool {
        var index = 0
        while index + 4 <= bytes.count {
            if bytes.extracting(index..<index + 4).hasPrefixIgnoringCase("json") { return true }
            index += 1
        }
        return false
    }
}

/// The members that a chat request may have.
enum ChatParameters {
    private static let known: Set<String> = [
        "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs", "max_completion_tokens",
        "max_tokens", "messages", "metadata", "modalities", "model", "moderation", "n", "parallel_tool_calls",
        "prediction",
        "presence_penalty", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning_effort",
        "response_format", "safety_identifier", "seed", "service_tier", "stop", "store", "stream", "stream_options",
        "temperature", "tool_choice", "tools", "top_logprobs", "top_p", "user", "verbosity", "web_search_options",
    ]

    static func check(_ root: JSONValue) throws(APIError) {
        var members = root.members
        while let member = members.next() {
            let name = member.key.string ?? ""
            if !known.contains(name) { throw .unknownParameter(name) }
        }
    }
}
