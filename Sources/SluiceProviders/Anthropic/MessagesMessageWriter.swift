internal import SluiceCore
internal import SluiceJSON

/// Writes the messages of a Messages request as those of a chat request (section 13 of the Anthropic sheet).
struct MessagesMessageWriter {
    private let target: MessagesRequest.Target
    var json: JSONWriter
    var report: FieldReport

    init(_ target: MessagesRequest.Target, _ json: JSONWriter, _ report: FieldReport) {
        self.target = target
        self.json = json
        self.report = report
    }

    // MARK: System

    mutating func writeSystem(_ system: JSONValue?) {
        guard let system, !system.isNull, system.isString || system.count > 0 else { return }
        begin("system")
        json.key("content")
        if system.isString { json.value(system) } else { writeTexts(system) }
        json.endObject()
    }

    private mutating func begin(_ role: StaticString) {
        json.beginObject()
        json.key("role")
        json.string(role)
    }

    /// Blocks of text: as one string for OpenAI's dialect, which many servers know no other form of; as parts elsewhere, so that
    /// marks for the cache keep their places.
    private mutating func writeTexts(_ blocks: JSONValue) {
        if target.isOpenAI {
            json.beginString()
            var isFirst = true
            var elements = blocks.elements
            while let block = elements.next() {
                if block["cache_control"]?.isObject == true { report.lose("cache_control") }
                guard let text = block["text"], text.isString else { continue }
                if !isFirst { json.appendToString("\n".utf8Span.span) }
                isFirst = false
                json.appendToString(contentsOf: text)
            }
            return json.endString()
        }
        json.beginArray()
        var elements = blocks.elements
        while let block = elements.next() {
            if let text = block["text"], text.isString { writeText(text, of: block) }
        }
        json.endArray()
    }

    private mutating func writeText(_ text: JSONValue, of block: JSONValue) {
        json.beginObject()
        json.key("type")
        json.string("text")
        json.key("text")
        json.value(text)
        copyCacheControl(of: block)
        json.endObject()
    }

    private mutating func copyCacheControl(of block: JSONValue) {
        guard let control = block["cache_control"], !control.isNull else { return }
        if target.isOpenAI { return report.lose("cache_control") }
        json.key("cache_control")
        json.value(control)
    }

    // MARK: Messages

    mutating func writeMessages(_ root: JSONValue) throws(EncodingRefusal) {
        var index = -1
        var messages = root.elements(of: "messages")
        while let message = messages.next() {
            index += 1
            guard let content = message["content"], content.isString || content.isArray else {
                throw EncodingRefusal("messages[\(index)].content", "The content must be a string or an array of blocks.")
            }
            if message["role"]?.equals("user") == true {
                try writeUser(content, index)
            } else if message["role"]?.equals("assistant") == true {
                try writeAssistant(content, index)
            } else if message["role"]?.equals("system") == true {
                writeSystem(content)
            } else {
                throw EncodingRefusal("messages[\(index)].role", "The role must be user or assistant.")
            }
        }
    }

    // MARK: The user

    private mutating func writeUser(_ content: JSONValue, _ index: Int) throws(EncodingRefusal) {
        if content.isString { return writeString(content, "user") }
        var images = 0
        var others = 0
        var blocks = content.elements
        while let block = blocks.next() {
            if block["type"]?.equals("tool_result") == true { images += try writeResult(block, index) } else { others += 1 }
        }
        if others + images == 0 { return }
        begin("user")
        json.key("content")
        if others == 1, images == 0, content.count == 1, let block = content[0], let text = block["text"], text.isString,
            block["type"]?.equals("text") == true, target.isOpenAI || block["cache_control"] == nil
        {
            json.value(text)
            if block["cache_control"] != nil { report.lose("cache_control") }
        } else {
            json.beginArray()
            if images > 0 { try writeImages(ofResultsIn: content, index) }
            var place = -1
            var blocks = content.elements
            while let block = blocks.next() {
                place += 1
                if block["type"]?.equals("tool_result") == true { continue }
                try writeBlock(block, "messages[\(index)].content[\(place)]")
            }
            json.endArray()
        }
        json.endObject()
    }

    private mutating func writeString(_ content: JSONValue, _ role: StaticString) {
        begin(role)
        json.key("content")
        json.value(content)
        json.endObject()
    }

    /// What a tool's message cannot carry follows as the user's.
    private mutating func writeImages(ofResultsIn content: JSONValue, _ index: Int) throws(EncodingRefusal) {
        report.adapt("messages[\(index)]: images of a tool's result, put into the user's message")
        var blocks = content.elements
        while let block = blocks.next() {
            guard block["type"]?.equals("tool_result") == true else { continue }
            var parts = block.elements(of: "content")
            while let part = parts.next() {
                if !Self.isTextual(part) { try writeBlock(part, "messages[\(index)].content") }
            }
        }
    }

    private static func isTextual(_ block: JSONValue) -> Bool {
        block["type"]?.equals("text") == true || block["type"]?.equals("search_result") == true
    }

    // MARK: Results of tools

    /// - Returns: how many parts of it a tool's message cannot carry.
    private mutating func writeResult(_ block: JSONValue, _ index: Int) throws(EncodingRefusal) -> Int {
        guard let id = block["tool_use_id"], id.isString else {
            throw EncodingRefusal("messages[\(index)].content", "A tool_result has no tool_use_id.")
        }
        begin("tool")
        json.key("tool_call_id")
        json.value(id)
        json.key("content")
        var others = 0
        json.beginString()
        // A chat request has no field for it.
        if block["is_error"]?.bool == true { json.appendToString("Error: ".utf8Span.span) }
        if let content = block["content"] {
            if content.isString {
                json.appendToString(contentsOf: content)
            } else {
                others = writeTexts(ofResult: content)
            }
        }
        json.endString()
        copyCacheControl(of: block)
        json.endObject()
        return others
    }

