internal import SluiceCore
internal import SluiceJSON

/// Writes a Messages request (sections 3 and 10 of the Anthropic sheet). Unknown fields are refused there, so only known ones are
/// written, and what they do not say is reported.
struct AnthropicRequestWriter {
    private let plan: AnthropicPlan
    private let capabilities: Capabilities
    var json: JSONWriter
    var report: FieldReport

    init(_ plan: AnthropicPlan, _ capabilities: Capabilities, into body: ByteBuffer, _ report: FieldReport) {
        self.plan = plan
        self.capabilities = capabilities
        json = JSONWriter(into: body)
        self.report = report
    }

    mutating func write(_ request: borrowing ChatRequest) throws(EncodingRefusal) {
        json.beginObject()
        json.key("model")
        json.string(request.model)
        json.key("max_tokens")
        json.int(plan.maxTokens)
        if request.isStream {
            json.key("stream")
            json.bool(true)
        }
        var messages = AnthropicMessageWriter(capabilities, json, report)
        try messages.writeSystem(request, plan.instructions)
        try messages.writeMessages(request)
        json = messages.json
        report = messages.report
        try writeTools(request)
        writeThinking(request)
        try writeOutputConfig(request)
        writeSampling(request)
        writeStops(request)
        writeUser(request)
        writeServiceTier(request)
        writeOthers(request)
        json.endObject()
        reportLosses(request)
    }

    // MARK: Tools

    private mutating func writeTools(_ request: borrowing ChatRequest) throws(EncodingRefusal) {
        var tools = AnthropicToolWriter(json, report)
        try tools.write(request, allowed: plan.allowedTools)
        if plan.answersByTool { try tools.writeAnswerTool(request) }
        tools.end()
        json = tools.json
        report = tools.report
        if tools.count > 0 { writeToolChoice(request) }
    }

    private mutating func writeToolChoice(_ request: borrowing ChatRequest) {
        let isSingle = !request.allowsParallelTools && plan.toolUse != .none
        if plan.toolUse == .unspecified, !isSingle { return }
        json.key("tool_choice")
        json.beginObject()
        json.key("type")
        switch plan.toolUse {
        case .unspecified, .automatic: json.string("auto")
        case .any: json.string("any")
        case .none: json.string("none")
        case .tool(let name):
            json.string("tool")
            json.key("name")
            json.string(name)
        }
        if isSingle {
            json.key("disable_parallel_tool_use")
            json.bool(true)
        }
        json.endObject()
    }

    // MARK: Thinking and the answer's form

    private mutating func writeThinking(_ request: borrowing ChatRequest) {
        switch plan.thinking {
        case .off, .given:
            if plan.passesThinking, let given = request["thinking"] {
                json.key("thinking")
                json.value(given)
            }
        case .adaptive:
            json.key("thinking")
            json.object { json in
                json.key("type")
                json.string("adaptive")
                json.key("display")
                json.string("summarized")
            }
        case .budget(let tokens):
            json.key("thinking")
            json.object { json in
                json.key("type")
                json.string("enabled")
                json.key("budget_tokens")
                json.int(tokens)
            }
        }
    }

    private mutating func writeOutputConfig(_ request: borrowing ChatRequest) throws(EncodingRefusal) {
        let hasSchema = request.responseFormat == .jsonSchema && !plan.answersByTool
        let given = request["output_config"]
        if given == nil, !hasSchema, plan.effort == nil { return }
        json.key("output_config")
        json.beginObject()
        if let effort = plan.effort {
            json.key("effort")
            json.string(effort)
        } else if let effort = given?["effort"] {
            json.key("effort")
            json.value(effort)
        }
        if hasSchema {
            guard let schema = request.jsonSchema?["schema"] else { throw AnthropicToolWriter.missingSchema }
            json.key("format")
            json.beginObject()
            json.key("type")
            json.string("json_schema")
            json.key("schema")
            if AnthropicSchema.write(schema, &json) { report.adapt("response_format: limits as descriptions") }
            json.endObject()
        } else if let format = given?["format"] {
            json.key("format")
            json.value(format)
        }
        json.endObject()
    }

    // MARK: Sampling

