internal import SluiceCore
internal import SluiceJSON

/// Fields of Gemini's own, in either spelling, and those that it has under another name.
extension GeminiEncoder {
    mutating func writeServiceTier(_ request: borrowing ChatRequest) {
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
        ("imageConfig", "image_config"), ("thinkingConfig", "thinking_config"),
        ("responseModalities", "response_modalities"),
        ("responseMimeType", "response_mime_type"), ("responseSchema", "response_schema"),
        ("responseJsonSchema", "response_json_schema"), ("candidateCount", "candidate_count"),
        ("maxOutputTokens", "max_output_tokens"), ("stopSequences", "stop_sequences"), ("temperature", "temperature"),
        ("topP", "top_p"), ("seed", "seed"), ("presencePenalty", "presence_penalty"),
        ("frequencyPenalty", "frequency_penalty"),
        ("audioTimestamp", "audio_timestamp"), ("routingConfig", "routing_config"),
        ("modelSelectionConfig", "model_selection_config"),
    ]
    /// Members of `generationConfig` that only Vertex has, and the one that would give answers that nobody reads.
    private static let vertexOnly: [StaticString] = ["audioTimestamp", "routingConfig", "modelSelectionConfig"]

    mutating func writeExtensions(_ root: JSONValue) {
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
            if flavour == .gemini,
                Self.vertexOnly.contains(where: { String(describing: $0) == String(describing: name) })
            {
                return false
            }
            if member.value.isNull || !configKey(name) { return true }
            config.value(member.value)
            return true
        }
        return false
    }
}
