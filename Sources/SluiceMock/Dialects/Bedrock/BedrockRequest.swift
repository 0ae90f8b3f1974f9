internal import SluiceCore

/// A Converse request, read and checked.
struct BedrockRequest {
    private(set) var question = Question()

    private static let members: Set<String> = [
        "messages", "system", "inferenceConfig", "toolConfig", "guardrailConfig", "additionalModelRequestFields",
        "additionalModelResponseFieldPaths", "requestMetadata", "performanceConfig", "serviceTier", "outputConfig",
        "promptVariables",
    ]

    init(_ call: DialectCall) throws(DialectFailure) {
        let body = try call.object()
        for member in body.members where !Self.members.contains(member.name) {
            throw .invalid("The value at /\(member.name) is not a member of ConverseRequest.")
        }
        question.promptByteCount = body.bytes.count
        for block in body["system"]?.items ?? [] {
            if let text = block["text"]?.text, text.isEmpty {
                throw .invalid("The text field in the system content block is blank.")
            }
        }
        try readInference(body["inferenceConfig"] ?? [:])
        try readTools(body)
        let messages = try BedrockMessages(body, hasTools: body["toolConfig"] != nil)
        question.echo = messages.echo
        question.endsWithToolResult = messages.endsWithToolResult
        question.prefill = messages.prefill
        question.continuesPrefill = true
        try readExtras(body)
    }

    private mutating func readInference(_ config: MockJSON) throws(DialectFailure) {
        let known = ["maxTokens", "temperature", "topP", "stopSequences"]
        for member in config.members where !known.contains(member.name) {
            throw .invalid("The value at /inferenceConfig/\(member.name) is not a member of InferenceConfiguration.")
        }
        for name in ["temperature", "topP"] {
            if let value = config[name]?.number, value < 0 || value > 1 {
                throw .invalid(
                    "Value '\(value)' at 'inferenceConfig.\(name)' failed to satisfy constraint: Member must have value less than or equal to 1"
                )
            }
        }
        question.limit = config["maxTokens"]?.whole
        if let limit = question.limit, limit < 1 {
            throw .invalid(
                "Value '\(limit)' at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1"
            )
        }
        question.stops = (config["stopSequences"]?.items ?? []).compactMap(\.text)
        if question.stops.contains("") { throw .invalid("stopSequences must not be empty") }
    }

    private mutating func readTools(_ body: MockJSON) throws(DialectFailure) {
        guard let config = body["toolConfig"] else { return }
        guard let tools = config["tools"]?.items, !tools.isEmpty else {
            throw .invalid(
                "Value '[]' at 'toolConfig.tools' failed to satisfy constraint: Member must have length greater than or equal to 1"
            )
        }
        for tool in tools {
            guard let spec = tool["toolSpec"] else { continue }
            guard let name = spec["name"]?.text, BedrockMessages.isName(name, extra: "_-") else {
                throw .invalid(
                    "Value at 'toolConfig.tools.1.member.toolSpec.name' failed to satisfy constraint: [a-zA-Z0-9_-]+")
            }
            guard let schema = spec["inputSchema"]?["json"], schema.isObject else {
                throw .invalid("The value at toolConfig.tools.0.toolSpec.inputSchema.json must be an object.")
            }
            if spec["description"]?.text == "" { throw .invalid("toolSpec.description must not be empty") }
            question.tools.append(Question.Tool(name: name, schema: schema))
        }
        guard let choice = config["toolChoice"] else { return }
        if choice.members.count != 1 { throw .invalid("toolChoice: exactly one member must be set") }
        if choice["any"] != nil { question.choice = .required }
        if let tool = choice["tool"] {
            guard let name = tool["name"]?.text, question.tools.contains(where: { $0.name == name }) else {
                throw .invalid("The tool in toolChoice is not among toolConfig.tools.")
            }
            question.choice = .named(name)
        }
    }

    private mutating func readExtras(_ body: MockJSON) throws(DialectFailure) {
        let extra = body["additionalModelRequestFields"] ?? [:]
        if extra["tool_choice"]?["disable_parallel_tool_use"]?.flag == true { question.isParallel = false }
        if let thinking = extra["thinking"]?["type"]?.text, thinking != "disabled" {
            question.wantsReasoning = true
            if let temperature = body["inferenceConfig"]?["temperature"]?.number, temperature != 1 {
                throw .invalid("`temperature` may only be set to 1 when thinking is enabled.")
            }
            if question.choice != .auto {
                throw .invalid("Thinking may not be enabled when tool_choice forces tool use.")
            }
            if let budget = extra["thinking"]?["budget_tokens"]?.whole {
                if budget < 1024 {
                    throw .invalid("thinking.budget_tokens: Input should be greater than or equal to 1024")
                }
                if let limit = question.limit, budget >= limit {
                    throw .invalid("`max_tokens` must be greater than `thinking.budget_tokens`.")
                }
            }
        }
        if extra["reasoning_effort"] != nil || extra["reasoningConfig"]?["type"]?.text == "enabled" {
            question.wantsReasoning = true
        }
        guard let format = body["outputConfig"]?["textFormat"] else { return }
        guard let text = format["structure"]?["jsonSchema"]?["schema"]?.text,
            let schema = MockJSON(parsing: text.utf8Span.span)
        else { throw .invalid("outputConfig.textFormat.structure.jsonSchema.schema must be a JSON schema as a string") }
        question.schema = schema
    }
}

