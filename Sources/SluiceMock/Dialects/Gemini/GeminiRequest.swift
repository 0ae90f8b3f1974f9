internal import SluiceCore

/// A generateContent request, read and checked.
struct GeminiRequest {
    private(set) var question = Question()
    let model: String
    let candidateCount: Int
    private(set) var includesThoughts = false
    /// Models from the third generation on sign their calls and want the signatures back.
    let signs: Bool

    private static let members: Set<String> = [
        "contents", "systemInstruction", "system_instruction", "tools", "toolConfig", "tool_config", "safetySettings",
        "safety_settings", "generationConfig", "generation_config", "cachedContent", "cached_content", "serviceTier",
        "service_tier", "store", "model",
    ]
    private static let configMembers: Set<String> = [
        "temperature", "topP", "topK", "candidateCount", "maxOutputTokens", "stopSequences", "presencePenalty",
        "frequencyPenalty", "seed", "responseLogprobs", "logprobs", "responseMimeType", "responseSchema",
        "responseJsonSchema", "responseModalities", "mediaResolution", "thinkingConfig", "speechConfig", "imageConfig",
        "responseFormat", "translationConfig", "enableEnhancedCivicAnswers", "audioTimestamp", "routingConfig",
        "modelSelectionConfig",
    ]

    init(_ call: DialectCall, model: String, isVertex: Bool) throws(DialectFailure) {
        let body = try call.object()
        let known = isVertex ? Self.members.union(["labels", "modelArmorConfig"]) : Self.members
        for member in body.members where !known.contains(member.name) {
            throw .invalid("Invalid JSON payload received. Unknown name \"\(member.name)\": Cannot find field.")
        }
        self.model = String(model.split(separator: "+").first ?? "")
        signs = Self.generation(self.model) >= 3
        let config = body["generationConfig", "generation_config"] ?? [:]
        for member in config.members where !Self.configMembers.contains(Self.camel(member.name)) {
            throw .invalid(
                "Invalid JSON payload received. Unknown name \"\(member.name)\" at 'generation_config': Cannot find field."
            )
        }
        candidateCount = config["candidateCount", "candidate_count"]?.whole ?? 1
        guard (1...8).contains(candidateCount) else { throw .invalid("candidateCount must be from 1 to 8") }
        try readConfig(config)
        try readTools(body)
        let contents = try GeminiContents(body, signs: signs, isVertex: isVertex)
        question.echo = contents.echo
        question.endsWithToolResult = contents.endsWithResponses
        question.prefill = contents.prefill
        question.continuesPrefill = true
        question.promptByteCount = body.bytes.count
        question.isStream = true
    }

    /// The number after `gemini-`; 0 for other names.
    private static func generation(_ model: String) -> Double {
        guard model.hasPrefix("gemini-") else { return 0 }
        return Double(model.dropFirst(7).prefix { $0.isNumber || $0 == "." }) ?? 0
    }

    private static func camel(_ name: String) -> String {
        let words = name.split(separator: "_")
        return words.dropFirst().reduce(String(words.first ?? "")) { $0 + $1.prefix(1).uppercased() + $1.dropFirst() }
    }

    private mutating func readConfig(_ config: MockJSON) throws(DialectFailure) {
        try Self.check(config["temperature"], "temperature", 0...2)
        try Self.check(config["topP", "top_p"], "topP", 0...1)
        for name in ["presencePenalty", "frequencyPenalty"] {
            try Self.check(config[name], name, -2...1.999_999)
        }
        if let seed = config["seed"]?.whole, Int32(exactly: seed) == nil {
            throw .invalid("Invalid value at 'generation_config.seed' (TYPE_INT32), \(seed)")
        }
        question.limit = config["maxOutputTokens", "max_output_tokens"]?.whole
        if let limit = question.limit, limit < 1 { throw .invalid("maxOutputTokens must be positive") }
        question.stops = (config["stopSequences", "stop_sequences"]?.items ?? []).compactMap(\.text)
        if question.stops.count > 5 { throw .invalid("stopSequences: at most 5 are allowed") }
        let schema = config["responseSchema", "response_schema"]
        let jsonSchema = config["responseJsonSchema", "response_json_schema"]
        let type = config["responseMimeType", "response_mime_type"]?.text
        if schema != nil, jsonSchema != nil {
            throw .invalid("only one of responseSchema and responseJsonSchema may be set")
        }
        if schema != nil || jsonSchema != nil, type != "application/json", type != "text/x.enum" {
            throw .invalid("responseSchema is only allowed with responseMimeType application/json")
        }
        if let schema { try GeminiSchema.check(schema, "generation_config.response_schema") }
        question.schema = schema ?? jsonSchema
        if question.schema == nil, type == "application/json" {
            question.schema = ["type": "object", "properties": ["answer": ["type": "string"]]]
        }
        if config["logprobs"] != nil, config["responseLogprobs"]?.flag != true {
            throw .invalid("logprobs requires responseLogprobs")
        }
        guard let thinking = config["thinkingConfig", "thinking_config"] else { return }
        let budget = thinking["thinkingBudget", "thinking_budget"]?.whole
        if budget != nil, thinking["thinkingLevel", "thinking_level"] != nil {
            throw .invalid("You can only set only one of thinking budget and thinking level.")
        }
        includesThoughts = thinking["includeThoughts", "include_thoughts"]?.flag ?? false
        question.wantsReasoning = includesThoughts && budget != 0
    }

