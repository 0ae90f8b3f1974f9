internal import SluiceCore
internal import SluiceJSON

/// Writes one native request (tencent sheet, sections 3.3 and, for the rules of messages, 2.1).
struct HunyuanEncoder {
    let capabilities: Capabilities
    var report: FieldReport
    var json: JSONWriter

    private static let spoken: [StaticString] = [
        "messages", "model", "stream", "stream_options", "temperature", "top_p", "seed", "stop", "tools", "tool_choice",
        "reasoning_effort", "reasoning", "n",
    ]
    /// Fields of Hunyuan's own: how applications may spell them, and how Hunyuan does.
    private static let extensions: [(snake: StaticString, pascal: StaticString)] = [
        ("stream_moderation", "StreamModeration"), ("enable_enhancement", "EnableEnhancement"),
        ("search_info", "SearchInfo"),
        ("citation", "Citation"), ("force_search_enhancement", "ForceSearchEnhancement"),
        ("enable_thinking", "EnableThinking"),
    ]

    init(_ capabilities: Capabilities, _ report: FieldReport, into body: ByteBuffer) {
        self.capabilities = capabilities
        self.report = report
        json = JSONWriter(into: body)
    }

    mutating func write(_ request: borrowing ChatRequest) throws(EncodingRefusal) {
        try request.refuseSeveralAnswers()
        json.beginObject()
        json.key("Model")
        json.string(request.model)
        writeMessages(request)
        writeSampling(request)
        writeTools(request)
        json.key("Stream")
        json.bool(request.isStream)
        writeExtensions(request)
        json.endObject()
    }

    // MARK: Sampling

    private mutating func writeNumber(
        _ field: StaticString, _ name: StaticString, _ request: borrowing ChatRequest, atMost high: Double
    ) {
        guard let value = request[field], let wanted = value.double else { return }
        if !capabilities.sampling { return report.lose(String(describing: field)) }
        let number = min(high, max(0, wanted))
        json.key(name)
        if number == wanted { return json.value(value) }
        json.double(number)
        report.adapt("\(field): \(number)")
    }

    private mutating func writeSampling(_ request: borrowing ChatRequest) {
        writeNumber("temperature", "Temperature", request, atMost: 2)
        writeNumber("top_p", "TopP", request, atMost: 1)
        if let value = request["seed"] {
            if let wanted = value.int {
                let seed = (1...10_000).contains(wanted) ? wanted : Int(wanted.magnitude % 10_000) + 1
                json.key("Seed")
                json.int(seed)
                if seed != wanted { report.adapt("seed: \(seed)") }
            } else {
                report.lose("seed")
            }
        }
        if let stop = request["stop"], stop.isString || stop.count > 0 {
            json.key("Stop")
            json.beginArray()
            if stop.isString { json.value(stop) }
            var elements = stop.elements
            while let element = elements.next() { if element.isString { json.value(element) } }
            json.endArray()
        }
    }

    // MARK: Tools

    private mutating func writeTools(_ request: borrowing ChatRequest) {
        if !request.hasTools { return }
        if !capabilities.tools { return report.lose("tools") }
        json.key("Tools")
        json.beginArray()
        var writer = json
        let names = request.forEachFunction(&report) { tool in Self.write(tool, &writer) }
        json = writer
        json.endArray()
        writeChoice(request, names)
        if !request.allowsParallelTools { report.lose("parallel_tool_calls") }
    }

    private static func write(_ tool: borrowing ChatTool, _ json: inout JSONWriter) {
        json.beginObject()
        json.key("Type")
        json.string("function")
        json.key("Function")
        json.beginObject()
        json.key("Name")
        if let name = tool.name { json.value(name) }
        if let description = tool.description, description.isString {
            json.key("Description")
            json.value(description)
        }
        json.key("Parameters")
        // A JSON text in a string.
        if let parameters = tool.parameters {
            json.string(parameters.rawBytes)
        } else {
            json.string(#"{"type":"object","properties":{}}"#)
        }
        json.endObject()
        json.endObject()
    }

    private mutating func writeChoice(_ request: borrowing ChatRequest, _ names: [String]) {
        let name: String
        switch request.toolChoice {
        case .unspecified: return
        case .automatic: return writeChoice("auto")
        case .none: return writeChoice("none")
        case .required:
            if names.count != 1 || !capabilities.forcedTools {
                writeChoice("auto")
                return report.lose("tool_choice")
            }
            name = names[0]
        case .function(let wanted):
            if !names.contains(wanted) || !capabilities.forcedTools {
                writeChoice("auto")
                return report.lose("tool_choice")
            }
            name = wanted
        }
        writeChoice("custom")
        var tools = request.tools
        while let value = tools.next() {
            let tool = ChatTool(value)
            guard tool.isFunction, tool.name?.string == name else { continue }
            json.key("CustomTool")
            return Self.write(tool, &json)
        }
    }

    private mutating func writeChoice(_ word: StaticString) {
        json.key("ToolChoice")
        json.string(word)
    }

    // MARK: The rest

    private mutating func writeExtensions(_ request: borrowing ChatRequest) {
        var hasEnhancement = false
        var hasThinking = false
        var others = OtherFields(of: request.root, but: Self.spoken)
        while let member = others.next(&report) {
            guard let name = Self.extensionName(of: member) else {
                if let name = member.key.string { report.lose(name) }
                continue
            }
            if String(describing: name) == "EnableEnhancement" { hasEnhancement = true }
            if String(describing: name) == "EnableThinking" { hasThinking = true }
            json.key(name)
            json.value(member.value)
        }
        if !hasEnhancement {
            // Models search the web by themselves otherwise.
            json.key("EnableEnhancement")
            json.bool(false)
        }
        guard let effort = request.reasoningEffort, !hasThinking else { return }
        // A switch, of some models only.
        if capabilities.reasoning == .adaptive {
            json.key("EnableThinking")
            json.bool(effort != "none")
            report.adapt("reasoning_effort: EnableThinking")
        } else {
            report.lose("reasoning_effort")
        }
    }

    private static func extensionName(of member: borrowing JSONMember) -> StaticString? {
        for (snake, pascal) in extensions where member.isNamed(snake) || member.isNamed(pascal) { return pascal }
        return nil
    }
}
