package import SluiceCore
package import SluiceJSON

/// An application's Messages request, made into the chat request that every provider's dialect is written from (section 13 of the
/// Anthropic sheet).
package struct MessagesRequest {
    private let target: ChatTarget
    private var json: JSONWriter
    private var report: FieldReport

    /// Writes the chat request.
    ///
    /// - Parameter root: an object with `messages`, an array.
    /// - Throws: what chat requests have no words for.
    package static func write(
        _ root: JSONValue, for target: ChatTarget, into body: ByteBuffer, _ report: inout FieldReport
    ) throws(EncodingRefusal) {
        var request = MessagesRequest(target: target, json: JSONWriter(into: body), report: report)
        try request.write(root)
        report = request.report
    }

    private init(target: ChatTarget, json: JSONWriter, report: FieldReport) {
        self.target = target
        self.json = json
        self.report = report
    }

    private mutating func write(_ root: JSONValue) throws(EncodingRefusal) {
        json.beginObject()
        copy("model", from: root)
        json.key("messages")
        json.beginArray()
        var messages = MessagesMessageWriter(target, json, report)
        messages.writeSystem(root["system"])
        try messages.writeMessages(root)
        json = messages.json
        report = messages.report
        json.endArray()
        if let tokens = root["max_tokens"], !tokens.isNull {
            if target.takesMaxCompletionTokens { json.key("max_completion_tokens") } else { json.key("max_tokens") }
            json.value(tokens)
        }
        for field in ["stream", "temperature", "top_p"] as [StaticString] { copy(field, from: root) }
        writeStops(root)
        writeTools(root)
        writeToolChoice(root)
        writeReasoning(root)
        writeFormat(root)
        writeUser(root)
        writeServiceTier(root)
        for field in ["top_k", "cache_control"] as [StaticString] { copyUnlessOpenAI(field, from: root) }
        json.endObject()
        reportLosses(root)
    }

    private mutating func copy(_ field: StaticString, from root: JSONValue) {
        guard let value = root[field], !value.isNull else { return }
        json.key(field)
        json.value(value)
    }

    private mutating func copyUnlessOpenAI(_ field: StaticString, from root: JSONValue) {
        guard let value = root[field], !value.isNull else { return }
        if target.isOpenAI { return report.lose("\(field)") }
        json.key(field)
        json.value(value)
    }

    // MARK: Sampling

    /// OpenAI takes four.
    private static let stopsMax = 4

    private mutating func writeStops(_ root: JSONValue) {
        guard let stops = root["stop_sequences"], stops.isArray, stops.count > 0 else { return }
        json.key("stop")
        if !target.isOpenAI || stops.count <= Self.stopsMax { return json.value(stops) }
        report.lose("stop_sequences[\(Self.stopsMax)]")
        json.beginArray()
        var elements = stops.elements
        var count = 0
        while count < Self.stopsMax, let stop = elements.next() {
            json.value(stop)
            count += 1
        }
        json.endArray()
    }

    // MARK: Tools

    private mutating func writeTools(_ root: JSONValue) {
        var isOpen = false
        var index = -1
        var tools = root.elements(of: "tools")
        while let tool = tools.next() {
            index += 1
            // Those that run at Anthropic have a type of their own.
            let isCustom = tool["type"] == nil || tool["type"]?.isNull == true || tool["type"]?.equals("custom") == true
            guard isCustom, tool["name"]?.isString == true else {
                report.lose("tools[\(index)]")
                continue
            }
            if !isOpen {
                isOpen = true
                json.key("tools")
                json.beginArray()
            }
            writeTool(tool)
        }
        if isOpen { json.endArray() }
    }

    private mutating func writeTool(_ tool: JSONValue) {
        json.beginObject()
        json.key("type")
        json.string("function")
        json.key("function")
        json.beginObject()
        copy("name", from: tool)
        copy("description", from: tool)
        if let schema = tool["input_schema"], schema.isObject {
            json.key("parameters")
            json.value(schema)
        }
        if tool["strict"]?.bool == true { copy("strict", from: tool) }
        json.endObject()
        copyUnlessOpenAI("cache_control", from: tool)
        if tool["eager_input_streaming"]?.bool == true { copyUnlessOpenAI("eager_input_streaming", from: tool) }
        json.endObject()
    }

    private mutating func writeToolChoice(_ root: JSONValue) {
        guard let choice = root["tool_choice"], choice.isObject, root["tools"]?.count ?? 0 > 0 else { return }
        json.key("tool_choice")
        if choice["type"]?.equals("tool") == true {
            json.beginObject()
            json.key("type")
            json.string("function")
            json.key("function")
            json.beginObject()
            copy("name", from: choice)
            json.endObject()
            json.endObject()
        } else if choice["type"]?.equals("any") == true {
            json.string("required")
        } else if choice["type"]?.equals("none") == true {
            json.string("none")
        } else {
            json.string("auto")
        }
        if choice["disable_parallel_tool_use"]?.bool == true {
            json.key("parallel_tool_calls")
            json.bool(false)
        }
    }

    // MARK: Thinking and the answer's form

    /// `effort` where it is given; else a budget is put into words. Thinking without either is the model's own affair.
    private mutating func writeReasoning(_ root: JSONValue) {
        let thinking = root["thinking"]
        if thinking?["type"]?.equals("disabled") == true { return }
        var effort = root["output_config"]?["effort"]?.string
        if effort == nil, let budget = thinking?["budget_tokens"]?.int {
            effort = budget < 2048 ? "low" : budget < 4096 ? "medium" : "high"
            report.adapt("thinking: as reasoning_effort \(effort ?? "")")
        }
        guard var effort else { return }
        if target.isOpenAI, effort == "max" {
            effort = "xhigh"
            report.adapt("output_config.effort: xhigh, the most there is")
        }
        json.key("reasoning_effort")
        json.string(effort)
    }

    private mutating func writeFormat(_ root: JSONValue) {
        guard let format = root["output_config"]?["format"], let schema = format["schema"], schema.isObject else {
            return
        }
        json.key("response_format")
        json.beginObject()
        json.key("type")
        json.string("json_schema")
        json.key("json_schema")
        json.beginObject()
        json.key("name")
        json.string("answer")
        json.key("strict")
        json.bool(true)
        json.key("schema")
        json.value(schema)
        json.endObject()
        json.endObject()
    }

    // MARK: Who asks

    /// OpenAI refuses a longer one.
    private static let userBytesMax = 64

    private mutating func writeUser(_ root: JSONValue) {
        guard let user = root["metadata"]?["user_id"]?.string, !user.isEmpty else { return }
        if target.isOpenAI, user.utf8.count > Self.userBytesMax { return report.lose("metadata.user_id") }
        json.key("user")
        json.string(user)
    }

    private mutating func writeServiceTier(_ root: JSONValue) {
        guard let tier = root["service_tier"], tier.isString else { return }
        json.key("service_tier")
        if tier.equals("standard_only") { json.string("default") } else { json.value(tier) }
    }

    // MARK: Losses

    private static let known: Set<String> = [
        "model", "messages", "system", "max_tokens", "stream", "temperature", "top_p", "top_k", "stop_sequences",
        "tools",
        "tool_choice", "thinking", "output_config", "metadata", "service_tier", "cache_control",
    ]

    private mutating func reportLosses(_ root: JSONValue) {
        var members = root.members
        while let member = members.next() {
            guard !member.value.isNull, let name = member.key.string, !Self.known.contains(name) else { continue }
            if member.value.isArray || member.value.isObject, member.value.count == 0 { continue }
            report.lose(name)
        }
    }
}
