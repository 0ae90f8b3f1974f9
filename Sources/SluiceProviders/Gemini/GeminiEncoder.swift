internal import SluiceCore
internal import SluiceJSON

/// Writes one generateContent request (sections 2, 3, 7 and 9 of the Gemini sheet). One encoder a request.
struct GeminiEncoder {
    enum Role { case user, model }

    /// A call of a function somewhere in the history.
    struct Call {
        let name: String
        /// The turn it belongs to, and its place there.
        let turn: Int
        let place: Int
        /// Whether Gemini itself named it: then it wants the name back with the result.
        let sendsID: Bool
    }

    let capabilities: Capabilities
    let flavour: GeminiDialect.Flavour
    var report: FieldReport
    var json: JSONWriter
    let embedded = EmbeddedJSON()

    // The contents as far as they are written.
    var openRole: Role?
    var hasContents = false
    var calls: [String: Call] = [:]
    var turn = 0
    /// The results of the calls of one turn, each a part; they go out in the order of the calls.
    let results = ByteBuffer(capacity: 256)
    var resultParts: [(place: Int, range: Range<Int>)] = []

    // `generationConfig`, and what it has.
    private let configText = ByteBuffer(capacity: 256)
    private var config: JSONWriter
    private var configNames: [StaticString] = []

    init(_ capabilities: Capabilities, _ flavour: GeminiDialect.Flavour, _ report: FieldReport, into body: ByteBuffer) {
        self.capabilities = capabilities
        self.flavour = flavour
        self.report = report
        json = JSONWriter(into: body)
        config = JSONWriter(into: configText)
    }

    /// From Gemini 3 on, models are told how deep to think by a word, check signatures, and take images in results.
    var isGemini3: Bool { capabilities.reasoning == .effort || capabilities.reasoning == .adaptive }

    private static let spoken: [StaticString] = [
        "messages", "model", "stream", "stream_options", "max_completion_tokens", "max_tokens", "temperature", "top_p", "stop", "seed",
        "presence_penalty", "frequency_penalty", "response_format", "tools", "tool_choice", "reasoning_effort", "reasoning",
        "modalities", "service_tier", "web_search_options", "n",
    ]

    mutating func write(_ request: borrowing ChatRequest) throws(EncodingRefusal) {
        if let count = request["n"], count.int != 1 {
            throw EncodingRefusal("n", "The provider gives one answer a request here: send the request n times.")
        }
        json.beginObject()
        let hasSystem = try writeContents(request)
        if hasSystem { writeSystemInstruction(request) }
        writeTools(request)
        writeServiceTier(request)
        config.beginObject()
        writeExtensions(request.root)
        writeSampling(request)
        writeResponseFormat(request)
        writeThinking(request)
        config.endObject()
        let text = configText
        if text.count > 2 {
            json.key("generationConfig")
            json.raw(text.span)
        }
        json.endObject()
    }

    // MARK: generationConfig

    /// Begins a member of `generationConfig`.
    ///
    /// - Returns: false if it has that member: what the application says in Gemini's words counts.
    private mutating func configKey(_ name: StaticString) -> Bool {
        for known in configNames where String(describing: known) == String(describing: name) { return false }
        configNames.append(name)
        config.key(name)
        return true
    }

    private mutating func writeNumber(_ field: StaticString, _ name: StaticString, _ request: borrowing ChatRequest) {
        guard let value = request[field], value.kind == .number, configKey(name) else { return }
        config.value(value)
    }

    private mutating func writeSampling(_ request: borrowing ChatRequest) {
        if let count = request.outputTokensMax, configKey("maxOutputTokens") { config.int(count) }
        if capabilities.sampling {
            writeNumber("temperature", "temperature", request)
            writeNumber("top_p", "topP", request)
        } else {
            if request["temperature"] != nil { report.lose("temperature") }
            if request["top_p"] != nil { report.lose("top_p") }
        }
        writePenalty("presence_penalty", "presencePenalty", request)
        writePenalty("frequency_penalty", "frequencyPenalty", request)
        writeSeed(request)
        writeStops(request)
        writeModalities(request)
    }

