internal import SluiceCore
internal import SluiceJSON

/// Writes the messages of a Messages request as those of a chat request (section 13 of the Anthropic sheet).
struct MessagesMessageWriter {
    let target: ChatTarget
    var json: JSONWriter
    var report: FieldReport

    init(_ target: ChatTarget, _ json: JSONWriter, _ report: FieldReport) {
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

    mutating func begin(_ role: StaticString) {
        json.beginObject()
        json.key("role")
        json.string(role)
    }

    /// Blocks of text: as one string for OpenAI's dialect, which many servers know no other form of; as parts elsewhere, so that
    /// marks for the cache keep their places.
    mutating func writeTexts(_ blocks: JSONValue) {
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

    mutating func writeText(_ text: JSONValue, of block: JSONValue) {
        json.beginObject()
        json.key("type")
        json.string("text")
        json.key("text")
        json.value(text)
        copyCacheControl(of: block)
        json.endObject()
    }

    mutating func copyCacheControl(of block: JSONValue) {
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
                throw EncodingRefusal(
                    "messages[\(index)].content", "The content must be a string or an array of blocks.")
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

    mutating func writeUser(_ content: JSONValue, _ index: Int) throws(EncodingRefusal) {
        if content.isString { return writeString(content, "user") }
        var images = 0
        var others = 0
        var blocks = content.elements
        while let block = blocks.next() {
            if block["type"]?.equals("tool_result") == true {
                images += try writeResult(block, index)
            } else {
                others += 1
            }
        }
        if others + images == 0 { return }
        begin("user")
        json.key("content")
        if others == 1, images == 0, content.count == 1, let block = content[0], let text = block["text"],
            text.isString,
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

    mutating func writeString(_ content: JSONValue, _ role: StaticString) {
        begin(role)
        json.key("content")
        json.value(content)
        json.endObject()
    }

    /// What a tool's message cannot carry follows as the user's.
    mutating func writeImages(ofResultsIn content: JSONValue, _ index: Int) throws(EncodingRefusal) {
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

    static func isTextual(_ block: JSONValue) -> Bool {
        block["type"]?.equals("text") == true || block["type"]?.equals("search_result") == true
    }

    // MARK: Results of tools

    /// - Returns: how many parts of it a tool's message cannot carry.
    mutating func writeResult(_ block: JSONValue, _ index: Int) throws(EncodingRefusal) -> Int {
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

    mutating func writeTexts(ofResult content: JSONValue) -> Int {
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

    func appendSearchResult(_ block: JSONValue) {
        for field in ["title", "source"] as [StaticString] {
            guard let text = block[field], text.isString else { continue }
            json.appendToString(contentsOf: text)
            json.appendToString("\n".utf8Span.span)
        }
        var parts = block.elements(of: "content")
        while let part = parts.next() { if let text = part["text"] { json.appendToString(contentsOf: text) } }
    }
}
