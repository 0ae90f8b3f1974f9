internal import SluiceCore
internal import SluiceJSON

/// The results of tools, in messages of the user.
extension ConverseEncoder {
    mutating func writeResult(_ message: borrowing ChatMessage, _ index: Int) throws(EncodingRefusal) {
        guard let id = message.toolCallID, id.isString else {
            throw EncodingRefusal("messages[\(index)].tool_call_id", "A tool's message must say which call it answers.")
        }
        hasToolBlocks = true
        open(isUser: true)
        json.beginObject()
        json.key("toolResult")
        json.beginObject()
        json.key("toolUseId")
        json.string(Self.toolUseID(id))
        json.key("content")
        json.beginArray()
        let start = body.count
        try writeResultContent(message, index)
        if body.count == start { writeText("(no output)") }
        json.endArray()
        json.key("status")
        json.string("success")
        json.endObject()
        json.endObject()
    }

    private mutating func writeResultContent(_ message: borrowing ChatMessage, _ index: Int) throws(EncodingRefusal) {
        guard let content = message.content else { return }
        if content.isString { return Self.writeBlock(content, &json) }
        var out = json
        let hadDocument = hasDocument
        var parts = content.elements
        var position = 0
        while let value = parts.next() {
            let part = ChatPart(value)
            let path = "messages[\(index)].content[\(position)]"
            if let text = part.text {
                Self.writeBlock(text, &out)
            } else if part.kind == .image {
                try writeImage(part, path, &out)
            } else if part.kind == .file {
                try writeDocument(part, path, &out)
            } else {
                report.lose(path)
            }
            position += 1
        }
        json = out
        hasDocument = hadDocument
    }
}