/// The turns of a Converse request.
struct BedrockMessages {
    private(set) var echo = ""
    private(set) var endsWithToolResult = false
    /// What the assistant said last, if nothing comes after it; else empty.
    private(set) var prefill = ""

    private static let blocks: Set<String> = [
        "text", "image", "document", "video", "audio", "toolUse", "toolResult", "reasoningContent", "cachePoint",
        "guardContent", "citationsContent", "searchResult", "toolAddition", "toolRemoval", "type",
    ]

    init(_ body: MockJSON, hasTools: Bool) throws(DialectFailure) {
        guard let messages = body["messages"]?.items, !messages.isEmpty else {
            throw .invalid("The messages field is required.")
        }
        var open: [String] = []
        var last = ""
        for (index, message) in messages.enumerated() {
            guard let role = message["role"]?.text, ["user", "assistant", "system"].contains(role) else {
                throw .invalid(
                    "Value at 'messages.\(index + 1).member.role' failed to satisfy constraint: [user, assistant]")
            }
            if index == 0, role != "user" {
                throw .invalid(
                    "A conversation must start with a user message. Try again with a conversation that starts with a user message."
                )
            }
            if role == last { throw .invalid("messages: roles must alternate between \"user\" and \"assistant\"") }
            last = role
            guard let content = message["content"]?.items, !content.isEmpty else {
                throw .invalid("The content field in the Message object at messages.\(index) is empty.")
            }
            var calls: [String] = []
            var results: [String] = []
            for block in content { try take(block, "messages.\(index).content", role, &calls, &results) }
            if !hasTools, !calls.isEmpty || !results.isEmpty {
                throw .invalid("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
            }
            if results.sorted() != open.sorted() {
                throw .invalid(
                    results.count < open.count
                        ? "Expected toolResult blocks at messages.\(index).content for the following Ids: \(open.joined(separator: ", "))"
                        : "The number of toolResult blocks at messages.\(index).content exceeds the number of toolUse blocks of previous turn."
                )
            }
            open = calls
            endsWithToolResult = !results.isEmpty && !content.contains { $0["text"] != nil }
            let texts = content.compactMap { $0["text"]?.text }
            prefill = role == "assistant" ? texts.joined() : ""
            if role == "user", !texts.isEmpty { echo = texts.joined() }
        }
        if !open.isEmpty { throw .invalid("Expected toolResult blocks after toolUse blocks.") }
    }

    private mutating func take(
        _ block: MockJSON, _ place: String, _ role: String, _ calls: inout [String], _ results: inout [String]
    ) throws(DialectFailure) {
        let members = block.members.filter { $0.name != "type" }
        guard members.count == 1, Self.blocks.contains(members[0].name) else {
            throw .invalid(
                "ContentBlock object at \(place) must set one of the following keys: text, image, toolUse, toolResult, document, …"
            )
        }
        if let text = block["text"]?.text, text.allSatisfy(\.isWhitespace) {
            throw .invalid(
                "The text field in the ContentBlock object at \(place) is blank. Add text to the text field, and try again."
            )
        }
        if let use = block["toolUse"] {
            guard let id = use["toolUseId"]?.text, Self.isName(id, extra: "_.:-"), use["name"]?.text != nil,
                use["input"]?.isObject == true
            else { throw .invalid("The toolUse block at \(place) needs toolUseId, name and an object as input.") }
            calls.append(id)
        }
        if let result = block["toolResult"] {
            guard let id = result["toolUseId"]?.text, let content = result["content"], content.isArray else {
                throw .invalid("The toolResult block at \(place) needs toolUseId and content.")
            }
            for one in content.items where one["json"].map({ !$0.isObject }) ?? false {
                throw .invalid(
                    "The format of the value at \(place).toolResult.content.json is invalid. Provide a json object.")
            }
            results.append(id)
            echo = content.items.map { $0["text"]?.text ?? $0["json"]?.jsonText ?? "" }.joined()
        }
        if let image = block["image"] {
            if !["png", "jpeg", "gif", "webp"].contains(image["format"]?.text ?? "") || image["source"] == nil {
                throw .invalid("The image block at \(place) needs format (png, jpeg, gif, webp) and source.")
            }
        }
        if let document = block["document"] {
            let name = document["name"]?.text ?? ""
            if !Self.isName(name, extra: " -()[]", most: 200) || document["source"] == nil {
                throw .invalid(
                    "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and square brackets."
                )
            }
        }
        if let thought = block["reasoningContent"]?["reasoningText"] {
            let text = thought["text"]?.text ?? ""
            if let signature = thought["signature"]?.text, !Seal.isSignature(signature, of: text) {
                throw .invalid("\(place): Invalid `signature` in `thinking` block")
            }
            if thought["signature"] == nil { throw .invalid("\(place).thinking.signature: Field required") }
        }
    }

    static func isName(_ name: String, extra: String, most: Int = 64) -> Bool {
        !name.isEmpty && name.utf8.count <= most
            && name.utf8.allSatisfy { $0.isASCIILetter || $0.isDecimalDigit || extra.utf8.contains($0) }
    }
}
