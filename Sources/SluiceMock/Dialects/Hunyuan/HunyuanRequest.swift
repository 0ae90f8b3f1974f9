/// A native chat request.
struct HunyuanRequest {
    private(set) var question = Question()

    private static let members: Set<String> = [
        "Model", "Messages", "Stream", "Temperature", "TopP", "Seed", "Stop", "Tools", "ToolChoice", "CustomTool",
        "StreamModeration", "EnableEnhancement", "SearchInfo", "Citation", "EnableSpeedSearch", "EnableMultimedia",
        "EnableDeepSearch", "ForceSearchEnhancement", "EnableRecommendedQuestions", "EnableDeepRead",
        "WebSearchOptions",
        "TopicChoice", "EnableThinking",
    ]

    init(_ call: DialectCall) throws(DialectFailure) {
        let body = try call.object()
        for member in body.members where !Self.members.contains(member.name) {
            throw .invalid("The parameter `\(member.name)` is not recognized.", code: "UnknownParameter")
        }
        if body["Model"]?.text == nil {
            throw .invalid("The request is missing the parameter `Model`.", code: "MissingParameter")
        }
        if let value = body["Temperature"]?.number, !(0...2).contains(value) {
            throw .invalid("Temperature must be from 0 to 2")
        }
        if let value = body["TopP"]?.number, !(0...1).contains(value) { throw .invalid("TopP must be from 0 to 1") }
        if let seed = body["Seed"]?.whole, !(1...10_000).contains(seed) {
            throw .invalid("Seed must be from 1 to 10000")
        }
        if let stop = body["Stop"], !stop.isArray { throw .invalid("Stop must be an array") }
        question.isStream = body["Stream"]?.flag ?? false
        question.stops = (body["Stop"]?.items ?? []).compactMap(\.text)
        question.keepsStop = true
        question.promptByteCount = body["Messages"]?.bytes.count ?? 0
        question.wantsReasoning = body["EnableThinking"]?.flag == true || body["Model"]?.text?.contains("-t1") == true
        try readTools(body)
        try readMessages(body)
    }

    private mutating func readTools(_ body: MockJSON) throws(DialectFailure) {
        for tool in body["Tools"]?.items ?? [] { question.tools.append(try Self.tool(tool)) }
        switch body["ToolChoice"]?.text {
        case nil, "auto": break
        case "none": question.choice = .none
        case "custom":
            guard let custom = body["CustomTool"] else {
                throw .invalid("CustomTool is required with ToolChoice custom")
            }
            let tool = try Self.tool(custom)
            question.tools.removeAll { $0.name == tool.name }
            question.tools.append(tool)
            question.choice = .named(tool.name)
        default: throw .invalid("ToolChoice must be none, auto or custom", code: "InvalidParameterValue")
        }
    }

    private static func tool(_ tool: MockJSON) throws(DialectFailure) -> Question.Tool {
        guard let name = tool["Function"]?["Name"]?.text else { throw .invalid("Tools.Function.Name is required") }
        guard let text = tool["Function"]?["Parameters"]?.text, let schema = MockJSON(parsing: text.utf8Span.span)
        else {
            throw .invalid("Tools.Function.Parameters must be a JSON string")
        }
        return Question.Tool(name: name, schema: schema)
    }

    private mutating func readMessages(_ body: MockJSON) throws(DialectFailure) {
        guard let messages = body["Messages"]?.items, !messages.isEmpty, messages.count <= 40 else {
            throw .invalid("Messages must have from 1 to 40 messages")
        }
        var last = ""
        for (index, message) in messages.enumerated() {
            let role = message["Role"]?.text ?? ""
            let isInOrder =
                switch role {
                case "system": index == 0
                case "user": last != "user"
                case "assistant": last == "user" || last == "tool"
                case "tool": (last == "assistant" || last == "tool") && message["ToolCallId"]?.text != nil
                default: false
                }
            if !isInOrder { throw .invalid("Messages must alternate user(tool) and assistant") }
            if message["ReasoningContent"] != nil { throw .invalid("ReasoningContent is not allowed") }
            let parts = message["Contents"]?.items.compactMap { $0["Text"]?.text }.joined()
            let text = message["Content"]?.text ?? parts ?? ""
            if text.isEmpty, message["ToolCalls"] == nil { throw .invalid("Content must not be empty") }
            if role == "user" || role == "tool" { question.echo = text }
            question.endsWithToolResult = role == "tool"
            last = role
        }
        if last != "user", last != "tool" { throw .invalid("Messages must end with user or tool") }
    }
}
