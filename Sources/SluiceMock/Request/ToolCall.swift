internal import SluiceCore
internal import SluiceJSON

/// A tool that a request offers, and what the mock calls it with.
struct ToolCall {
    let name: String
    /// Of a function its arguments as JSON text, of a custom tool its input.
    let arguments: [UInt8]
    let isCustom: Bool
}

/// Which tools a request wants called. Chat completions nest a function's members, responses have them flat.
enum ToolChoice {
    /// - Parameter isFlat: as responses have it.
    /// - Returns: none if the answer is to be text.
    static func calls(_ root: JSONValue, _ behaviour: Behaviour, isFlat: Bool) throws(APIError) -> [ToolCall] {
        guard let tools = root["tools"], !tools.isNull else { return [] }
        guard tools.isArray else { throw .invalidType("tools", expected: "an array of objects") }
        var named: String?
        if let choice = root["tool_choice"] {
            if choice.equals("none") { return [] }
            if choice.isObject { named = try name(of: choice, isFlat: isFlat) }
        }
        var offered: [ToolCall] = []
        var elements = tools.elements
        while let tool = elements.next() {
            guard let call = try call(tool, behaviour, isFlat: isFlat) else { continue }
            if named == nil || call.name == named { offered.append(call) }
        }
        if let named, offered.isEmpty {
            throw .invalidValue("tool_choice", "the tool '\(named)' is not among 'tools'")
        }
        if offered.isEmpty { return [] }
        let isParallel = root["parallel_tool_calls"]?.bool ?? true
        let count = min(behaviour.toolCalls, isParallel ? behaviour.toolCalls : 1)
        return (0..<count).map { offered[$0 % offered.count] }
    }

    private static func name(of choice: JSONValue, isFlat: Bool) throws(APIError) -> String? {
        // Of a list of allowed tools the first one is chosen.
        if choice["type"]?.equals("allowed_tools") == true {
            let tools = isFlat ? choice["tools"] : choice["allowed_tools"]?["tools"]
            guard let first = tools?[0] else { throw .missing("tool_choice.tools") }
            return try name(of: first, isFlat: isFlat)
        }
        if isFlat { return choice["name"]?.string }
        guard let name = choice.either("function", "custom")?["name"]?.string else {
            throw .missing("tool_choice.function.name")
        }
        return name
    }

    /// - Returns: `nil` for a tool that the provider itself would run.
    private static func call(_ tool: JSONValue, _ behaviour: Behaviour, isFlat: Bool) throws(APIError) -> ToolCall? {
        guard let type = tool["type"], type.isString else { throw .missing("tools[0].type") }
        let isCustom = type.equals("custom")
        if !isCustom, !type.equals("function") {
            if isFlat { return nil }
            throw .invalidValue("tools[0].type", "supported values are 'function' and 'custom'")
        }
        guard let description = isFlat ? tool : isCustom ? tool["custom"] : tool["function"] else {
            throw .missing(isCustom ? "tools[0].custom" : "tools[0].function")
        }
        guard let name = description["name"]?.string, !name.isEmpty else { throw .missing("tools[0].function.name") }
        return ToolCall(
            name: name, arguments: arguments(description, behaviour, isCustom: isCustom), isCustom: isCustom)
    }

    private static func arguments(_ description: JSONValue, _ behaviour: Behaviour, isCustom: Bool) -> [UInt8] {
        if let arguments = behaviour.arguments { return Array(arguments.utf8) }
        if isCustom { return Array("text".utf8) }
        guard let parameters = description["parameters"], parameters.isObject else { return Array("{}".utf8) }
        return SchemaInstance.text(parameters)
    }
}
