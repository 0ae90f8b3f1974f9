internal import SluiceJSON

extension ChatRequest {
    /// Calls `body` with each tool that is a function with a name; others are reported as lost.
    ///
    /// - Returns: the names, in the order of the request.
    func forEachFunction(_ report: inout FieldReport, _ body: (ChatTool) -> Void) -> [String] {
        var names: [String] = []
        var index = 0
        var tools = tools
        while let value = tools.next() {
            let tool = ChatTool(value)
            if tool.isFunction, let name = tool.name?.string {
                names.append(name)
                body(tool)
            } else {
                report.lose("tools[\(index)]")
            }
            index += 1
        }
        return names
    }
}

extension ChatTool {
    /// Writes it as platforms have it that want each of `name`, `description` and `parameters`.
    func writeFunction(_ json: inout JSONWriter) {
        json.beginObject()
        json.key("name")
        if let name { json.value(name) } else { json.string("") }
        json.key("description")
        if let description, description.isString { json.value(description) } else { json.string("") }
        json.key("parameters")
        if let parameters {
            json.value(parameters)
        } else {
            json.raw(#"{"type":"object","properties":{}}"#.utf8Span.span)
        }
        json.endObject()
    }
}
