internal import SluiceJSON

/// Results of tools: messages of their own, and pictures in a user's message after them.
extension ResponsesInputWriter {
    mutating func writeResults(_ first: JSONElements, _ index: Int, _ count: Int) throws(EncodingRefusal) {
        var others = 0
        var items = first
        for place in 0..<count {
            guard let item = items.next() else { break }
            others += try writeResult(item, index + place)
        }
        if others == 0 { return }
        report.adapt("input[\(index)]: what is no text in results of tools, put into a user's message")
        begin("user")
        json.beginArray()
        items = first
        for place in 0..<count {
            guard let item = items.next() else { break }
            var position = 0
            var parts = item.elements(of: "output")
            while let part = parts.next() {
                if Self.text(of: part) == nil { try writePart(part, index + place, position, of: "output") }
                position += 1
            }
        }
        json.endArray()
        json.endObject()
    }

    /// - Returns: how many parts of it a tool's message cannot carry.
    private mutating func writeResult(_ item: JSONValue, _ index: Int) throws(EncodingRefusal) -> Int {
        guard let id = item["call_id"], id.isString else {
            throw EncodingRefusal("input[\(index)].call_id", "The result does not say which call it answers.")
        }
        guard let output = item["output"], output.isString || output.isArray else {
            throw EncodingRefusal("input[\(index)].output", "The output must be a string or an array of parts.")
        }
        json.beginObject()
        json.key("role")
        json.string("tool")
        json.key("tool_call_id")
        json.value(id)
        json.key("content")
        var others = 0
        if output.isString {
            json.value(output)
        } else {
            json.beginString()
            var isFirst = true
            var parts = output.elements
            while let part = parts.next() {
                guard let text = Self.text(of: part) else {
                    others += 1
                    continue
                }
                if !isFirst { json.appendToString("\n".utf8Span.span) }
                isFirst = false
                json.appendToString(contentsOf: text)
            }
            json.endString()
        }
        json.endObject()
        return others
    }
}