    private static func check(_ value: MockJSON?, _ name: String, _ range: ClosedRange<Double>) throws(DialectFailure) {
        guard let value else { return }
        guard let number = value.number, range.contains(number) else {
            throw .invalid(
                "Unable to submit request because it has a \(name) value but the supported range is from \(range.lowerBound) (inclusive) to \(range.upperBound)."
            )
        }
    }

    private mutating func readTools(_ body: MockJSON) throws(DialectFailure) {
        for tool in body["tools"]?.items ?? [] {
            for function in tool["functionDeclarations", "function_declarations"]?.items ?? [] {
                guard let name = function["name"]?.text, Self.isName(name) else {
                    throw .invalid("Invalid function name. Must start with a letter or an underscore.")
                }
                let plain = function["parametersJsonSchema", "parameters_json_schema"]
                if let schema = function["parameters"] {
                    if plain != nil { throw .invalid("parameters and parametersJsonSchema are mutually exclusive") }
                    try GeminiSchema.check(schema, "tools[0].function_declarations[0].parameters")
                    if schema["type"]?.text?.uppercased() == "OBJECT", schema["properties"]?.members.isEmpty ?? true {
                        throw .invalid(
                            "* GenerateContentRequest.tools[0].function_declarations[0].parameters.properties: should be non-empty for OBJECT type"
                        )
                    }
                }
                question.tools.append(Question.Tool(name: name, schema: function["parameters"] ?? plain))
            }
        }
        let config = body["toolConfig", "tool_config"]?["functionCallingConfig", "function_calling_config"]
        let names = config?["allowedFunctionNames", "allowed_function_names"]?.items.compactMap(\.text) ?? []
        switch config?["mode"]?.text {
        case nil, "AUTO", "VALIDATED", "MODE_UNSPECIFIED": question.choice = .auto
        case "NONE": question.choice = .none
        case "ANY": question.choice = .required
        case let mode?: throw .invalid("Invalid value at 'tool_config.function_calling_config.mode': \(mode)")
        }
        if names.isEmpty { return }
        if question.choice == .none || config?["mode"]?.text == "AUTO" {
            throw .invalid(
                "Function calling config: allowed_function_names should be set only when mode is ANY or VALIDATED.")
        }
        for name in names where !question.tools.contains(where: { $0.name == name }) {
            throw .invalid("allowed_function_names contains \(name), which is not declared")
        }
        question.tools.removeAll { !names.contains($0.name) }
    }

    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= 128 else { return false }
        return (first.isASCIILetter || first == UInt8(ascii: "_"))
            && name.utf8.allSatisfy { $0.isASCIILetter || $0.isDecimalDigit || "_.:-".utf8.contains($0) }
    }
}

/// The keywords of OpenAPI's schema that the API knows; everything else is refused.
enum GeminiSchema {
    private static let keys: Set<String> = [
        "type", "format", "title", "description", "nullable", "enum", "items", "minItems", "maxItems", "properties",
        "required", "propertyOrdering", "minProperties", "maxProperties", "anyOf", "minimum", "maximum", "minLength",
        "maxLength", "pattern", "default", "example", "min_items", "max_items", "any_of", "property_ordering", "defs",
        "ref",
    ]

    static func check(_ schema: MockJSON, _ place: String) throws(DialectFailure) {
        for member in schema.members {
            if !keys.contains(member.name) {
                throw .invalid(
                    "Invalid JSON payload received. Unknown name \"\(member.name)\" at '\(place)': Cannot find field.")
            }
            switch member.name {
            case "type":
                if member.value.text == nil {
                    throw .invalid("Proto field is not repeating, cannot start list. at '\(place).type'")
                }
            case "enum":
                if member.value.items.contains(where: { $0.text == nil }) {
                    throw .invalid("Invalid value at '\(place).enum' (TYPE_STRING)")
                }
            case "properties":
                for property in member.value.members {
                    try check(property.value, "\(place).properties.\(property.name)")
                }
            case "items": try check(member.value, "\(place).items")
            case "anyOf", "any_of": for one in member.value.items { try check(one, "\(place).any_of") }
            default: break
            }
        }
    }
}