    /// -2 is within Gemini's range, 2 is not.
    private mutating func writePenalty(_ field: StaticString, _ name: StaticString, _ request: borrowing ChatRequest) {
        guard let value = request[field], let penalty = value.double, penalty != 0, configKey(name) else { return }
        if penalty < 2 { return config.value(value) }
        config.double(1.999)
        report.adapt("\(field): 1.999")
    }

    private mutating func writeSeed(_ request: borrowing ChatRequest) {
        guard let value = request["seed"] else { return }
        guard let seed = value.int, Int32(exactly: seed) != nil else { return report.lose("seed") }
        if configKey("seed") { config.int(seed) }
    }

    private static let stopsMax = 5

    private mutating func writeStops(_ request: borrowing ChatRequest) {
        guard let stop = request["stop"] else { return }
        if stop.isArray, stop.count == 0 { return }
        guard configKey("stopSequences") else { return }
        config.beginArray()
        if stop.isString { config.value(stop) }
        var elements = stop.elements
        var count = 0
        while let element = elements.next() {
            if count < Self.stopsMax, element.isString { config.value(element) } else { report.lose("stop[\(count)]") }
            count += 1
        }
        config.endArray()
    }

    /// Text is always there; sound is not asked for, since there is no place for it in what we write.
    private mutating func writeModalities(_ request: borrowing ChatRequest) {
        guard let modalities = request["modalities"] else { return }
        var wantsImages = false
        var elements = modalities.elements
        while let modality = elements.next() {
            if modality.equals("image") { wantsImages = true }
            if modality.equals("audio") { report.lose("modalities") }
        }
        guard wantsImages, configKey("responseModalities") else { return }
        config.array { json in
            json.string("TEXT")
            json.string("IMAGE")
        }
    }

    private mutating func writeResponseFormat(_ request: borrowing ChatRequest) {
        let format = request.responseFormat
        if format == .text { return }
        if configKey("responseMimeType") { config.string("application/json") }
        guard format == .jsonSchema, let schema = request.jsonSchema?["schema"], schema.isObject else { return }
        if capabilities.reasoning != .none {
            if configKey("responseJsonSchema") { config.value(schema) }
        } else if configKey("responseSchema") {
            // Models from before 2.5 know only the subset.
            var converter = GeminiSchema(schema, ordersProperties: true)
            let text = ByteBuffer(capacity: 256)
            if !converter.write(into: text) { report.adapt("response_format.json_schema.schema: simplified") }
            config.raw(text.span)
        }
    }

    // MARK: Thinking (section 7)

    private mutating func writeThinking(_ request: borrowing ChatRequest) {
        guard let effort = request.reasoningEffort else { return }
        switch capabilities.reasoning {
        case .none:
            if effort != "none" { report.lose("reasoning_effort") }
        case .effort, .adaptive:
            guard configKey("thinkingConfig") else { return }
            let level = level(of: effort, request.model)
            if effort == "none" || effort == "xhigh" { report.adapt("reasoning_effort: \(level)") }
            writeThinkingConfig("thinkingLevel", includes: effort != "none") { $0.string(level) }
        case .budget:
            guard configKey("thinkingConfig") else { return }
            let budget = budget(of: effort, request.model)
            writeThinkingConfig("thinkingBudget", includes: budget > 0 && effort != "none") { $0.int(budget) }
        }
    }

    private mutating func writeThinkingConfig(
        _ key: StaticString, includes: Bool, _ value: (inout JSONWriter) -> Void
    ) {
        config.beginObject()
        config.key(key)
        value(&config)
        if includes {
            config.key("includeThoughts")
            config.bool(true)
        }
        config.endObject()
    }

    /// Only Flash models know MINIMAL; no model thinks not at all.
    private func level(of effort: String, _ model: String) -> StaticString {
        switch effort {
        case "none", "minimal": model.contains("flash") ? "MINIMAL" : "LOW"
        case "low": "LOW"
        case "medium": "MEDIUM"
        default: "HIGH"
        }
    }

