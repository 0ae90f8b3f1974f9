/// A native request: messages under `input`, all else under `parameters`, the stream by a header.
struct DashScopeRequest {
    private(set) var question = Question()
    let isMultimodal: Bool
    let isIncremental: Bool
    /// Whether the answer is in `choices`; else it is a text.
    let hasChoices: Bool

    private static let members: Set<String> = ["model", "input", "parameters"]

    init(_ call: DialectCall, isMultimodal: Bool) throws(DialectFailure) {
        let body = try call.object()
        for member in body.members where !Self.members.contains(member.name) {
            throw .invalid("Unexpected item: \(member.name)")
        }
        guard let model = body["model"]?.text, !model.isEmpty else {
            throw .invalid("Required parameter(s) missing: model")
        }
        let isVision = ["qwen-vl", "qvq"].contains { model.hasPrefix($0) }
        if isVision != isMultimodal {
            throw DialectFailure(.noPath, "url error, please check url!", code: "InvalidParameter")
        }
        let parameters = body["parameters"] ?? [:]
        self.isMultimodal = isMultimodal
        isIncremental = parameters["incremental_output"]?.flag ?? false
        hasChoices = isMultimodal || parameters["result_format"]?.text == "message"
        question.isStream = call.header("x-dashscope-sse") == "enable"
        question.promptByteCount = body["input"]?.bytes.count ?? 0
        try readMessages(body)
        try read(parameters)
        let isOpenWeight =
            body["model"]?.text?.hasPrefix("qwen3-") == true && body["model"]?.text?.hasSuffix("b") == true
        if parameters["enable_thinking"]?.flag ?? (isOpenWeight && !question.isStream) {
            if isOpenWeight, !question.isStream {
                throw .invalid("parameter.enable_thinking must be set to false for non-streaming calls")
            }
            if question.isStream, !isIncremental {
                throw .invalid("parameter.incremental_output must be true when enable_thinking is true")
            }
            question.wantsReasoning = true
        }
    }

    private mutating func readMessages(_ body: MockJSON) throws(DialectFailure) {
        if let prompt = body["input"]?["prompt"]?.text {
            question.echo = prompt
            return
        }
        guard let messages = body["input"]?["messages"]?.items, !messages.isEmpty else {
            throw .invalid("Required parameter(s) missing: messages")
        }
        for (index, message) in messages.enumerated() {
            guard let role = message["role"]?.text, ["system", "user", "assistant", "tool"].contains(role) else {
                throw .invalid("Role must be in [user, assistant, system, tool]")
            }
            if role == "system", index > 0 { throw .invalid("Role system must be the first message") }
            let content = message["content"]
            if isMultimodal, let content, !content.isArray {
                throw .invalid("Input should be a valid list: input.messages.content")
            }
            for part in content?.items ?? [] where part["type"] != nil {
                throw .invalid("content parts have no type: {\"text\":…}")
            }
            let text = content?.text ?? content?.items.compactMap { $0["text"]?.text }.joined() ?? ""
            question.endsWithToolResult = role == "tool"
            question.prefill = role == "assistant" ? text : ""
            question.continuesPrefill = message["partial"]?.flag == true
            if role == "user" || role == "tool" { question.echo = text }
        }
    }

    private mutating func read(_ parameters: MockJSON) throws(DialectFailure) {
        if let value = parameters["temperature"]?.number, !(0..<2).contains(value) {
            throw .invalid("Temperature should be in [0.0, 2.0)")
        }
        if let value = parameters["top_p"]?.number, value <= 0 || value > 1 {
            throw .invalid("Range of top_p should be (0.0, 1.0]")
        }
        question.limit = parameters["max_tokens"]?.whole
        if let limit = question.limit, limit < 1 { throw .invalid("Range of max_tokens should be [1, 8192]") }
        if let stop = parameters["stop"] { question.stops = stop.text.map { [$0] } ?? stop.items.compactMap(\.text) }
        question.isParallel = parameters["parallel_tool_calls"]?.flag ?? true
        for tool in parameters["tools"]?.items ?? [] {
            guard let name = tool["function"]?["name"]?.text else { throw .invalid("tools.function.name is required") }
            question.tools.append(Question.Tool(name: name, schema: tool["function"]?["parameters"]))
        }
        if !question.tools.isEmpty, !hasChoices { throw .invalid("result_format must be message when tools are used") }
        guard let choice = parameters["tool_choice"] else { return }
        if choice.text == "required" {
            throw .invalid("tool_choice is one of the strings that should be [\"none\", \"auto\"]")
        }
        if choice.text == "none" { question.choice = .none }
        if let name = choice["function"]?["name"]?.text { question.choice = .named(name) }
    }
}
