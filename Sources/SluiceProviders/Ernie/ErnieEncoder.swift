internal import SluiceCore
internal import SluiceJSON

/// Writes one request of v1 (baidu sheet, section 3.4).
struct ErnieEncoder {
    let capabilities: Capabilities
    var report: FieldReport
    var json: JSONWriter
    let scratch = ByteBuffer(capacity: 256)
    let tape = JSONTape()

    private static let spoken: [StaticString] = [
        "messages", "model", "stream", "stream_options", "max_completion_tokens", "max_tokens", "temperature", "top_p",
        "stop",
        "presence_penalty", "frequency_penalty", "response_format", "tools", "tool_choice", "parallel_tool_calls",
        "user", "n",
    ]
    /// Fields of v1's own, which pass as they are.
    private static let extensions: [StaticString] = [
        "disable_search", "enable_citation", "enable_trace", "safety_level", "user_setting", "penalty_score",
        "min_output_tokens",
    ]
    /// Documented for v2 and taken to hold here.
    private static let stopsMax = 4
    private static let stopCharactersMax = 20

    init(_ capabilities: Capabilities, _ report: FieldReport, into body: ByteBuffer) {
        self.capabilities = capabilities
        self.report = report
        json = JSONWriter(into: body)
    }

    mutating func write(_ request: borrowing ChatRequest) throws(EncodingRefusal) {
        try request.refuseSeveralAnswers()
        json.beginObject()
        writeSystem(request)
        writeMessages(request)
        writeSampling(request)
        writeStops(request)
        writeTools(request)
        writeResponseFormat(request)
        if request.isStream {
            json.key("stream")
            json.bool(true)
        }
        if let user = request["user"], user.isString {
            json.key("user_id")
            json.value(user)
        }
        writeExtensions(request.root)
        json.endObject()
    }

    // MARK: Sampling

    private mutating func writeSampling(_ request: borrowing ChatRequest) {
        if let value = request["temperature"], let wanted = value.double {
            if capabilities.sampling {
                json.key("temperature")
                // From above 0 to 1.
                let temperature = min(1, max(0.01, wanted))
                if temperature == wanted { json.value(value) } else { json.double(temperature) }
                if temperature != wanted { report.adapt("temperature: \(temperature)") }
            } else {
                report.lose("temperature")
            }
        }
        if let value = request["top_p"], value.kind == .number {
            if capabilities.sampling {
                json.key("top_p")
                json.value(value)
            } else {
                report.lose("top_p")
            }
        }
        writePenalty(request)
        if var count = request.outputTokensMax {
            if let most = capabilities.outputTokensMax, count > most { count = most }
            json.key("max_output_tokens")
            json.int(max(2, count))
        }
    }

    /// From 1 to 2, as the vendor's adapter reckons it.
    private mutating func writePenalty(_ request: borrowing ChatRequest) {
        let presence = request["presence_penalty"]?.double ?? 0
        let frequency = request["frequency_penalty"]?.double ?? 0
        if presence != 0, frequency != 0 { report.lose("frequency_penalty") }
        let penalty = presence != 0 ? presence : frequency
        if penalty == 0 || request["penalty_score"] != nil { return }
        let score = min(2, max(1, penalty / 4 + 1.5))
        json.key("penalty_score")
        json.double(score)
        report.adapt("\(presence != 0 ? "presence_penalty" : "frequency_penalty"): penalty_score \(score)")
    }

    private mutating func writeStops(_ request: borrowing ChatRequest) {
        guard let stop = request["stop"], !stop.isArray || stop.count > 0 else { return }
        json.key("stop")
        json.beginArray()
        var count = 0
        var elements = stop.elements
        if stop.isString {
            if fits(stop) { json.value(stop) } else { report.lose("stop") }
        }
        while let element = elements.next() {
            if count < Self.stopsMax, fits(element) { json.value(element) } else { report.lose("stop[\(count)]") }
            count += 1
        }
        json.endArray()
    }

    private func fits(_ stop: JSONValue) -> Bool {
        guard let text = stop.string else { return false }
        return text.unicodeScalars.count <= Self.stopCharactersMax
    }

    // MARK: Tools

    private mutating func writeTools(_ request: borrowing ChatRequest) {
        if !request.hasTools {
            if case .function = request.toolChoice { report.lose("tool_choice") }
            return
        }
        if !capabilities.tools { return report.lose("tools") }
        if request.toolChoice == .none { return report.adapt("tool_choice: no functions") }
        json.key("functions")
        json.beginArray()
        var writer = json
        let names = request.forEachFunction(&report) { tool in tool.writeFunction(&writer) }
        json = writer
        json.endArray()
        switch request.toolChoice {
        case .function(let name): writeChoice(name)
        case .required: if names.count == 1 { writeChoice(names[0]) } else { report.lose("tool_choice") }
        case .none, .automatic, .unspecified: break
        }
    }

    private mutating func writeChoice(_ name: String) {
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

    // MARK: The rest

    /// A word alone, not an object.
    private mutating func writeResponseFormat(_ request: borrowing ChatRequest) {
        let format = request.responseFormat
        if format == .text { return }
        if format == .jsonSchema { report.lose("response_format.json_schema") }
        if !capabilities.jsonObject { return report.lose("response_format") }
        json.key("response_format")
        json.string("json_object")
    }

    private mutating func writeExtensions(_ root: JSONValue) {
        var others = OtherFields(of: root, but: Self.spoken)
        var hasSearch = false
        while let member = others.next(&report) {
            guard Self.extensions.contains(where: { member.isNamed($0) }) else {
                if let name = member.key.string { report.lose(name) }
                continue
            }
            if let name = member.key.unescapedBytes { json.key(name) } else { continue }
            json.value(member.value)
            if member.isNamed("disable_search") { hasSearch = true }
        }
        if hasSearch { return }
        // Models search the web by themselves otherwise.
        json.key("disable_search")
        json.bool(true)
    }
}