    private mutating func writeTexts(ofResult content: JSONValue) -> Int {
        var others = 0
        var isFirst = true
        var parts = content.elements
        while let part = parts.next() {
            guard Self.isTextual(part) else {
                others += 1
                continue
            }
            if !isFirst { json.appendToString("\n".utf8Span.span) }
            isFirst = false
            if let text = part["text"], text.isString {
                json.appendToString(contentsOf: text)
            } else {
                appendSearchResult(part)
            }
        }
        return others
    }

    private func appendSearchResult(_ block: JSONValue) {
        for field in ["title", "source"] as [StaticString] {
            guard let text = block[field], text.isString else { continue }
            json.appendToString(contentsOf: text)
            json.appendToString("\n".utf8Span.span)
        }
        var parts = block.elements(of: "content")
        while let part = parts.next() { if let text = part["text"] { json.appendToString(contentsOf: text) } }
    }

    // MARK: Blocks

    private mutating func writeBlock(_ block: JSONValue, _ path: String) throws(EncodingRefusal) {
        guard let type = block["type"]?.unescapedBytes else { throw EncodingRefusal(path + ".type", "The block has no type.") }
        if type.equals("text") {
            guard let text = block["text"], text.isString else { throw EncodingRefusal(path + ".text", "The text is missing.") }
            return writeText(text, of: block)
        }
        if type.equals("image") { return try writeImage(block, path) }
        if type.equals("document") { return try writeDocument(block, path) }
        if type.equals("search_result") {
            json.beginObject()
            json.key("type")
            json.string("text")
            json.key("text")
            json.beginString()
            appendSearchResult(block)
            json.endString()
            copyCacheControl(of: block)
            return json.endObject()
        }
        throw EncodingRefusal(path, "The provider has no place for a block of this type: \(String(decoding: type)).")
    }

    private mutating func writeImage(_ block: JSONValue, _ path: String) throws(EncodingRefusal) {
        let source = block["source"]
        let url = source?["url"]
        let data = source?["data"]
        guard url?.isString == true || data?.isString == true && source?["media_type"]?.isString == true else {
            throw EncodingRefusal(path + ".source", "The image must be there as base64 or as a url: files are known to Anthropic only.")
        }
        json.beginObject()
        json.key("type")
        json.string("image_url")
        json.key("image_url")
        json.beginObject()
        json.key("url")
        if let url, url.isString { json.value(url) } else { writeDataURL(source) }
        json.endObject()
        copyCacheControl(of: block)
        json.endObject()
    }

    private mutating func writeDataURL(_ source: JSONValue?) {
        json.beginString()
        json.appendToString("data:".utf8Span.span)
        if let type = source?["media_type"] { json.appendToString(contentsOf: type) }
        json.appendToString(";base64,".utf8Span.span)
        if let data = source?["data"] { json.appendToString(contentsOf: data) }
        json.endString()
    }

    private mutating func writeDocument(_ block: JSONValue, _ path: String) throws(EncodingRefusal) {
        let source = block["source"]
        if source?["type"]?.equals("text") == true, let text = source?["data"], text.isString { return writeText(text, of: block) }
        if source?["type"]?.equals("content") == true, let content = source?["content"] {
            if content.isString { return writeText(content, of: block) }
            var place = -1
            var parts = content.elements
            while let part = parts.next() {
                place += 1
                // One level: a document has no documents in it.
                let inner = "\(path).source.content[\(place)]"
                guard part["type"]?.equals("text") == true || part["type"]?.equals("image") == true else {
                    throw EncodingRefusal(inner, "A document has text and images in it only.")
                }
                try writeBlock(part, inner)
            }
            return
        }
        guard source?["type"]?.equals("base64") == true, source?["data"]?.isString == true,
            source?["media_type"]?.isString == true
        else {
            throw EncodingRefusal(path + ".source", "The document must be there as base64 or as text.")
        }
        json.beginObject()
        json.key("type")
        json.string("file")
        json.key("file")
        json.beginObject()
        json.key("filename")
        if let title = block["title"], title.isString { json.value(title) } else { json.string("document.pdf") }
        json.key("file_data")
        writeDataURL(source)
        json.endObject()
        copyCacheControl(of: block)
        json.endObject()
    }

    // MARK: The assistant

    private mutating func writeAssistant(_ content: JSONValue, _ index: Int) throws(EncodingRefusal) {
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

    private mutating func writeSaid(_ content: JSONValue, _ count: Int) {
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
            if block["type"]?.equals("text") == true, let text = block["text"], text.isString { writeText(text, of: block) }
        }
        json.endArray()
    }

    private func hasCacheControl(_ content: JSONValue) -> Bool {
        var blocks = content.elements
        while let block = blocks.next() { if block["cache_control"]?.isObject == true { return true } }
        return false
    }

    /// Thinking without a seal came from a provider of OpenAI's dialect, some of which want it back in tool turns; sealed blocks go
    /// back to whoever sealed them.
    private mutating func writeThinking(_ content: JSONValue) {
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

    private mutating func writeUnsealed(_ content: JSONValue) {
        json.key("reasoning_content")
        json.beginString()
        var blocks = content.elements
        while let block = blocks.next() {
            guard block["type"]?.equals("thinking") == true, let text = block["thinking"] else { continue }
            if block["signature"]?.equals("") != false { json.appendToString(contentsOf: text) }
        }
        json.endString()
    }

    private mutating func writeCalls(_ content: JSONValue) {
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
