internal import SluiceCore
internal import SluiceJSON

/// `tools` and `toolConfig` (section 3 of the sheet).
extension GeminiEncoder {
    /// Tools of Google's own, by their names in requests.
    private static let builtIn: [StaticString] = [
        "googleSearch", "google_search", "googleSearchRetrieval", "google_search_retrieval", "codeExecution",
        "code_execution",
        "urlContext", "url_context", "googleMaps", "google_maps", "computerUse", "computer_use", "fileSearch",
        "file_search",
    ]

    mutating func writeTools(_ request: borrowing ChatRequest) {
        let searches = request["web_search_options"] != nil
        if !request.hasTools, !searches { return lose(request) }
        let declarations = ByteBuffer(capacity: 512)
        var list = JSONWriter(into: declarations)
        var functionCount = 0
        json.key("tools")
        json.beginArray()
        list.beginArray()
        var tools = request.tools
        var index = 0
        while let value = tools.next() {
            let tool = ChatTool(value)
            if tool.isFunction, let name = tool.name, name.isString {
                writeFunction(tool, name, index, &list)
                functionCount += 1
            } else if Self.isBuiltIn(value) {
                json.value(value)
            } else {
                report.lose("tools[\(index)]")
            }
            index += 1
        }
        list.endArray()
        if searches {
            json.object { json in
                json.key("googleSearch")
                json.object { _ in }
            }
        }
        if functionCount > 0 {
            json.beginObject()
            json.key("functionDeclarations")
            json.raw(declarations.span)
            json.endObject()
        }
        json.endArray()
        if functionCount > 0 { writeChoice(request) } else { lose(request) }
        if !request.allowsParallelTools { report.lose("parallel_tool_calls") }
    }

    /// A choice among no functions.
    mutating func lose(_ request: borrowing ChatRequest) {
        switch request.toolChoice {
        case .required, .function: report.lose("tool_choice")
        case .unspecified, .automatic, .none: break
        }
    }

    private static func isBuiltIn(_ tool: JSONValue) -> Bool {
        for name in builtIn where tool[name]?.isObject == true { return true }
        return false
    }

    private mutating func writeFunction(
        _ tool: borrowing ChatTool, _ name: JSONValue, _ index: Int, _ list: inout JSONWriter
    ) {
        list.beginObject()
        list.key("name")
        list.value(name)
        if let description = tool.description, description.isString, !description.equals("") {
            list.key("description")
            list.value(description)
        }
        if let parameters = tool.parameters, Self.hasParameters(parameters) {
            var converter = GeminiSchema(parameters)
            let text = ByteBuffer(capacity: 256)
            let isExact = converter.write(into: text)
            if isExact || capabilities.reasoning == .none {
                list.key("parameters")
                list.raw(text.span)
                if !isExact { report.adapt("tools[\(index)].function.parameters: simplified") }
            } else {
                // What the subset cannot say, models from 2.5 on read as JSON Schema.
                list.key("parametersJsonSchema")
                list.value(parameters)
            }
        }
        list.endObject()
        if tool.isStrict { report.lose("tools[\(index)].function.strict") }
    }

    /// An object schema without properties has been refused: such a function is declared without parameters.
    private static func hasParameters(_ schema: JSONValue) -> Bool {
        if let properties = schema["properties"] { return properties.count > 0 }
        return schema["$ref"] != nil || schema["anyOf"] != nil || schema["oneOf"] != nil || schema["allOf"] != nil
            || schema["additionalProperties"]?.isObject == true
    }

    private mutating func writeChoice(_ request: borrowing ChatRequest) {
        let choice = request.toolChoice
        if choice == .unspecified { return }
        let allowed = request["tool_choice"]?["allowed_tools"]
        var isForced = allowed?["mode"]?.equals("required") == true
        var mode: StaticString = choice == .none ? "NONE" : allowed == nil ? "AUTO" : "VALIDATED"
        if case .function = choice { isForced = true }
        if choice == .required { isForced = true }
        if isForced, capabilities.forcedTools { mode = "ANY" }
        if isForced, !capabilities.forcedTools { report.lose("tool_choice") }
        json.key("toolConfig")
        json.beginObject()
        json.key("functionCallingConfig")
        json.beginObject()
        json.key("mode")
        json.string(mode)
        if case .function(let name) = choice, capabilities.forcedTools {
            json.key("allowedFunctionNames")
            json.array { $0.string(name) }
        } else if let tools = allowed?["tools"] {
            json.key("allowedFunctionNames")
            json.beginArray()
            var elements = tools.elements
            while let tool = elements.next() { if let name = ChatTool(tool).name, name.isString { json.value(name) } }
            json.endArray()
        }
        json.endObject()
        json.endObject()
    }
}
