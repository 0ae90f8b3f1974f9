/// The one text message that a client sends.
struct SparkFrameRequest {
    private(set) var question = Question()

    init(_ text: [UInt8], domains: [String]) throws(DialectFailure) {
        guard let body = MockJSON(parsing: text.span), body.isObject else {
            throw .invalid("the message is no JSON", code: "10003")
        }
        if body["header"]?["app_id"]?.text == nil { throw .invalid("$.header.app_id is missing", code: "10004") }
        if let uid = body["header"]?["uid"]?.text, uid.utf8.count > 32 {
            throw .invalid("$.header.uid is too long", code: "10004")
        }
        let chat = body["parameter"]?["chat"] ?? [:]
        let domain = Self.domain(body)
        if !domains.contains(domain) { throw .invalid("domain \(domain) does not match the URL", code: "10005") }
        if let value = chat["temperature"]?.number, value <= 0 || value > 1 {
            throw .invalid("temperature must be in (0, 1]", code: "10005")
        }
        if let value = chat["top_k"]?.whole, !(1...6).contains(value) {
            throw .invalid("top_k must be from 1 to 6", code: "10005")
        }
        question.limit = chat["max_tokens"]?.whole
        if let limit = question.limit, !(1...32_768).contains(limit) {
            throw .invalid("max_tokens is out of range", code: "10005")
        }
        question.isStream = true
        question.wantsReasoning = domain == "spark-x" || domain == "x1"
        question.isParallel = false
        guard let messages = body["payload"]?["message"]?["text"]?.items, let last = messages.last else {
            throw .invalid("$.payload.message.text is missing", code: "10004")
        }
        question.promptByteCount = messages.reduce(0) { $0 + $1.bytes.count }
        for (index, message) in messages.enumerated() {
            guard let role = message["role"]?.text,
                role == "user" || role == "assistant" || role == "system" && index == 0,
                message["content"]?.text != nil
            else { throw .invalid("$.payload.message.text[\(index)] is invalid", code: "10004") }
        }
        if last["role"]?.text != "user" { throw .invalid("the last message must be user", code: "10004") }
        question.echo = last["content"]?.text ?? ""
        for function in body["payload"]?["functions"]?["text"]?.items ?? [] {
            guard let name = function["name"]?.text else { throw .invalid("functions.name is missing", code: "10004") }
            question.tools.append(Question.Tool(name: name, schema: function["parameters"]))
        }
        // There is no role for results: a turn that says one follows an assistant's.
        question.endsWithToolResult = messages.dropLast().last?["role"]?.text == "assistant"
    }

    /// What stands for the model; what follows a `+` in it says how to behave.
    static func domain(_ body: MockJSON) -> String {
        let text = body["parameter"]?["chat"]?["domain"]?.text ?? ""
        return String(text.split(separator: "+").first ?? "")
    }
}