    private mutating func writeSampling(_ request: borrowing ChatRequest) {
        guard capabilities.sampling else {
            for field in ["temperature", "top_p", "top_k"] as [StaticString] { loseUnlessOne(field, request) }
            return
        }
        // Thinking has a temperature of its own: any other than 1 is refused.
        if plan.thinking != .off {
            loseUnlessOne("temperature", request)
            loseUnlessOne("top_p", request)
            loseUnlessOne("top_k", request)
            return
        }
        var hasTemperature = false
        if let temperature = request["temperature"], let value = temperature.double {
            hasTemperature = true
            json.key("temperature")
            if value > 1 {
                json.double(1)
                report.adapt("temperature: 1, the most there is")
            } else {
                json.value(temperature)
            }
        }
        if let share = request["top_p"], share.double != nil {
            // Some models refuse both.
            if hasTemperature {
                loseUnlessOne("top_p", request)
            } else {
                json.key("top_p")
                json.value(share)
            }
        }
        if let count = request["top_k"], count.int != nil {
            json.key("top_k")
            json.value(count)
        }
    }

    private mutating func loseUnlessOne(_ field: StaticString, _ request: borrowing ChatRequest) {
        if let value = request[field], value.double != 1 { report.lose("\(field)") }
    }

    private mutating func writeStops(_ request: borrowing ChatRequest) {
        var stops: [String] = []
        request.forEachStop { stop in if let text = stop.string { stops.append(text) } }
        let kept = stops.filter { !$0.utf8.allSatisfy(\.isBlank) }
        // One of white space alone is refused.
        if kept.count < stops.count { report.lose("stop") }
        if kept.isEmpty { return }
        json.key("stop_sequences")
        json.array { json in for stop in kept { json.string(stop) } }
    }

    // MARK: Who asks

    private mutating func writeUser(_ request: borrowing ChatRequest) {
        let metadata = request["metadata"]
        if let metadata, metadata.count > (metadata["user_id"] == nil ? 0 : 1) { report.lose("metadata") }
        guard let user = request["safety_identifier"]?.string ?? request["user"]?.string ?? metadata?["user_id"]?.string
        else { return }
        if Self.isPersonal(user) { return report.lose("user") }
        json.key("metadata")
        json.object { json in
            json.key("user_id")
            json.string(user)
        }
    }

    /// E-mail addresses and telephone numbers are refused (section 3 of the sheet).
    private static func isPersonal(_ user: String) -> Bool {
        if user.utf8.contains(UInt8(ascii: "@")) { return true }
        let digits = user.utf8.count(where: \.isDecimalDigit)
        return user.hasPrefix("+") && digits >= 7
            && user.utf8.allSatisfy { $0.isDecimalDigit || " +-().".utf8.contains($0) }
    }

    private mutating func writeServiceTier(_ request: borrowing ChatRequest) {
        guard let tier = request["service_tier"] else { return }
        let isStandard = tier.equals("default") || tier.equals("standard_only")
        guard isStandard || tier.equals("auto") else { return report.lose("service_tier") }
        json.key("service_tier")
        if isStandard { json.string("standard_only") } else { json.string("auto") }
    }

    // MARK: The rest

    /// Anthropic's own, which an application may put into a chat request.
    private static let own: [StaticString] = ["cache_control", "container", "inference_geo", "speed", "diagnostics"]
    /// What is written above, or is none of the provider's business.
    private static let known: Set<String> = [
        "model", "messages", "max_tokens", "max_completion_tokens", "stream", "stream_options", "tools", "tool_choice",
        "parallel_tool_calls", "temperature", "top_p", "top_k", "stop", "response_format", "reasoning_effort",
        "reasoning", "user",
        "safety_identifier", "metadata", "service_tier", "thinking", "output_config", "n", "cache_control", "container",
        "inference_geo", "speed", "diagnostics",
    ]

    private mutating func writeOthers(_ request: borrowing ChatRequest) {
        for field in Self.own {
            guard let value = request[field] else { continue }
            json.key(field)
            json.value(value)
        }
    }

    private mutating func reportLosses(_ request: borrowing ChatRequest) {
        var members = request.root.members
        while let member = members.next() {
            guard let name = member.key.string, !Self.known.contains(name), !Self.isDefault(member.value, name) else {
                continue
            }
            report.lose(name)
        }
    }

    /// Whether a field says what would be so anyway.
    private static func isDefault(_ value: JSONValue, _ name: String) -> Bool {
        switch value.kind {
        case .null: true
        case .boolean: value.bool == false
        case .number: value.double == 0
        case .string: value.equals("") || name == "verbosity" && value.equals("medium")
        case .array: value.count == 0 || name == "modalities" && value.count == 1 && value[0]?.equals("text") == true
        case .object: value.count == 0
        }
    }
}
