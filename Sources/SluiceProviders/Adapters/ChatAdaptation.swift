package import SluiceCore
package import SluiceJSON

/// Rewrites a chat request so that a model can take it that lacks something: still in OpenAI's form, before the provider's own
/// dialect is written. What is changed and what is lost is reported.
package struct ChatAdaptation {
    private let capabilities: Capabilities
    /// Whether a reply may have several choices.
    private let takesChoices: Bool
    private var edits = JSONEdits()
    private var instruction: String?
    /// The tool whose arguments are the answer, if the answer's form is forced by one.
    package private(set) var answerTool: String?

    /// - Parameter takesChoices: whether `n` may be more than 1.
    package init(_ capabilities: Capabilities, takesChoices: Bool) {
        self.capabilities = capabilities
        self.takesChoices = takesChoices
    }

    /// - Parameter root: an object with `messages`.
    /// - Returns: the request to go on with; `nil` if it can stay as it is.
    /// - Throws: what cannot be said to such a model at all.
    package mutating func adapt(_ root: JSONValue, _ report: inout FieldReport) throws(EncodingRefusal) -> ByteBuffer? {
        adaptTools(root, &report)
        adaptFormat(root, &report)
        adaptNumbers(root, &report)
        try adaptMessages(root, &report)
        if edits.isEmpty { return nil }
        let body = ByteBuffer(capacity: root.rawBytes.count + 512)
        edits.splices(over: root).append(to: body, from: root.documentBytes)
        return body
    }

    // MARK: Tools

    private mutating func adaptTools(_ root: JSONValue, _ report: inout FieldReport) {
        let hasTools = (root["tools"]?.count ?? 0) > 0
        if !hasTools || !capabilities.tools {
            if hasTools { report.lose("tools") }
            // An empty list is refused by some, and a choice without tools too.
            for field in ["tools", "tool_choice", "parallel_tool_calls"] { remove(field, from: root) }
            return
        }
        if !capabilities.forcedTools, let choice = root["tool_choice"], choice.isObject || choice.equals("required") {
            edits.set("tool_choice", in: root) { $0.string("auto" as StaticString) }
            report.lose("tool_choice")
        }
        if !capabilities.parallelTools { remove("parallel_tool_calls", from: root) }
    }

    private mutating func remove(_ field: String, from root: JSONValue) {
        if root[key: field.utf8Span.span] != nil { edits.remove(key: field.utf8Span.span, from: root) }
    }

    private mutating func lose(_ field: String, from root: JSONValue, _ report: inout FieldReport) {
        guard let value = root[key: field.utf8Span.span] else { return }
        edits.remove(key: field.utf8Span.span, from: root)
        if !FieldReport.holdsAnyway(field, value) { report.lose(field) }
    }

    // MARK: The answer's form

    private mutating func adaptFormat(_ root: JSONValue, _ report: inout FieldReport) {
        guard let format = root["response_format"], let type = format["type"] else { return }
        if type.equals("json_object"), !capabilities.jsonObject {
            edits.remove("response_format", from: root)
            instruction = "Answer with a JSON object and nothing else."
            report.adapt("response_format: by an instruction")
        } else if type.equals("json_schema"), !capabilities.jsonSchema {
            adaptSchema(format, root, &report)
        }
    }

    private mutating func adaptSchema(_ format: JSONValue, _ root: JSONValue, _ report: inout FieldReport) {
        guard let schema = format["json_schema"]?["schema"], schema.isObject else {
            edits.remove("response_format", from: root)
            return report.lose("response_format")
        }
        let hasTools = (root["tools"]?.count ?? 0) > 0
        if capabilities.forcedTools, !hasTools {
            let name = Self.toolName(format["json_schema"]?["name"]?.string)
            answerTool = name
            forceTool(name, schema, root)
            return report.adapt("response_format: by a forced tool")
        }
        instruction =
            "Answer with a JSON value and nothing else. It must be valid against this JSON schema: "
            + String(decoding: schema.rawBytes)
        if capabilities.jsonObject {
            edits.set("response_format", in: root) { json in
                json.object { json in
                    json.key("type")
                    json.string("json_object")
                }
            }
        } else {
            edits.remove("response_format", from: root)
        }
        report.adapt("response_format: by an instruction")
    }

    private mutating func forceTool(_ name: String, _ schema: JSONValue, _ root: JSONValue) {
        edits.remove("response_format", from: root)
        edits.set("tools", in: root) { json in
            json.array { json in
                json.object { json in
                    json.key("type")
                    json.string("function")
                    json.key("function")
                    json.object { json in
                        json.key("name")
                        json.string(name)
                        json.key("description")
                        json.string("Gives the answer.")
                        json.key("parameters")
                        json.value(schema)
                    }
                }
            }
        }
        edits.set("tool_choice", in: root) { json in
            json.object { json in
                json.key("type")
                json.string("function")
                json.key("function")
                json.object { json in
                    json.key("name")
                    json.string(name)
                }
            }
        }
    }

    private static func toolName(_ name: String?) -> String {
        guard let name, 1...64 ~= name.utf8.count,
            name.utf8.allSatisfy({
                $0.isASCIILetter || $0.isDecimalDigit || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-")
            })
        else { return "answer" }
        return name
    }

    // MARK: Numbers

    private mutating func adaptNumbers(_ root: JSONValue, _ report: inout FieldReport) {
        if !takesChoices { lose("n", from: root, &report) }
        if !capabilities.sampling {
            for field in ["temperature", "top_p", "presence_penalty", "frequency_penalty"] {
                lose(field, from: root, &report)
            }
        }
        if capabilities.reasoning == .none {
            for field in ["reasoning_effort", "reasoning"] {
                guard let value = root[key: field.utf8Span.span] else { continue }
                edits.remove(key: field.utf8Span.span, from: root)
                if !value.equals("none"), !value.isNull { report.lose(field) }
            }
        }
        guard let max = capabilities.outputTokensMax else { return }
        for field in ["max_tokens", "max_completion_tokens"] {
            guard let value = root[key: field.utf8Span.span], let wanted = value.double, wanted > Double(max) else {
                continue
            }
            edits.replace(value) { $0.int(max) }
            report.adapt("\(field): \(max)")
        }
    }

    // MARK: Messages

    private mutating func adaptMessages(_ root: JSONValue, _ report: inout FieldReport) throws(EncodingRefusal) {
        guard let messages = root["messages"], messages.isArray else { return }
        var rewriting = MessageRewriting(capabilities, instruction: instruction)
        try rewriting.rewrite(messages, &edits, &report)
    }
}
