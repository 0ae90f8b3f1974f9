/// The turns of a chat completions request, in the order that a provider insists on.
struct CompatibleMessages {
    private(set) var echo = ""
    private(set) var endsWithToolResult = false
    /// What the assistant said last, if nothing comes after it; else empty.
    private(set) var prefill = ""
    /// Whether that message asks to be gone on with.
    private(set) var continuesPrefill = false
    /// Calls without an answer.
    private var open: [String] = []

    init(_ body: MockJSON, _ traits: CompatibleTraits) throws(DialectFailure) {
        guard let messages = body["messages"], messages.isArray, !messages.items.isEmpty else {
            throw .invalid("messages must not be empty", param: "messages", code: "invalid_messages")
        }
        var last = ""
        for (index, message) in messages.items.enumerated() {
            guard let role = message["role"]?.text,
                ["system", "developer", "user", "assistant", "tool", "function"].contains(role),
                !traits.refusedRoles.contains(role)
            else {
                throw .invalid("messages[\(index)].role: unknown role", param: "messages", code: "invalid_messages")
            }
            if traits.alternates { try Self.checkOrder(role, after: last, index) }
            try take(message, role, index)
            last = role
        }
        if !open.isEmpty { throw Self.unanswered(open) }
        if traits.alternates, last == "assistant" || last == "system" { throw Self.order }
    }

    private static let order = DialectFailure.invalid(
        "messages must alternate user(tool) and assistant", param: "messages", code: "1001")

    private static func checkOrder(_ role: String, after last: String, _ index: Int) throws(DialectFailure) {
        switch role {
        case "system": if index > 0 { throw order }
        case "user": if last == "user" { throw order }
        case "assistant": if last != "user" && last != "tool" { throw order }
        default: if last != "assistant" && last != "tool" { throw order }
        }
    }

    private mutating func take(_ message: MockJSON, _ role: String, _ index: Int) throws(DialectFailure) {
        let content = message["content"]
        let text = content?.text ?? content?.items.compactMap { $0["text"]?.text }.joined() ?? ""
        if role != "tool", !open.isEmpty { throw Self.unanswered(open) }
        endsWithToolResult = role == "tool"
        prefill = role == "assistant" && message["tool_calls"] == nil ? text : ""
        continuesPrefill = message["prefix"]?.flag == true || message["partial"]?.flag == true
        switch role {
        case "assistant":
            let calls = message["tool_calls"]?.items ?? []
            for call in calls {
                guard let id = call["id"]?.text, !id.isEmpty, call["function"]?["name"]?.text != nil else {
                    throw .invalid(
                        "messages[\(index)].tool_calls: id and function.name are required", param: "messages")
                }
                open.append(id)
            }
            if content == nil, calls.isEmpty {
                throw .invalid("messages[\(index)].content is missing", param: "messages")
            }
        case "tool":
            guard let id = message["tool_call_id"]?.text, let position = open.firstIndex(of: id) else {
                throw .invalid(
                    "Messages with role 'tool' must be a response to a preceding message with 'tool_calls'",
                    param: "messages", code: "invalid_messages")
            }
            open.remove(at: position)
            echo = text
        default:
            if content == nil { throw .invalid("messages[\(index)].content is missing", param: "messages") }
            if role == "user" { echo = text }
        }
    }

    private static func unanswered(_ ids: [String]) -> DialectFailure {
        .invalid(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id': "
                + ids.joined(separator: ", "), param: "messages", code: "invalid_messages")
    }
}

