internal import SluiceCore
internal import SluiceJSON

/// The results of tools: all of a turn in one content, in the order of its calls (section 2 of the sheet, "Turn rules").
extension GeminiEncoder {
    /// Keeps a result until all of its turn are there: without names for the calls, their order says which is which.
    mutating func takeResult(_ message: borrowing ChatMessage, _ index: Int) throws(EncodingRefusal) {
        let id = message.toolCallID?.string
        let call = id.flatMap { calls[$0] }
        guard let name = call?.name ?? message.value["name"]?.string else {
            throw EncodingRefusal(
                "messages[\(index)].tool_call_id", "No earlier message has a tool call with the id \"\(id ?? "")\".")
        }
        let start = results.count
        var part = JSONWriter(into: results)
        part.beginObject()
        part.key("functionResponse")
        part.beginObject()
        if let id, call?.sendsID == true {
            part.key("id")
            part.string(id)
        }
        part.key("name")
        part.string(name)
        part.key("response")
        writeOutput(message, &part)
        try writeOutputImages(message, index, &part)
        part.endObject()
        part.endObject()
        let place = call.map { $0.turn == turn ? $0.place : .max } ?? .max
        resultParts.append((place, start..<results.count))
    }

    /// An object is the response itself; everything else is its `output`.
    private func writeOutput(_ message: borrowing ChatMessage, _ part: inout JSONWriter) {
        guard let content = message.content else {
            return part.object { json in
                json.key("output")
                json.string("")
            }
        }
        if content.isObject || content.isString && Self.looksLikeObject(content), embedded.writeObject(content, &part) {
            return
        }
        part.beginObject()
        part.key("output")
        part.beginString()
        if content.isString { part.appendToString(contentsOf: content) }
        var parts = content.elements
        while let piece = parts.next() { if let text = ChatPart(piece).text { part.appendToString(contentsOf: text) } }
        part.endString()
        part.endObject()
    }

    private static func looksLikeObject(_ content: JSONValue) -> Bool {
        guard let text = content.escapedBytes else { return false }
        for index in text.indices where text[index] != ASCII.space {
            return text[index] == UInt8(ascii: "{") || text[index] == UInt8(ascii: "\\")
        }
        return false
    }

    /// Images within a result, from Gemini 3 on.
    private mutating func writeOutputImages(
        _ message: borrowing ChatMessage, _ index: Int, _ part: inout JSONWriter
    ) throws(EncodingRefusal) {
        guard let content = message.content, content.isArray else { return }
        var hasParts = false
        var pieces = content.elements
        var position = 0
        while let value = pieces.next() {
            defer { position += 1 }
            let piece = ChatPart(value)
            if piece.text != nil { continue }
            let path = "messages[\(index)].content[\(position)]"
            guard piece.kind == .image, isGemini3, let url = piece.imageURL else {
                report.lose(path)
                continue
            }
            if !hasParts {
                part.key("parts")
                part.beginArray()
                hasParts = true
            }
            try writeMedia(url, path, type: nil, detail: nil, &part)
        }
        if hasParts { part.endArray() }
    }

    /// Writes what was kept, in the order of the calls.
    mutating func writeResults() {
        if resultParts.isEmpty { return }
        let results = results
        open(.user)
        var isInOrder = true
        for index in resultParts.indices.dropFirst() where resultParts[index].place < resultParts[index - 1].place {
            isInOrder = false
        }
        if !isInOrder {
            let places = resultParts.enumerated().sorted {
                ($0.element.place, $0.offset) < ($1.element.place, $1.offset)
            }
            resultParts = places.map(\.element)
        }
        for part in resultParts { json.raw(results.span.extracting(part.range)) }
        resultParts.removeAll()
        results.removeAll()
    }
}
