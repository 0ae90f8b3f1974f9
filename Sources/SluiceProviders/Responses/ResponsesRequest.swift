package import SluiceCore
package import SluiceJSON

/// An application's responses request, made into the chat request that every provider's dialect is written from (section 11 of the
/// OpenAI sheet).
///
/// Nothing is kept between requests: what refers to an earlier response is refused.
package struct ResponsesRequest {
    private let target: ChatTarget
    private var json: JSONWriter
    private var report: FieldReport

    /// Writes the chat request.
    ///
    /// - Throws: what chat requests have no words for.
    package static func write(
        _ root: JSONValue, for target: ChatTarget, into body: ByteBuffer, _ report: inout FieldReport
    ) throws(EncodingRefusal) {
        try refuseState(root)
        var request = ResponsesRequest(target: target, json: JSONWriter(into: body), report: report)
        try request.write(root)
        report = request.report
    }

    private init(target: ChatTarget, json: JSONWriter, report: FieldReport) {
        self.target = target
        self.json = json
        self.report = report
    }

    // MARK: State

    /// Fields that refer to something that a provider with responses of its own keeps.
    private static let stateful: [StaticString] = ["previous_response_id", "conversation", "prompt"]

    private static func refuseState(_ root: JSONValue) throws(EncodingRefusal) {
        for field in stateful {
            guard let value = root[field], !value.isNull else { continue }
            throw EncodingRefusal(
                "\(field)",
                "The provider of this model keeps no responses: send the whole conversation as input, without \(field)."
            )
        }
        if root["background"]?.bool == true {
            throw EncodingRefusal(
                "background",
                "The provider of this model keeps no responses, so that none can be made in the background.")
        }
    }

    // MARK: The request

    /// Fields that mean the same in both dialects.
    private static let shared: [StaticString] = [
        "stream", "temperature", "top_p", "user", "safety_identifier", "prompt_cache_key", "prompt_cache_retention",
        "service_tier",
    ]

    private mutating func write(_ root: JSONValue) throws(EncodingRefusal) {
        json.beginObject()
        copy("model", from: root)
        json.key("messages")
        json.beginArray()
        var input = ResponsesInputWriter(target, json, report)
        try input.write(root)
        json = input.json
        report = input.report
        json.endArray()
        if let tokens = root["max_output_tokens"], !tokens.isNull {
            if target.takesMaxCompletionTokens { json.key("max_completion_tokens") } else { json.key("max_tokens") }
            json.value(tokens)
        }
        for field in Self.shared { copy(field, from: root) }
        try writeTools(root)
        writeText(root)
        writeReasoning(root)
        writeExtensions(root)
        json.endObject()
    }

    private mutating func copy(_ field: StaticString, from object: JSONValue) {
        guard let value = object[field], !value.isNull else { return }
        json.key(field)
        json.value(value)
    }

    // MARK: Tools

    /// Fields of a function that say how it is called; the others are known to OpenAI's responses only.
    private static let functionFields: [StaticString] = ["type", "name", "description", "parameters", "strict"]

    private mutating func writeTools(_ root: JSONValue) throws(EncodingRefusal) {
        let choice = root["tool_choice"]
        let allowed = choice?["type"]?.equals("allowed_tools") == true ? choice?["tools"] : nil
        var isOpen = false
        var index = -1
        var tools = root.elements(of: "tools")
        while let tool = tools.next() {
            index += 1
            guard tool["type"]?.equals("function") == true, let name = tool["name"], name.isString else {
                report.lose("tools[\(index)]")
                continue
            }
            if let allowed, !Self.names(name, allowed) { continue }
            if !isOpen {
                isOpen = true
                json.key("tools")
                json.beginArray()
            }
            writeTool(tool, index)
        }
        if isOpen { json.endArray() }
        if allowed != nil { report.adapt("tool_choice: only the allowed tools are offered") }
        if let choice, !choice.isNull { try writeToolChoice(choice, hasTools: isOpen) }
        if isOpen { copy("parallel_tool_calls", from: root) }
    }

    private static func names(_ name: JSONValue, _ allowed: JSONValue) -> Bool {
        guard let bytes = name.unescapedBytes else { return false }
        var tools = allowed.elements
        while let tool = tools.next() { if tool["name"]?.equals(bytes) == true { return true } }
        return false
    }

    private mutating func writeTool(_ tool: JSONValue, _ index: Int) {
        json.beginObject()
        json.key("type")
        json.string("function")
        json.key("function")
        json.beginObject()
        copy("name", from: tool)
        copy("description", from: tool)
        if let parameters = tool["parameters"], parameters.isObject {
            json.key("parameters")
            json.value(parameters)
        }
        copy("strict", from: tool)
        json.endObject()
        json.endObject()
        var members = tool.members
        while let member = members.next() {
            if member.value.isNull || Self.functionFields.contains(where: { member.isNamed($0) }) { continue }
            report.lose("tools[\(index)].\(member.key.string ?? "")")
        }
    }

    private mutating func writeToolChoice(_ choice: JSONValue, hasTools: Bool) throws(EncodingRefusal) {
        if choice.isString {
            if hasTools {
                json.key("tool_choice")
                json.value(choice)
            } else if choice.equals("required") {
                report.lose("tool_choice")
            }
        } else if choice["type"]?.equals("allowed_tools") == true {
            guard hasTools, let mode = choice["mode"], mode.isString else { return }
            json.key("tool_choice")
            json.value(mode)
        } else if choice["type"]?.equals("function") == true, let name = choice["name"], name.isString {
            json.key("tool_choice")
            json.beginObject()
            json.key("type")
            json.string("function")
            json.key("function")
            json.beginObject()
            json.key("name")
            json.value(name)
            json.endObject()
            json.endObject()
        } else {
            throw EncodingRefusal(
                "tool_choice", "The provider of this model has no tools of its own: only functions can be chosen.")
        }
    }

    // MARK: The answer's form and reasoning

    private mutating func writeText(_ root: JSONValue) {
        guard let text = root["text"], text.isObject else { return }
        if let verbosity = text["verbosity"], verbosity.isString, !verbosity.equals("medium") {
            json.key("verbosity")
            json.value(verbosity)
        }
        guard let format = text["format"], let type = format["type"], !type.equals("text") else { return }
        json.key("response_format")
        if !type.equals("json_schema") { return json.value(format) }
        json.beginObject()
        json.key("type")
        json.string("json_schema")
        json.key("json_schema")
        json.beginObject()
        for field in ["name", "description", "strict", "schema"] as [StaticString] { copy(field, from: format) }
        json.endObject()
        json.endObject()
    }

    private mutating func writeReasoning(_ root: JSONValue) {
        guard let reasoning = root["reasoning"], reasoning.isObject else { return }
        if let effort = reasoning["effort"], effort.isString {
            json.key("reasoning_effort")
            json.value(effort)
        }
        // A summary is what the provider shows of its reasoning, if it does.
        for field in ["context", "mode"] as [StaticString] {
            if let value = reasoning[field], !value.isNull { report.lose("reasoning.\(field)") }
        }
    }

    // MARK: What is left

    /// Fields that are read above, or that the reply answers by repeating them.
    private static let known: Set<String> = [
        "model", "input", "instructions", "max_output_tokens", "stream", "temperature", "top_p", "user",
        "safety_identifier",
        "prompt_cache_key", "prompt_cache_retention", "service_tier", "tools", "tool_choice", "parallel_tool_calls",
        "text", "reasoning",
        "metadata", "stream_options", "include", "background", "truncation", "store",
    ]
    /// Fields of responses that chat has nothing for, and fields of chat that responses say otherwise.
    private static let lost: Set<String> = [
        "max_tool_calls", "top_logprobs", "prompt_cache_options", "context_management", "moderation", "image",
        "access_programs",
        "background_options", "messages", "n", "response_format", "functions", "function_call", "max_tokens",
        "max_completion_tokens",
        "reasoning_effort", "verbosity", "logprobs", "modalities", "audio", "prediction",
    ]

    /// Fields that neither dialect of OpenAI's knows may be the provider's own: they go on as they are.
    private mutating func writeExtensions(_ root: JSONValue) {
        if root["store"]?.bool == true { report.lose("store") }
        if root["truncation"]?.equals("auto") == true { report.lose("truncation") }
        reportIncludes(root)
        var members = root.members
        while let member = members.next() {
            let value = member.value
            guard !value.isNull, let name = member.key.string, !Self.known.contains(name) else { continue }
            if Self.lost.contains(name) {
                if value.isArray || value.isObject, value.count == 0 { continue }
                if value.int == 0 || value.bool == false { continue }
                report.lose(name)
            } else {
                json.key(name.utf8Span.span)
                json.value(value)
            }
        }
    }

    private mutating func reportIncludes(_ root: JSONValue) {
        var index = 0
        var includes = root.elements(of: "include")
        while let include = includes.next() {
            // It is included always.
            if !include.equals("reasoning.encrypted_content") { report.lose("include[\(index)]") }
            index += 1
        }
    }
}
