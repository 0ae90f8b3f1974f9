internal import SluiceCore

/// A Messages request, read and checked as the API would.
struct AnthropicRequest {
    private(set) var question = Question()
    let model: String

    private static let members: Set<String> = [
        "model", "max_tokens", "messages", "system", "stop_sequences", "stream", "temperature", "top_p", "top_k",
        "tools", "tool_choice", "thinking", "output_config", "metadata", "service_tier", "cache_control", "speed",
        "inference_geo", "container", "diagnostics", "context_management", "mcp_servers", "betas",
    ]

    init(_ call: DialectCall, isCount: Bool = false) throws(DialectFailure) {
        let body = try call.object()
        for member in body.members where !Self.members.contains(member.name) {
            throw .invalid("\(member.name): Extra inputs are not permitted")
        }
        guard let model = body["model"]?.text, !model.isEmpty else { throw .invalid("model: Field required") }
        self.model = model
        if model == ModelReplies.missing { throw DialectFailure(.noModel, "model: \(model)") }
        let traits = AnthropicModel(model)
        question.limit = try Self.maxTokens(body, isCount: isCount)
        question.isStream = body["stream"]?.flag ?? false
        try Self.checkSampling(body, traits, version: call.header("anthropic-version") ?? "")
        try readThinking(body, traits)
        try readTools(body, traits)
        try readStops(body)
        question.schema = body["output_config"]?["format"]?["schema"]
        if let format = body["output_config"]?["format"], format["type"]?.text != "json_schema" {
            throw .invalid("output_config.format.type: Input should be 'json_schema'")
        }
        let isBudgeted = body["thinking"]?["type"]?.text == "enabled"
        let messages = try AnthropicMessages(body, traits, hasTools: body["tools"] != nil, isThinking: isBudgeted)
        question.echo = messages.echo
        question.endsWithToolResult = messages.endsWithToolResult
        question.prefill = messages.prefill
        question.continuesPrefill = true
        question.promptByteCount = messages.byteCount
    }

    private static func maxTokens(_ body: MockJSON, isCount: Bool) throws(DialectFailure) -> Int? {
        guard let value = body["max_tokens"] else {
            if isCount { return nil }
            throw .invalid("max_tokens: Field required")
        }
        guard let number = value.whole else { throw .invalid("max_tokens: Input should be a valid integer") }
        if isCount { throw .invalid("max_tokens: Extra inputs are not permitted") }
        if number < 0 { throw .invalid("max_tokens: Input should be greater than or equal to 0") }
        return number
    }

    private static func checkSampling(
        _ body: MockJSON, _ traits: AnthropicModel, version: String
    ) throws(DialectFailure) {
        for name in ["temperature", "top_p", "top_k"] {
            guard let value = body[name] else { continue }
            guard let number = value.number else { throw .invalid("\(name): Input should be a valid number") }
            if version == "2026-10-21" { throw .invalid("\(name): Extra inputs are not permitted") }
            if name != "top_k", number < 0 || number > 1 {
                throw .invalid("\(name): range: 0..1")
            }
            if !traits.takesSampling, !(name == "temperature" && number == 1) {
                throw .invalid("`\(name)` is not supported by this model.")
            }
        }
    }

