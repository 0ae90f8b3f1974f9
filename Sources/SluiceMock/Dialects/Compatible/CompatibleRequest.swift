/// A chat completions request, read and checked as one provider would.
struct CompatibleRequest {
    private(set) var question = Question()
    let model: String
    let body: MockJSON
    private(set) var includesUsage = false
    /// Whether reasoning is told apart from the content, where that is a choice.
    let splitsReasoning: Bool
    private let traits: CompatibleTraits

    init(_ call: DialectCall, _ traits: CompatibleTraits, needsModel: Bool = true) throws(DialectFailure) {
        body = try call.object()
        self.traits = traits
        guard let model = body["model"]?.text ?? (needsModel ? nil : ""), !needsModel || !model.isEmpty else {
            throw .invalid("you must provide a model parameter", param: "model", code: "invalid_model")
        }
        self.model = model
        splitsReasoning = body["reasoning_split"]?.flag ?? false
        if model == ModelReplies.missing { throw DialectFailure(.noModel, "The model `\(model)` does not exist.") }
        for member in body.members {
            if traits.refused.contains(member.name) || traits.known.map({ !$0.contains(member.name) }) ?? false {
                throw .invalid(
                    "\(member.name): Extra inputs are not permitted", param: member.name, code: "extra_forbidden")
            }
        }
        question.isStream = body["stream"]?.flag ?? false
        question.keepsStop = traits.keepsStop
        question.promptByteCount = (body["messages"]?.bytes.count ?? 0) + (body["tools"]?.bytes.count ?? 0)
        try readNumbers()
        try readTools()
        try readFormat()
        readReasoning()
        let messages = try CompatibleMessages(body, traits)
        question.echo = messages.echo
        question.endsWithToolResult = messages.endsWithToolResult
        question.prefill = messages.prefill
        question.continuesPrefill = messages.continuesPrefill || body["continue_final_message"]?.flag == true
        try CompatibleRules.check(body, messages, self, call.prefix)
        includesUsage = body["stream_options"]?["include_usage"]?.flag ?? false
    }

    private mutating func readNumbers() throws(DialectFailure) {
        if let value = body["temperature"] {
            guard let number = value.number else {
                throw .invalid("temperature must be a number", param: "temperature")
            }
            if !traits.temperature.contains(number) || traits.temperatureIsOpen && number == 0 {
                throw .invalid(
                    "temperature must be from \(traits.temperature.lowerBound) to \(traits.temperature.upperBound)",
                    param: "temperature")
            }
        }
        if let value = body["top_p"]?.number, !(0...1).contains(value) {
            throw .invalid("top_p must be from 0 to 1", param: "top_p")
        }
        for name in ["max_tokens", "max_completion_tokens"] {
            guard let value = body[name] else { continue }
            guard let number = value.whole, number > 0 else { throw .invalid("\(name) must be positive", param: name) }
            question.limit = number
        }
        if let stop = body["stop"] {
            if let text = stop.text {
                if traits.stopIsArray { throw .invalid("stop must be an array", param: "stop") }
                question.stops = [text]
            } else {
                question.stops = stop.items.compactMap(\.text)
            }
            if question.stops.count > traits.stopsMax {
                throw .invalid("stop: at most \(traits.stopsMax) sequences", param: "stop")
            }
        }
    }

    private mutating func readTools() throws(DialectFailure) {
        guard let tools = body["tools"] else { return }
        for (index, tool) in tools.items.enumerated() {
            guard let type = tool["type"]?.text else {
                throw .invalid("tools[\(index)].type is missing", param: "tools")
            }
            if type != "function" { continue }
            guard let name = tool["function"]?["name"]?.text, !name.isEmpty else {
                throw .invalid("tools[\(index)].function.name is missing", param: "tools")
            }
            question.tools.append(Question.Tool(name: name, schema: tool["function"]?["parameters"]))
        }
        question.isParallel = body["parallel_tool_calls"]?.flag ?? true
        guard let choice = body["tool_choice"] else { return }
        let kind = choice.text ?? "named"
        if !traits.toolChoices.contains(kind) {
            throw .invalid(
                "Tool choice must be \(traits.toolChoices.sorted().joined(separator: " or "))", param: "tool_choice")
        }
        switch kind {
        case "none": question.choice = .none
        case "required", "any", "custom": question.choice = .required
        case "named":
            guard let name = choice["function"]?["name"]?.text ?? choice["name"]?.text else {
                throw .invalid("tool_choice.function.name is missing", param: "tool_choice")
            }
            question.choice = .named(name)
        default: question.choice = .auto
        }
    }

    private mutating func readFormat() throws(DialectFailure) {
        guard let format = body["response_format"] else { return }
        let type = format["type"]?.text ?? ""
        guard traits.formats.contains(type) else {
            throw .invalid("response_format type '\(type)' is not supported", param: "response_format")
        }
        if type == "json_schema" { question.schema = format["json_schema"]?["schema"] }
        if type == "json_object" {
            question.schema = ["type": "object", "properties": ["answer": ["type": "string"]]]
        }
    }

    private mutating func readReasoning() {
        if traits.reasoning == .none { return }
        let thinking = body["thinking"]?["type"]?.text
        let effort = body["reasoning_effort"]?.text ?? body["reasoning"]?["effort"]?.text
        if body["enable_thinking"]?.flag == true { question.wantsReasoning = true }
        if let effort { question.wantsReasoning = effort != "none" }
        if let thinking { question.wantsReasoning = thinking != "disabled" }
        if body["prompt_mode"]?.text == "reasoning" || body["reasoning"] != nil && effort == nil {
            question.wantsReasoning = true
        }
        if traits.reasonsByDefault, thinking == nil, effort == nil { question.wantsReasoning = true }
    }
}
