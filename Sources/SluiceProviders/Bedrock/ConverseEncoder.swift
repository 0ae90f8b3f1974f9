internal import SluiceCore
internal import SluiceJSON

/// Writes one Converse request (sections 2 and 5 of the Bedrock sheet). One encoder a request.
struct ConverseEncoder {
    /// Whose model it is, where its name says so: what goes into `additionalModelRequestFields` is each family's own.
    enum Family { case claude, nova, other }

    /// The tool by which an answer of a given form is had from models that know none: its arguments are the answer. A reply that
    /// calls it is turned back into text.
    static let answerTool: StaticString = "sluice_structured_answer"

    let capabilities: Capabilities
    let family: Family
    var report: FieldReport
    var json: JSONWriter
    let body: ByteBuffer
    let embedded = EmbeddedJSON()

    // The messages as far as they are written.
    var isUserOpen: Bool?
    var hasMessages = false
    /// What the open message has: a document needs some text beside it.
    var hasText = false
    var hasDocument = false
    var documentNames: Set<String> = []
    /// Functions called in the history.
    var calledNames: [String] = []
    var hasToolBlocks = false

    /// What the model is told beside the system messages.
    var instructions: [String] = []
    var usesAnswerTool = false
    var thinks = false

    init(_ capabilities: Capabilities, _ model: String, _ report: FieldReport, into body: ByteBuffer) {
        self.capabilities = capabilities
        self.report = report
        json = JSONWriter(into: body)
        self.body = body
        family =
            model.contains("anthropic.") || model.contains("claude")
            ? .claude : model.contains("amazon.nova") ? .nova : .other
    }

    static let spoken: [StaticString] = [
        "messages", "model", "stream", "stream_options", "max_completion_tokens", "max_tokens", "temperature", "top_p",
        "stop",
        "response_format", "tools", "tool_choice", "reasoning_effort", "reasoning", "service_tier", "metadata", "n",
        "parallel_tool_calls",
    ]

    mutating func write(_ request: borrowing ChatRequest) throws(EncodingRefusal) {
        if let count = request["n"], count.int != 1 {
            throw EncodingRefusal("n", "The provider gives one answer a request: send the request n times.")
        }
        json.beginObject()
        try writeMessages(request)
        chooseFormat(request)
        writeSystem(request)
        let thinking = thinking(request)
        thinks = thinking != .none
        writeInference(request, thinking)
        writeTools(request)
        writeOutputConfig(request)
        writeServiceTier(request)
        writeMetadata(request)
        writeExtensions(request, thinking)
        json.endObject()
    }

    // MARK: The form of the answer

    private mutating func chooseFormat(_ request: borrowing ChatRequest) {
        switch request.responseFormat {
        case .text: break
        case .jsonObject:
            instructions.append("Answer with one JSON object and nothing else: no words around it, no code fence.")
            report.adapt("response_format: by an instruction")
        case .jsonSchema where capabilities.jsonSchema: break
        case .jsonSchema where capabilities.tools && capabilities.forcedTools && request.reasoningEffort == nil:
            usesAnswerTool = true
            report.adapt("response_format: by a forced tool")
        case .jsonSchema:
            var schema = "{}"
            if let given = request.jsonSchema?["schema"] { schema = String(decoding: given.rawBytes) }
            instructions.append(
                "Answer with one JSON document and nothing else: no words around it, no code fence. It must be valid against this JSON Schema: \(schema)"
            )
            report.adapt("response_format: by an instruction")
        }
    }

    private mutating func writeOutputConfig(_ request: borrowing ChatRequest) {
        guard request.responseFormat == .jsonSchema, capabilities.jsonSchema, let format = request.jsonSchema else {
            return
        }
        json.key("outputConfig")
        json.beginObject()
        json.key("textFormat")
        json.beginObject()
        json.key("type")
        json.string("json_schema")
        json.key("structure")
        json.beginObject()
        json.key("jsonSchema")
        json.beginObject()
        json.key("schema")
        if let schema = format["schema"] { json.string(schema.rawBytes) } else { json.string("{}") }
        if let name = format["name"], name.isString {
            json.key("name")
            json.value(name)
        }
        if let description = format["description"], description.isString {
            json.key("description")
            json.value(description)
        }
        for _ in 0..<4 { json.endObject() }
    }

    // MARK: The rest

    private mutating func writeServiceTier(_ request: borrowing ChatRequest) {
        guard let tier = request["service_tier"], !tier.equals("auto") else { return }
        guard tier.equals("default") || tier.equals("flex") || tier.equals("priority") || tier.equals("reserved") else {
            return report.lose("service_tier")
        }
        json.key("serviceTier")
        json.beginObject()
        json.key("type")
        json.value(tier)
        json.endObject()
    }

