internal import SluiceCore
internal import SluiceJSON

/// `toolConfig`: there must be one whenever the history has calls or results (section 2 of the sheet).
extension ConverseEncoder {
    mutating func writeTools(_ request: borrowing ChatRequest) {
        let isForbidden = request.toolChoice == .none
        if isForbidden, !hasToolBlocks, !usesAnswerTool { return }
        let text = ByteBuffer(capacity: 512)
        var list = JSONWriter(into: text)
        list.beginArray()
        let hasFunctions = writeFunctions(request, &list)
        if !hasFunctions, hasToolBlocks {
            for name in calledNames.isEmpty ? ["tool"] : calledNames { Self.writeTool(name, &list) }
            report.adapt("tools: those of the history")
        }
        if usesAnswerTool { writeAnswerTool(request, &list) }
        list.endArray()
        if text.count <= 2 { return lose(request) }
        json.key("toolConfig")
        json.beginObject()
        json.key("tools")
        json.raw(text.span)
        if isForbidden, hasFunctions {
            report.lose("tool_choice")
        } else {
            writeChoice(request, hasFunctions: hasFunctions)
        }
        json.endObject()
    }

    /// A choice among no functions.
    mutating func lose(_ request: borrowing ChatRequest) {
        switch request.toolChoice {
        case .required, .function: report.lose("tool_choice")
        case .unspecified, .automatic, .none: break
        }
    }

    private mutating func writeFunctions(_ request: borrowing ChatRequest, _ list: inout JSONWriter) -> Bool {
        var tools = request.tools
        var index = 0
        var hasFunctions = false
        while let value = tools.next() {
            defer { index += 1 }
            let tool = ChatTool(value)
            guard tool.isFunction, let name = tool.name, name.isString else {
                report.lose("tools[\(index)]")
                continue
            }
            hasFunctions = true
            list.beginObject()
            list.key("toolSpec")
            list.beginObject()
            list.key("name")
            list.value(name)
            if let description = tool.description, description.isString, !description.equals("") {
                list.key("description")
                list.value(description)
            }
            list.key("inputSchema")
            list.beginObject()
            list.key("json")
            if let parameters = tool.parameters { list.value(parameters) } else { Self.writeEmptySchema(&list) }
            list.endObject()
            if tool.isStrict {
                list.key("strict")
                list.bool(true)
            }
            list.endObject()
            list.endObject()
        }
        return hasFunctions
    }

    private static func writeEmptySchema(_ list: inout JSONWriter) {
        list.object { json in
            json.key("type")
            json.string("object")
            json.key("properties")
            json.object { _ in }
        }
    }

    private static func writeTool(_ name: String, _ list: inout JSONWriter) {
        list.object { json in
            json.key("toolSpec")
            json.object { json in
                json.key("name")
                json.string(name)
                json.key("inputSchema")
                json.object { json in
                    json.key("json")
                    writeEmptySchema(&json)
                }
            }
        }
    }

    private func writeAnswerTool(_ request: borrowing ChatRequest, _ list: inout JSONWriter) {
        list.beginObject()
        list.key("toolSpec")
        list.beginObject()
        list.key("name")
        list.string(Self.answerTool)
        list.key("description")
        list.string("Return the answer in this structure.")
        list.key("inputSchema")
        list.beginObject()
        list.key("json")
        if let schema = request.jsonSchema?["schema"], schema.isObject {
            list.value(schema)
        } else {
            Self.writeEmptySchema(&list)
        }
        list.endObject()
        list.endObject()
        list.endObject()
    }

    private mutating func writeChoice(_ request: borrowing ChatRequest, hasFunctions: Bool) {
        if usesAnswerTool {
            // With functions beside it, one of them may be called first.
            return hasFunctions ? writeChoice("any", name: nil) : writeChoice("tool", name: "\(Self.answerTool)")
        }
        switch request.toolChoice {
        case .unspecified, .none: break
        case .automatic:
            if request["tool_choice"]?.isString == true {
                writeChoice("auto", name: nil)
            } else {
                report.lose("tool_choice")
            }
        case .required, .function:
            if !capabilities.forcedTools || thinks && family == .claude {
                report.lose("tool_choice")
            } else if case .function(let name) = request.toolChoice {
                writeChoice("tool", name: name)
            } else {
                writeChoice("any", name: nil)
            }
        }
    }

    private mutating func writeChoice(_ kind: StaticString, name: String?) {
        json.key("toolChoice")
        json.object { json in
            json.key(kind)
            json.object { json in
                if let name {
                    json.key("name")
                    json.string(name)
                }
            }
        }
    }
}