    private mutating func readThinking(_ body: MockJSON, _ traits: AnthropicModel) throws(DialectFailure) {
        guard let thinking = body["thinking"] else { return }
        switch thinking["type"]?.text {
        case "adaptive", "between_tools": question.wantsReasoning = true
        case "enabled":
            if !traits.takesBudget { throw .invalid("thinking.type: \"enabled\" is not supported by this model.") }
            guard let budget = thinking["budget_tokens"]?.whole else {
                throw .invalid("thinking.enabled.budget_tokens: Field required")
            }
            if budget < 1024 {
                throw .invalid("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
            }
            if let limit = question.limit, budget >= limit {
                throw .invalid("`max_tokens` must be greater than `thinking.budget_tokens`.")
            }
            question.wantsReasoning = true
        case "disabled": break
        default: throw .invalid("thinking.type: Input should be 'adaptive', 'enabled', 'disabled' or 'between_tools'")
        }
    }

    private mutating func readTools(_ body: MockJSON, _ traits: AnthropicModel) throws(DialectFailure) {
        for (index, tool) in (body["tools"]?.items ?? []).enumerated() {
            if let type = tool["type"]?.text, type != "custom" { continue }
            guard let name = tool["name"]?.text, Self.isName(name) else {
                throw .invalid("tools.\(index).name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'")
            }
            guard let schema = tool["input_schema"] else {
                throw .invalid("tools.\(index).input_schema: Field required")
            }
            if schema["type"]?.text != "object" {
                throw .invalid("tools.\(index).input_schema.type: Input should be 'object'")
            }
            question.tools.append(Question.Tool(name: name, schema: schema))
        }
        guard let choice = body["tool_choice"] else { return }
        if body["tools"] == nil { throw .invalid("tool_choice: may only be specified while providing tools") }
        switch choice["type"]?.text {
        case "auto": question.choice = .auto
        case "any": question.choice = .required
        case "none": question.choice = .none
        case "tool":
            guard let name = choice["name"]?.text else { throw .invalid("tool_choice.tool.name: Field required") }
            if !question.tools.contains(where: { $0.name == name }) {
                throw .invalid("Tool '\(name)' not found in provided tools")
            }
            question.choice = .named(name)
        default: throw .invalid("tool_choice: Input tag does not match any of: 'auto', 'any', 'tool', 'none'")
        }
        let isForced = question.choice != .auto && question.choice != .none
        if isForced, question.wantsReasoning {
            throw .invalid("Thinking may not be enabled when tool_choice forces tool use.")
        }
        if isForced, !traits.takesForcedTools { throw .invalid("tool_choice: not supported by this model.") }
        if let flag = choice["disable_parallel_tool_use"]?.flag {
            if question.choice == .none {
                throw .invalid("tool_choice.none.disable_parallel_tool_use: Extra inputs are not permitted")
            }
            question.isParallel = !flag
        }
    }

    private mutating func readStops(_ body: MockJSON) throws(DialectFailure) {
        question.stops = (body["stop_sequences"]?.items ?? []).compactMap(\.text)
        for stop in question.stops where stop.allSatisfy(\.isWhitespace) {
            throw .invalid("stop_sequences: each stop sequence must contain non-whitespace")
        }
        if let user = body["metadata"]?["user_id"]?.text, user.contains("@") {
            throw .invalid("metadata.user_id: must not contain an e-mail address")
        }
    }

    static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 128
            && name.utf8.allSatisfy { $0.isASCIILetter || $0.isDecimalDigit || $0 == 0x5F || $0 == 0x2D }
    }
}

/// What a model takes, by its name; a name that says no version takes everything.
struct AnthropicModel {
    private let family: String
    private let major: Int?
    private let minor: Int

    init(_ name: String) {
        let words = (name.split(separator: "+").first ?? "").split(separator: "-")
        family = words.count > 1 ? String(words[1]) : ""
        major = words.count > 2 ? Int(words[2]) : nil
        // What follows may be a date.
        minor = words.count > 3 ? Int(words[3]).map { $0 > 99 ? 0 : $0 } ?? 0 : 0
    }

    private func isAtMost(_ major: Int, _ minor: Int) -> Bool {
        guard let own = self.major else { return true }
        return own < major || own == major && self.minor <= minor
    }

    var takesSampling: Bool { isAtMost(4, 6) }
    var takesBudget: Bool { isAtMost(4, 6) }
    var takesPrefill: Bool { isAtMost(4, 5) }
    var takesForcedTools: Bool { isAtMost(5, 0) || family == "haiku" }
}
