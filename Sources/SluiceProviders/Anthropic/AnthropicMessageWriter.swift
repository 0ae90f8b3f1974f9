internal import SluiceCore
internal import SluiceJSON

/// Writes `system` and `messages` (sections 4 and 10 of the Anthropic sheet).
///
/// Messages of one role that follow each other become one turn, so that the results of all calls stand together, before what the
/// user says next.
struct AnthropicMessageWriter {
    enum Turn { case user, assistant }

    let capabilities: Capabilities
    var json: JSONWriter
    var report: FieldReport
    private var turn: Turn?
    /// For results that do not name their call (OpenAI's older `function` messages).
    var lastCallID = "call_0"
    let tape = JSONTape()

    init(_ capabilities: Capabilities, _ json: JSONWriter, _ report: FieldReport) {
        self.capabilities = capabilities
        self.json = json
        self.report = report
    }

    // MARK: System

    mutating func writeSystem(
        _ request: borrowing ChatRequest, _ instructions: [StaticString]
    ) throws(EncodingRefusal) {
        var isOpen = false
        var isPastStart = false
        var index = -1
        var messages = request.messages
        while let value = messages.next() {
            index += 1
            let message = ChatMessage(value)
            if message.role != .system {
                isPastStart = true
                continue
            }
            if isPastStart { report.adapt("messages[\(index)]: a system message, put before all others") }
            guard let content = message.content else { continue }
            if content.isString {
                writeSystem(content, of: value, &isOpen)
                continue
            }
            var parts = content.elements
            var place = -1
            while let part = parts.next() {
                place += 1
                if let text = ChatPart(part).text, text.isString {
                    writeSystem(text, of: part, &isOpen)
                } else {
                    report.lose("messages[\(index)].content[\(place)]")
                }
            }
        }
        for instruction in instructions {
            openSystem(&isOpen)
            json.object { json in
                json.key("type")
                json.string("text")
                json.key("text")
                json.string(instruction)
            }
        }
        if isOpen { json.endArray() }
    }

    mutating func openSystem(_ isOpen: inout Bool) {
        if isOpen { return }
        isOpen = true
        json.key("system")
        json.beginArray()
    }

    mutating func writeSystem(_ text: JSONValue, of holder: JSONValue, _ isOpen: inout Bool) {
        if text.isBlankString { return }
        openSystem(&isOpen)
        writeText(text, of: holder)
    }

    // MARK: Messages

    mutating func writeMessages(_ request: borrowing ChatRequest) throws(EncodingRefusal) {
        json.key("messages")
        json.beginArray()
        let count = request.root["messages"]?.count ?? 0
        var index = -1
        var messages = request.messages
        while let value = messages.next() {
            index += 1
            let message = ChatMessage(value)
            if value["name"]?.isString == true, message.role != .tool { report.lose("messages[\(index)].name") }
            switch message.role {
            case .system: continue
            case .user: try writeUser(value, index)
            case .assistant: try writeAssistant(value, index, isLast: index == count - 1)
            case .tool: try writeResult(value, index)
            case .unknown:
                throw EncodingRefusal(
                    "messages[\(index)].role", "The role must be system, developer, user, assistant or tool.")
            }
        }
        closeTurn()
        json.endArray()
    }

    mutating func open(_ wanted: Turn) {
        if turn == wanted { return }
        closeTurn()
        turn = wanted
        json.beginObject()
        json.key("role")
        if wanted == .user { json.string("user") } else { json.string("assistant") }
        json.key("content")
        json.beginArray()
    }

    mutating func closeTurn() {
        if turn == nil { return }
        turn = nil
        json.endArray()
        json.endObject()
    }

    mutating func writeUser(_ value: JSONValue, _ index: Int) throws(EncodingRefusal) {
        guard let content = ChatMessage(value).content else { return }
        if content.isString {
            if content.isBlankString { return }
            open(.user)
            return writeText(content, of: value)
        }
        var parts = content.elements
        var place = -1
        while let part = parts.next() {
            place += 1
            if ChatPart(part).text?.isBlankString == true { continue }
            open(.user)
            try writePart(part, "messages[\(index)].content[\(place)]")
        }
    }

    // MARK: What tools said

    mutating func writeResult(_ value: JSONValue, _ index: Int) throws(EncodingRefusal) {
        open(.user)
        json.beginObject()
        json.key("type")
        json.string("tool_result")
        json.key("tool_use_id")
        json.string(value["tool_call_id"]?.string.map(Self.cleaned) ?? lastCallID)
        if let content = ChatMessage(value).content {
            json.key("content")
            json.beginArray()
            if content.isString {
                if !content.isBlankString { writeText(content, of: content) }
            } else {
                var parts = content.elements
                var place = -1
                while let part = parts.next() {
                    place += 1
                    if ChatPart(part).text?.isBlankString == true { continue }
                    try writePart(part, "messages[\(index)].content[\(place)]")
                }
            }
            json.endArray()
        }
        if value["is_error"]?.bool == true {
            json.key("is_error")
            json.bool(true)
        }
        copy(["cache_control"], of: value)
        json.endObject()
    }

    // MARK: Parts

    mutating func writePart(_ part: JSONValue, _ path: String) throws(EncodingRefusal) {
        let view = ChatPart(part)
        if let text = view.text, text.isString { return writeText(text, of: part) }
        var writer = AnthropicMediaWriter(capabilities, json)
        switch view.kind {
        case .image:
            try writer.writeImage(view.imageURL, of: part, path)
            if let detail = part["image_url"]?["detail"], !detail.equals("auto") {
                report.lose(path + ".image_url.detail")
            }
        case .file: try writer.writeFile(part, path)
        case .audio: throw EncodingRefusal(path + ".input_audio", "Anthropic's models do not listen to audio.")
        case .text, .refusal, .unknown:
            // A block in Anthropic's own words.
            guard part["source"]?.isObject == true || part["type"]?.equals("search_result") == true else {
                throw EncodingRefusal(
                    path, "This kind of content is not known: \(part["type"]?.string ?? "it has no type").")
            }
            json.value(part)
            return
        }
        json = writer.json
    }

    /// A block of text, with what Anthropic's own fields say at its holder: the part, or the message whose content is a string.
    mutating func writeText(_ text: JSONValue, of holder: JSONValue, trimmingEnd: Bool = false) {
        json.beginObject()
        json.key("type")
        json.string("text")
        json.key("text")
        if trimmingEnd, var said = text.string {
            // A text that the model is to continue must not end in white space.
            while let last = said.unicodeScalars.last, last.properties.isWhitespace { said.unicodeScalars.removeLast() }
            json.string(said)
        } else {
            json.value(text)
        }
        copy(["cache_control", "citations"], of: holder)
        json.endObject()
    }

    mutating func copy(_ names: [StaticString], of holder: JSONValue) {
        for name in names {
            guard let value = holder[name], !value.isNull else { continue }
            json.key(name)
            json.value(value)
        }
    }
}