    /// As Google's compatible endpoint does it; Pro models cannot leave thinking out.
    private func budget(of effort: String, _ model: String) -> Int {
        switch effort {
        case "none": model.contains("pro") ? 128 : 0
        case "minimal": 512
        case "low": 1024
        case "medium": 8192
        default: 24_576
        }
    }

    // MARK: Fields of Gemini's own

    private mutating func writeServiceTier(_ request: borrowing ChatRequest) {
        guard let tier = request["service_tier"], !tier.equals("auto") else { return }
        let isKnown = tier.equals("flex") || tier.equals("priority")
        if !isKnown, !tier.equals("default") { return report.lose("service_tier") }
        json.key("serviceTier")
        if isKnown { json.value(tier) } else { json.string("standard") }
    }

    private static let topLevel: [(StaticString, StaticString)] = [
        ("safetySettings", "safety_settings"), ("cachedContent", "cached_content"),
    ]
    private static let configured: [(StaticString, StaticString)] = [
        ("topK", "top_k"), ("mediaResolution", "media_resolution"), ("speechConfig", "speech_config"),
        ("imageConfig", "image_config"), ("thinkingConfig", "thinking_config"), ("responseModalities", "response_modalities"),
        ("responseMimeType", "response_mime_type"), ("responseSchema", "response_schema"),
        ("responseJsonSchema", "response_json_schema"), ("candidateCount", "candidate_count"),
        ("maxOutputTokens", "max_output_tokens"), ("stopSequences", "stop_sequences"), ("temperature", "temperature"),
        ("topP", "top_p"), ("seed", "seed"), ("presencePenalty", "presence_penalty"), ("frequencyPenalty", "frequency_penalty"),
        ("audioTimestamp", "audio_timestamp"), ("routingConfig", "routing_config"),
        ("modelSelectionConfig", "model_selection_config"),
    ]
    /// Members of `generationConfig` that only Vertex has, and the one that would give answers that nobody reads.
    private static let vertexOnly: [StaticString] = ["audioTimestamp", "routingConfig", "modelSelectionConfig"]

    private mutating func writeExtensions(_ root: JSONValue) {
        var others = OtherFields(of: root, but: Self.spoken)
        while let member = others.next(&report) {
            let isTaken = writeTopLevel(member) || writeNested(member) || writeConfigured(member)
            if !isTaken, let name = member.key.string { report.lose(name) }
        }
    }

    /// `generationConfig` as a whole, and `google`, as Google's compatible endpoint takes it in `extra_body`.
    private mutating func writeNested(_ member: borrowing JSONMember) -> Bool {
        if member.isNamed("extra_body"), let google = member.value["google"], google.isObject {
            writeMembers(of: google)
            return true
        }
        if member.isNamed("google") || member.isNamed("generationConfig") || member.isNamed("generation_config"),
            member.value.isObject
        {
            writeMembers(of: member.value)
            return true
        }
        return false
    }

    private mutating func writeMembers(of object: JSONValue) {
        var members = object.members
        while let member = members.next() {
            if !writeTopLevel(member), !writeConfigured(member), let name = member.key.string { report.lose(name) }
        }
    }

    private mutating func writeTopLevel(_ member: borrowing JSONMember) -> Bool {
        if flavour == .vertex, member.isNamed("labels"), claim("labels") {
            json.key("labels")
            json.value(member.value)
            return true
        }
        for (name, snake) in Self.topLevel where member.isNamed(name) || member.isNamed(snake) {
            if !claim(name) { return true }
            json.key(name)
            json.value(member.value)
            return true
        }
        return false
    }

    /// Notes that a member at the top has been written.
    private mutating func claim(_ name: StaticString) -> Bool {
        for known in configNames where String(describing: known) == String(describing: name) { return false }
        configNames.append(name)
        return true
    }

    private mutating func writeConfigured(_ member: borrowing JSONMember) -> Bool {
        for (name, snake) in Self.configured where member.isNamed(name) || member.isNamed(snake) {
            if flavour == .gemini, Self.vertexOnly.contains(where: { String(describing: $0) == String(describing: name) }) {
                return false
            }
            if member.value.isNull || !configKey(name) { return true }
            config.value(member.value)
            return true
        }
        return false
    }
}