/// What single providers refuse beside what the traits say.
enum CompatibleRules {
    static func check(
        _ body: MockJSON, _ messages: CompatibleMessages, _ request: CompatibleRequest, _ prefix: String
    ) throws(DialectFailure) {
        switch prefix {
        case "deepseek": try checkDeepSeek(body, request)
        case "moonshot":
            if request.model.hasPrefix("kimi-k2.") || request.model.hasPrefix("kimi-k3"),
                let temperature = body["temperature"]?.number, temperature != 1
            {
                throw .invalid("invalid temperature: only 1 is allowed for this model")
            }
        case "ark":
            if body["max_tokens"] != nil, body["max_completion_tokens"] != nil {
                throw .invalid(
                    "max_tokens and max_completion_tokens are mutually exclusive", param: "max_tokens",
                    code: "InvalidParameter")
            }
        case "groq":
            if let count = body["n"]?.whole, count != 1 { throw .invalid("'n' : number must be at most 1") }
            for message in body["messages"]?.items ?? [] where message.has("name") && message["role"]?.text != "tool" {
                throw .invalid("'messages.0' : property 'name' is unsupported")
            }
        case "mistral": try checkMistral(body)
        case "qwen": try checkQwen(body, request)
        case "baidu":
            for message in body["messages"]?.items ?? [] {
                if message["content"]?.text == "", message["tool_calls"] == nil {
                    throw .invalid("the content of messages must not be empty", code: "invalid_messages")
                }
            }
        case "hunyuan":
            if body["messages"]?.items.count ?? 0 > 40 {
                throw .invalid("at most 40 messages", param: "messages", code: "1001")
            }
            if let seed = body["seed"]?.whole, !(1...10_000).contains(seed) {
                throw .invalid("seed must be from 1 to 10000")
            }
            for message in body["messages"]?.items ?? [] where message["reasoning_content"] != nil {
                throw .invalid("reasoning_content is not allowed in messages")
            }
        case "xai":
            if request.question.wantsReasoning {
                for name in ["presence_penalty", "frequency_penalty", "stop"] where body[name] != nil {
                    throw .invalid("Argument not supported: \(name)")
                }
            }
        case "ollama":
            for message in body["messages"]?.items ?? [] {
                for part in message["content"]?.items ?? [] {
                    if let url = part["image_url"]?["url"]?.text ?? part["image_url"]?.text, !url.hasPrefix("data:") {
                        throw .invalid("invalid image input")
                    }
                }
            }
        default: break
        }
    }

    private static func checkDeepSeek(_ body: MockJSON, _ request: CompatibleRequest) throws(DialectFailure) {
        if body["response_format"]?["type"]?.text == "json_object",
            body["messages"]?.jsonText.lowercased().contains("json") != true
        {
            throw .invalid(
                "Prompt must contain the word 'json' in some form to use 'response_format' of type 'json_object'.")
        }
        guard request.question.wantsReasoning else { return }
        if request.question.choice != .auto, request.question.choice != .none {
            throw .invalid("deepseek-reasoner does not support this tool_choice")
        }
        if body["logprobs"] != nil { throw .invalid("logprobs is not supported in thinking mode") }
        for message in body["messages"]?.items ?? [] where message["tool_calls"] != nil {
            if message["reasoning_content"]?.text == nil {
                throw .invalid("The \"reasoning_content\" in the thinking mode must be passed back to the API")
            }
        }
    }

    private static func checkMistral(_ body: MockJSON) throws(DialectFailure) {
        let messages = body["messages"]?.items ?? []
        for message in messages where message.has("name") && message["role"]?.text != "tool" {
            throw .invalid("Extra inputs are not permitted", param: "name", code: "extra_forbidden")
        }
        if let last = messages.last, last["role"]?.text == "assistant", last["prefix"]?.flag != true {
            throw .invalid(
                "Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant")
        }
        for message in messages {
            for call in message["tool_calls"]?.items ?? [] {
                let id = call["id"]?.text ?? ""
                if id.count != 9 || !id.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) }) {
                    throw .invalid("Tool call id was \(id) but must be a-z, A-Z, 0-9, with a length of 9.")
                }
            }
        }
    }

    private static func checkQwen(_ body: MockJSON, _ request: CompatibleRequest) throws(DialectFailure) {
        if body["top_p"]?.number == 0 { throw .invalid("Range of top_p should be (0.0, 1.0]", param: "top_p") }
        if body["response_format"]?["type"]?.text == "json_object",
            body["messages"]?.jsonText.lowercased().contains("json") != true
        {
            throw .invalid(
                "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.")
        }
        if request.question.isStream { return }
        let isOpen = request.model.hasPrefix("qwen3-") && request.model.dropFirst(6).first?.isNumber == true
        if body["enable_thinking"]?.flag == true || isOpen && body["enable_thinking"]?.flag != false {
            throw .invalid("parameter.enable_thinking must be set to false for non-streaming calls")
        }
        if request.model.hasPrefix("qwq") {
            throw .invalid(
                "This model only support stream mode, please enable the stream parameter to access the model.")
        }
    }
}
