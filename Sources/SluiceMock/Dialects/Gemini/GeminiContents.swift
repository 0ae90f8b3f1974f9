/// The turns of a generateContent request: calls, their responses, and the signatures of the current turn.
struct GeminiContents {
    private(set) var echo = ""
    private(set) var endsWithResponses = false
    /// What the model said last, if nothing comes after it; else empty.
    private(set) var prefill = ""

    /// What stands for a signature that was lost; the API takes them.
    private static let dummies: Set<String> = [
        "context_engineering_is_the_way_to_go", "skip_thought_signature_validator",
        "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I=",
    ]

    init(_ body: MockJSON, signs: Bool, isVertex: Bool) throws(DialectFailure) {
        guard let contents = body["contents"], !contents.items.isEmpty else {
            throw .invalid("* GenerateContentRequest.contents: contents is not specified")
        }
        for part in body["systemInstruction", "system_instruction"]?["parts"]?.items ?? [] where part["text"] == nil {
            throw .invalid("system_instruction: only text parts are supported")
        }
        var open = 0
        var wasUser = false
        for (index, content) in contents.items.enumerated() {
            let role = content["role"]?.text ?? (isVertex ? "" : "user")
            guard ["user", "model", "function"].contains(role) else {
                throw .invalid("Please use a valid role: user, model.")
            }
            guard let parts = content["parts"]?.items, !parts.isEmpty else {
                throw .invalid("* GenerateContentRequest.contents[\(index)].parts: contents.parts must not be empty.")
            }
            try Self.checkParts(parts, index)
            let calls = parts.filter { $0["functionCall", "function_call"] != nil }
            let responses = parts.filter { $0["functionResponse", "function_response"] != nil }
            prefill = role == "model" ? parts.compactMap { $0["text"]?.text }.joined() : ""
            if role == "model" {
                if !calls.isEmpty, !wasUser {
                    throw .invalid(
                        "Please ensure that function call turn comes immediately after a user turn or after a function response turn."
                    )
                }
                open = calls.count
            } else {
                if responses.count != open {
                    throw .invalid(
                        "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn."
                    )
                }
                open = 0
                take(parts, responses)
            }
            wasUser = role != "model"
        }
        if open > 0 {
            throw .invalid("Please ensure that function response turn comes immediately after a function call turn.")
        }
        if signs { try Self.checkSignatures(contents.items) }
    }

    private mutating func take(_ parts: [MockJSON], _ responses: [MockJSON]) {
        let texts = parts.compactMap { $0["text"]?.text }
        endsWithResponses = !responses.isEmpty && texts.isEmpty
        if !texts.isEmpty {
            echo = texts.joined()
            return
        }
        guard let response = responses.last?["functionResponse", "function_response"]?["response"] else { return }
        echo = response["output"]?.text ?? response["result"]?.text ?? response.jsonText
    }

    private static func checkParts(_ parts: [MockJSON], _ index: Int) throws(DialectFailure) {
        let data = [
            "text", "inlineData", "inline_data", "fileData", "file_data", "functionCall", "function_call",
            "functionResponse",
            "function_response", "executableCode", "codeExecutionResult", "toolCall", "toolResponse",
        ]
        let metadata = [
            "thought", "thoughtSignature", "thought_signature", "videoMetadata", "video_metadata", "mediaResolution",
            "media_resolution", "partMetadata",
        ]
        for (number, part) in parts.enumerated() {
            let place = "contents[\(index)].parts[\(number)]"
            for member in part.members where !data.contains(member.name) && !metadata.contains(member.name) {
                throw .invalid(
                    "Invalid JSON payload received. Unknown name \"\(member.name)\" at '\(place)': Cannot find field.")
            }
            if part.members.filter({ data.contains($0.name) }).count != 1 {
                throw .invalid("\(place): required oneof field 'data' must have one initialized field")
            }
            if let call = part["functionCall", "function_call"] {
                if call["name"]?.text == nil || call["args"].map({ !$0.isObject }) ?? false {
                    throw .invalid("\(place).function_call: name must be set and args must be an object")
                }
            }
            if let response = part["functionResponse", "function_response"] {
                if response["name"]?.text == nil || response["response"]?.isObject != true {
                    throw .invalid("\(place).function_response: name must be set and response must be an object")
                }
            }
            if let inline = part["inlineData", "inline_data"] {
                if inline["mimeType", "mime_type"]?.text == nil || inline["data"]?.text?.hasPrefix("data:") != false {
                    throw .invalid("\(place).inline_data: mimeType and base64 data must be set")
                }
            }
        }
    }

    /// In the current turn the first call of each step has to come back with its signature.
    private static func checkSignatures(_ contents: [MockJSON]) throws(DialectFailure) {
        let start =
            contents.lastIndex { content in
                content["role"]?.text != "model"
                    && !(content["parts"]?.items ?? []).contains { $0["functionResponse", "function_response"] != nil }
            } ?? -1
        for index in (start + 1)..<max(contents.count, start + 1) where contents[index]["role"]?.text == "model" {
            let parts = contents[index]["parts"]?.items ?? []
            guard let position = parts.firstIndex(where: { $0["functionCall", "function_call"] != nil }),
                let call = parts[position]["functionCall", "function_call"]
            else { continue }
            let name = call["name"]?.text ?? ""
            guard let signature = parts[position]["thoughtSignature", "thought_signature"]?.text else {
                throw .invalid(
                    "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly. Additional data, function call `default_api:\(name)`, position \(index + 1)."
                )
            }
            if !dummies.contains(signature), !Seal.isSignature(signature, of: name) {
                throw .invalid("Thought signature is not valid.")
            }
        }
    }
}
