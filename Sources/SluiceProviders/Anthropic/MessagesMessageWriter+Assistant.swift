internal import SluiceCore
internal import SluiceJSON

/// What the model said in earlier turns.
extension MessagesMessageWriter {
    mutating func writeAssistant(_ content: JSONValue, _ index: Int) throws(EncodingRefusal) {
        if content.isString { return writeString(content, "assistant") }
        var texts = 0
        var calls = 0
        var thoughts = 0
        var place = -1
        var blocks = content.elements
        while let block = blocks.next() {
            place += 1
            guard let type = block["type"]?.unescapedBytes else { continue }
            if type.equals("text") {
                texts += 1
            } else if type.equals("tool_use") {
                calls += 1
            } else if type.equals("thinking") || type.equals("redacted_thinking") {
                thoughts += 1
            } else {
                report.lose("messages[\(index)].content[\(place)]")
            }
        }
        if texts + calls == 0 { return }
        begin("assistant")
        json.key("content")
        if texts == 0 { json.null() } else { writeSaid(content, texts) }
        if thoughts > 0 { writeThinking(content) }
        if calls > 0 { writeCalls(content) }
        json.endObject()
    }

    mutating func writeSaid(_ content: JSONValue, _ count: Int) {
        if target.isOpenAI || count == 1 && !hasCacheControl(content) {
            json.beginString()
            var blocks = content.elements
            while let block = blocks.next() {
                guard block["type"]?.equals("text") == true, let text = block["text"] else { continue }
                if block["cache_control"]?.isObject == true { report.lose("cache_control") }
                json.appendToString(contentsOf: text)
            }
            return json.endString()
        }
        json.beginArray()
        var blocks = content.elements
        while let block = blocks.next() {
            if block["type"]?.equals("text") == true, let text = block["text"], text.isString {
                writeText(text, of: block)
            }
        }
        json.endArray()
    }

    func hasCacheControl(_ content: JSONValue) -> Bool {
        var blocks = content.elements
        while let block = blocks.next() { if block["cache_control"]?.isObject == true { return true } }
        return false
    }

    /// Thinking without a seal came from a provider of OpenAI's dialect, some of which want it back in tool turns; sealed blocks go
    /// back to whoever sealed them.
    mutating func writeThinking(_ content: JSONValue) {
        var isOpen = false
        var isUnsealed = false
        var index = 0
        var blocks = content.elements
        while let block = blocks.next() {
            let isRedacted = block["type"]?.equals("redacted_thinking") == true
            guard isRedacted || block["type"]?.equals("thinking") == true else { continue }
            let seal = isRedacted ? block["data"] : block["signature"]
            guard let seal, let bytes = seal.escapedBytes, !bytes.isEmpty else {
                isUnsealed = true
                continue
            }
            if target.isOpenAI { continue }
            if !isOpen {
                isOpen = true
                json.key("reasoning_details")
                json.beginArray()
            }
            let (format, prefix) = ThinkingSeal.format(of: bytes)
            let sealed: ReplyText = .escaped(bytes.extracting(prefix...))
            if !isRedacted, let thinking = block["thinking"], let text = ReplyText(thinking) {
                ReasoningDetails.write(ReasoningBlock(format: format, text: text, seal: sealed), index: index, &json)
            } else {
                ReasoningDetails.write(ReasoningBlock(format: format, text: nil, seal: sealed), index: index, &json)
            }
            index += 1
        }
        if isOpen { json.endArray() }
        if isUnsealed { writeUnsealed(content) }
    }

    mutating func writeUnsealed(_ content: JSONValue) {
        json.key("reasoning_content")
        json.beginString()
        var blocks = content.elements
        while let block = blocks.next() {
            guard block["type"]?.equals("thinking") == true, let text = block["thinking"] else { continue }
            if block["signature"]?.equals("") != false { json.appendToString(contentsOf: text) }
        }
        json.endString()
    }

    mutating func writeCalls(_ content: JSONValue) {
        json.key("tool_calls")
        json.beginArray()
        var blocks = content.elements
        while let block = blocks.next() {
            guard block["type"]?.equals("tool_use") == true else { continue }
            json.beginObject()
            json.key("id")
            if let id = block["id"], id.isString { json.value(id) } else { json.string("") }
            json.key("type")
            json.string("function")
            json.key("function")
            json.beginObject()
            json.key("name")
            if let name = block["name"], name.isString { json.value(name) } else { json.string("") }
            json.key("arguments")
            if let input = block["input"], !input.isNull { json.string(input.rawBytes) } else { json.string("{}") }
            json.endObject()
            if let extra = block["extra_content"], extra.isObject {
                json.key("extra_content")
                json.value(extra)
            }
            json.endObject()
        }
        json.endArray()
    }
}