    private static let metadataMax = 16
    private static let metadataBytesMax = 256

    /// Which characters are allowed in it is not known well enough: letters, digits and a few marks.
    private mutating func writeMetadata(_ request: borrowing ChatRequest) {
        guard let metadata = request["metadata"], metadata.count > 0 else { return }
        var isFit = metadata.isObject && metadata.count <= Self.metadataMax
        var members = metadata.members
        while let member = members.next() { isFit = isFit && Self.isFit(member.key) && Self.isFit(member.value) }
        if !isFit { return report.lose("metadata") }
        json.key("requestMetadata")
        json.value(metadata)
    }

    static func isFit(_ value: JSONValue) -> Bool {
        guard let text = value.unescapedBytes, text.count <= metadataBytesMax else { return false }
        for index in text.indices {
            let byte = text[index]
            if byte.isASCIILetter || byte.isDecimalDigit { continue }
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: ":"), UInt8(ascii: "_"), UInt8(ascii: "@"), UInt8(ascii: "$"),
                UInt8(ascii: "#"),
                UInt8(ascii: "="), UInt8(ascii: "/"), UInt8(ascii: "+"), UInt8(ascii: ","), UInt8(ascii: "-"),
                UInt8(ascii: "."):
                continue
            default: return false
            }
        }
        return true
    }

    /// Fields of Converse's own.
    private static let converse: [StaticString] = [
        "guardrailConfig", "performanceConfig", "promptVariables", "additionalModelResponseFieldPaths",
        "requestMetadata",
    ]

    /// What neither OpenAI nor Converse knows is the model's own.
    private mutating func writeExtensions(_ request: borrowing ChatRequest, _ thinking: Thinking) {
        let text = ByteBuffer(capacity: 128)
        var fields = JSONWriter(into: text)
        fields.beginObject()
        writeThinking(thinking, &fields)
        writeParallel(request, &fields)
        var others = OtherFields(of: request.root, but: Self.spoken)
        next: while let member = others.next(&report) {
            for name in Self.converse where member.isNamed(name) {
                json.key(name)
                json.value(member.value)
                continue next
            }
            writeExtension(member, &fields)
        }
        fields.endObject()
        if text.count <= 2 { return }
        json.key("additionalModelRequestFields")
        json.raw(text.span)
    }

    private mutating func writeExtension(_ member: borrowing JSONMember, _ fields: inout JSONWriter) {
        if member.isNamed("additionalModelRequestFields") {
            var members = member.value.members
            while let inner = members.next() { Self.write(inner, &fields) }
        } else if member.isNamed("top_k"), family == .claude, thinks {
            report.lose("top_k")
        } else if member.isNamed("top_k"), family == .nova {
            fields.key("inferenceConfig")
            fields.beginObject()
            fields.key("topK")
            fields.value(member.value)
            fields.endObject()
        } else {
            Self.write(member, &fields)
        }
    }

    static func write(_ member: borrowing JSONMember, _ fields: inout JSONWriter) {
        guard let name = member.key.string else { return }
        fields.key(name.utf8Span.span)
        fields.value(member.value)
    }

    private func writeThinking(_ thinking: Thinking, _ fields: inout JSONWriter) {
        switch thinking {
        case .none: break
        case .budget(let budget):
            fields.key("thinking")
            fields.object { json in
                json.key("type")
                json.string("enabled")
                json.key("budget_tokens")
                json.int(budget)
            }
        case .adaptive(let effort):
            fields.key("thinking")
            fields.object { json in
                json.key("type")
                json.string("adaptive")
            }
            fields.key("output_config")
            fields.object { json in
                json.key("effort")
                json.string(effort)
            }
        case .nova(let effort):
            fields.key("reasoningConfig")
            fields.object { json in
                json.key("type")
                json.string("enabled")
                json.key("maxReasoningEffort")
                json.string(effort)
            }
        case .effort(let effort):
            fields.key("reasoning_effort")
            fields.string(effort)
        }
    }

    /// Only Claude can be kept to one call at a time.
    private mutating func writeParallel(_ request: borrowing ChatRequest, _ fields: inout JSONWriter) {
        if request.allowsParallelTools || !request.hasTools { return }
        guard family == .claude else { return report.lose("parallel_tool_calls") }
        fields.key("tool_choice")
        fields.beginObject()
        if request.toolChoice == .unspecified || thinks {
            fields.key("type")
            fields.string("auto")
        }
        fields.key("disable_parallel_tool_use")
        fields.bool(true)
        fields.endObject()
    }
}
