/// A legacy chat request: an odd number of messages, users first, in turns.
struct WenxinRequest {
    private(set) var question = Question()

    private static let members: Set<String> = [
        "messages", "system", "temperature", "top_p", "penalty_score", "frequency_penalty", "presence_penalty",
        "max_output_tokens", "min_output_tokens", "stop", "stream", "user_id", "functions", "tool_choice", "tools",
        "response_format", "disable_search", "enable_citation", "enable_trace", "enable_system_memory", "safety_level",
        "user_setting",
    ]

    init(_ call: DialectCall) throws(DialectFailure) {
        let body = try call.object()
        for member in body.members where !Self.members.contains(member.name) {
            throw .invalid("the parameter \(member.name) is not supported")
        }
        question.isStream = body["stream"]?.flag ?? false
        question.promptByteCount = (body["messages"]?.bytes.count ?? 0) + (body["system"]?.text?.utf8.count ?? 0)
        if let value = body["temperature"]?.number, value <= 0 || value > 1 {
            throw .invalid("temperature range is (0, 1.0]")
        }
        if let value = body["top_p"]?.number, !(0...1).contains(value) { throw .invalid("top_p range is [0, 1.0]") }
        if let value = body["penalty_score"]?.number, !(1...2).contains(value) {
            throw .invalid("penalty_score range is [1.0, 2.0]")
        }
        question.limit = body["max_output_tokens"]?.whole
        if let limit = question.limit, limit < 2 { throw .invalid("max_output_tokens range is [2, 2048]") }
        if let stop = body["stop"] {
            if !stop.isArray { throw .invalid("stop must be an array") }
            question.stops = stop.items.compactMap(\.text)
            if question.stops.count > 4 || question.stops.contains(where: { $0.count > 20 }) {
                throw .invalid("stop: at most 4 items of at most 20 characters")
            }
        }
        if let format = body["response_format"] {
            guard let type = format.text else { throw .invalid("response_format must be a string") }
            if type == "json_object" {
                question.schema = ["type": "object", "properties": ["answer": ["type": "string"]]]
            }
        }
        for function in body["functions"]?.items ?? [] {
            guard let name = function["name"]?.text, function["parameters"]?.isObject == true else {
                throw .invalid("functions: name and parameters are required")
            }
            question.tools.append(Question.Tool(name: name, schema: function["parameters"]))
        }
        question.isParallel = false
        if let choice = body["tool_choice"] {
            guard let name = choice["function"]?["name"]?.text else { throw .invalid("tool_choice is invalid") }
            question.choice = .named(name)
        }
        try readMessages(body)
    }

    private mutating func readMessages(_ body: MockJSON) throws(DialectFailure) {
        guard let messages = body["messages"]?.items, !messages.isEmpty else {
            throw .invalid("messages must not be empty")
        }
        if messages.count % 2 == 0 { throw .invalid("the length of messages must be an odd number") }
        for (index, message) in messages.enumerated() {
            let role = message["role"]?.text ?? ""
            let isAnswer = index % 2 == 1
            if isAnswer ? role != "assistant" : role != "user" && role != "function" || index == 0 && role != "user" {
                throw .invalid(
                    "the role of message with \(isAnswer ? "even" : "odd") index in the messages must be \(isAnswer ? "assistant" : "user or function")"
                )
            }
            let text = message["content"]?.text ?? ""
            if text.isEmpty, message["function_call"] == nil {
                throw .invalid("the content of messages must not be empty")
            }
            if role == "function" {
                if message["name"]?.text == nil { throw .invalid("the name of function messages must not be empty") }
                if MockJSON(parsing: text.utf8Span.span)?.isObject != true {
                    throw .invalid("the content of function messages must be JSON")
                }
            }
            question.endsWithToolResult = role == "function"
            if !isAnswer { question.echo = text }
        }
        if question.echo.allSatisfy(\.isWhitespace) { throw .invalid("the last message must not be blank") }
    }
}
