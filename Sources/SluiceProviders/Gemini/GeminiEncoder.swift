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
    var config: JSONWriter
    var configNames: [StaticString] = []

    init(_ capabilities: Capabilities, _ flavour: GeminiDialect.Flavour, _ report: FieldReport, into body: ByteBuffer) {
        self.capabilities = capabilities
        self.flavour = flavour
        self.report = report
        json = JSONWriter(into: body)
        config = JSONWriter(into: configText)
    }

    /// From Gemini 3 on, models are told how deep to think by a word, check signatures, and take images in results.
    var isGemini3: Bool { capabilities.reasoning == .effort || capabilities.reasoning == .adaptive }

    static let spoken: [StaticString] = [
        "messages", "model", "stream", "stream_options", "max_completion_tokens", "max_tokens", "temperature", "top_p",
        "stop", "seed",
        "presence_penalty", "frequency_penalty", "response_format", "tools", "tool_choice", "reasoning_effort",
        "reasoning",
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
    mutating func configKey(_ name: StaticString) -> Bool {
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
}
