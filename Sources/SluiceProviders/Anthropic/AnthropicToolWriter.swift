internal import SluiceCore
internal import SluiceJSON

/// Writes `tools` (section 5 of the Anthropic sheet).
struct AnthropicToolWriter {
    var json: JSONWriter
    var report: FieldReport
    private(set) var count = 0
    private var isOpen = false

    init(_ json: JSONWriter, _ report: FieldReport) {
        self.json = json
        self.report = report
    }

    static let missingSchema = EncodingRefusal(
        "response_format.json_schema.schema", "The response format has no schema.")

    /// - Parameter allowed: names of the functions that may be called; `nil`: all.
    mutating func write(_ request: borrowing ChatRequest, allowed: Set<String>?) throws(EncodingRefusal) {
        var index = -1
        var tools = request.tools
        while let value = tools.next() {
            index += 1
            let tool = ChatTool(value)
            if tool.isFunction {
                if let allowed, !allowed.contains(tool.name?.string ?? "") { continue }
                write(value)
            } else if isOwn(value) {
                open()
                json.value(value)
            } else {
                report.lose("tools[\(index)]")
            }
        }
    }

    mutating func end() { if isOpen { json.endArray() } }

    private mutating func open() {
        count += 1
        if isOpen { return }
        isOpen = true
        json.key("tools")
        json.beginArray()
    }

    /// Whether the application put a tool in Anthropic's own words.
    private func isOwn(_ tool: JSONValue) -> Bool {
        if tool["input_schema"]?.isObject == true { return true }
        guard let type = tool["type"]?.string, tool["name"]?.isString == true else { return false }
        // Those that run at Anthropic have a type with a date: `web_search_20250305`.
        return type.utf8.suffix(8).count(where: \.isDecimalDigit) == 8
    }

    private mutating func write(_ value: JSONValue) {
        let tool = ChatTool(value)
        open()
        json.beginObject()
        json.key("name")
        if let name = tool.name, name.isString { json.value(name) } else { json.string("") }
        if let description = tool.description, description.isString, !description.isBlankString {
            json.key("description")
            json.value(description)
        }
        json.key("input_schema")
        writeSchema(tool.parameters, isStrict: tool.isStrict)
        if tool.isStrict {
            json.key("strict")
            json.bool(true)
        }
        for name in ["cache_control", "eager_input_streaming"] as [StaticString] {
            if let own = value[name], !own.isNull {
                json.key(name)
                json.value(own)
            } else if let own = value["function"]?[name], !own.isNull {
                json.key(name)
                json.value(own)
            }
        }
        json.endObject()
    }

    /// The schema must say that it is an object's.
    private mutating func writeSchema(_ schema: JSONValue?, isStrict: Bool) {
        guard let schema else {
            return json.object { json in
                json.key("type")
                json.string("object")
                json.key("properties")
                json.object { _ in }
            }
        }
        if isStrict {
            if AnthropicSchema.write(schema, &json) { report.adapt("tools: limits as descriptions") }
            return
        }
        if schema["type"]?.equals("object") == true { return json.value(schema) }
        json.beginObject()
        json.key("type")
        json.string("object")
        var members = schema.members
        while let member = members.next() {
            if member.isNamed("type") { continue }
            guard let key = member.key.string else { continue }
            json.key(key.utf8Span.span)
            json.value(member.value)
        }
        json.endObject()
    }

    /// The tool whose input is the answer.
    mutating func writeAnswerTool(_ request: borrowing ChatRequest) throws(EncodingRefusal) {
        guard let schema = request.jsonSchema?["schema"], schema.isObject else { throw Self.missingSchema }
        open()
        json.beginObject()
        json.key("name")
        json.string(AnthropicDialect.answerTool)
        json.key("description")
        json.string("Gives the answer to the user. Its input is the answer.")
        json.key("input_schema")
        writeSchema(schema, isStrict: false)
        json.endObject()
    }
}
