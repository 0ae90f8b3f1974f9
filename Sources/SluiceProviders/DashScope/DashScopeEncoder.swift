internal import SluiceCore
internal import SluiceJSON

/// Writes one native request (alibaba sheet, sections 3.1 and, for what values may be, 2.1).
struct DashScopeEncoder {
    let capabilities: Capabilities
    var report: FieldReport
    let isMultimodal: Bool
    var json: JSONWriter

    private static let spoken: [StaticString] = [
        "messages", "model", "stream", "stream_options", "max_completion_tokens", "max_tokens", "temperature", "top_p",
        "seed",
        "stop", "n", "presence_penalty", "response_format", "tools", "tool_choice", "parallel_tool_calls", "logprobs",
        "top_logprobs", "reasoning_effort", "reasoning",
    ]
    /// Parameters of DashScope's own, which pass as they are.
    private static let extensions: [StaticString] = [
        "top_k", "repetition_penalty", "enable_thinking", "thinking_budget", "preserve_thinking", "enable_search",
        "search_options",
    ]

    init(_ capabilities: Capabilities, _ report: FieldReport, isMultimodal: Bool, into body: ByteBuffer) {
        self.capabilities = capabilities
        self.report = report
        self.isMultimodal = isMultimodal
        json = JSONWriter(into: body)
    }

    mutating func write(_ request: borrowing ChatRequest) throws(EncodingRefusal) {
        try request.refuseSeveralAnswers()
        json.beginObject()
        json.key("model")
        json.string(request.model)
        json.key("input")
        json.beginObject()
        json.key("messages")
        json.beginArray()
        if isMultimodal { writeMultimodal(request) } else { writeTexts(request) }
        json.endArray()
        json.endObject()
        json.key("parameters")
        json.beginObject()
        json.key("result_format")
        json.string("message")
        if request.isStream {
            json.key("incremental_output")
            json.bool(true)
        }
        writeSampling(request)
        writeTools(request)
        writeOutput(request)
        writeExtensions(request)
        json.endObject()
        json.endObject()
    }

    // MARK: Parameters

    private mutating func writeNumber(
        _ field: StaticString, _ request: borrowing ChatRequest, atLeast low: Double, atMost high: Double
    ) {
        guard let value = request[field], let wanted = value.double else { return }
        let number = min(high, max(low, wanted))
        json.key(field)
        if number == wanted { return json.value(value) }
        json.double(number)
        report.adapt("\(field): \(number)")
    }

    private mutating func writeSampling(_ request: borrowing ChatRequest) {
        if capabilities.sampling {
            writeNumber("temperature", request, atLeast: 0, atMost: 1.99)
            writeNumber("top_p", request, atLeast: 0.01, atMost: 1)
        } else {
            if request["temperature"] != nil { report.lose("temperature") }
            if request["top_p"] != nil { report.lose("top_p") }
        }
        if let value = request["presence_penalty"], value.double != 0 {
            writeNumber("presence_penalty", request, atLeast: -2, atMost: 2)
        }
        if var count = request.outputTokensMax {
            if let most = capabilities.outputTokensMax, count > most { count = most }
            json.key("max_tokens")
            json.int(count)
        }
        if let seed = request["seed"], let number = seed.int {
            if number >= 0 {
                json.key("seed")
                json.value(seed)
            } else {
                report.lose("seed")
            }
        }
        if let stop = request["stop"], stop.isString || stop.count > 0 {
            json.key("stop")
            json.value(stop)
        }
    }

    private mutating func writeTools(_ request: borrowing ChatRequest) {
        if !request.hasTools { return }
        if !capabilities.tools { return report.lose("tools") }
        json.key("tools")
        json.beginArray()
        var writer = json
        let names = request.forEachFunction(&report) { tool in writer.value(tool.value) }
        json = writer
        json.endArray()
        writeChoice(request, names)
        if let parallel = request["parallel_tool_calls"], parallel.bool != nil {
            json.key("parallel_tool_calls")
            json.value(parallel)
        }
    }

    /// `required` is refused (section 2.1): with one tool its name says the same.
    private mutating func writeChoice(_ request: borrowing ChatRequest, _ names: [String]) {
        var name: String
        switch request.toolChoice {
        case .unspecified, .automatic: return
        case .none:
            json.key("tool_choice")
            return json.string("none")
        case .required:
            guard names.count == 1 else { return report.lose("tool_choice") }
            name = names[0]
            report.adapt("tool_choice: \(name)")
        case .function(let wanted): name = wanted
        }
        if !capabilities.forcedTools || request["enable_thinking"]?.bool == true {
            return report.lose("tool_choice")
        }
        json.key("tool_choice")
        json.object { json in
            json.key("type")
            json.string("function")
            json.key("function")
            json.object { json in
                json.key("name")
                json.string(name)
            }
        }
    }

    private mutating func writeOutput(_ request: borrowing ChatRequest) {
        if let format = request["response_format"], format.isObject, request.responseFormat != .text {
            json.key("response_format")
            json.value(format)
        }
        // No reply of ours has a place for them.
        if request["logprobs"]?.bool == true { report.lose("logprobs") }
        if let top = request["top_logprobs"], top.int != 0 { report.lose("top_logprobs") }
    }

    /// How deep a model thinks: whether at all, and a budget where one is given.
    private mutating func writeExtensions(_ request: borrowing ChatRequest) {
        var hasThinking = false
        var others = OtherFields(of: request.root, but: Self.spoken)
        while let member = others.next(&report) {
            guard Self.extensions.contains(where: { member.isNamed($0) }), let name = member.key.unescapedBytes else {
                if let name = member.key.string { report.lose(name) }
                continue
            }
            json.key(name)
            json.value(member.value)
            if member.isNamed("enable_thinking") { hasThinking = true }
        }
        if hasThinking { return }
        if !request.isStream, DashScopeDialect.isOpenWeight(request.model) {
            json.key("enable_thinking")
            json.bool(false)
            if let effort = request.reasoningEffort, effort != "none" { report.lose("reasoning_effort") }
            return
        }
        guard let effort = request.reasoningEffort else { return }
        if capabilities.reasoning == .none {
            if effort != "none" { report.lose("reasoning_effort") }
            return
        }
        json.key("enable_thinking")
        json.bool(effort != "none")
        if effort != "none" { report.adapt("reasoning_effort: enable_thinking") }
    }
}
