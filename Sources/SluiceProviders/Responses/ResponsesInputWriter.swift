internal import SluiceCore
internal import SluiceJSON

/// Writes the items of a responses request as the messages of a chat request.
///
/// What the assistant said, thought and called are items of their own there, and one message here; so are results of tools, whose
/// pictures a tool's message cannot carry.
struct ResponsesInputWriter {
    private enum Kind { case user, system, assistant, result, reference, unknown }

    let target: ChatTarget
    var json: JSONWriter
    var report: FieldReport

    init(_ target: ChatTarget, _ json: JSONWriter, _ report: FieldReport) {
        self.target = target
        self.json = json
        self.report = report
    }

    mutating func write(_ root: JSONValue) throws(EncodingRefusal) {
        if let instructions = root["instructions"], !instructions.isNull {
            guard instructions.isString else {
                throw EncodingRefusal("instructions", "The instructions must be a string.")
            }
            writeMessage("system", instructions)
        }
        guard let input = root["input"], input.isString || input.isArray else {
            throw EncodingRefusal("input", "The input must be a string or an array of items.")
        }
        if input.isString { writeMessage("user", input) } else { try writeItems(input) }
    }

    mutating func begin(_ role: StaticString) {
        json.beginObject()
        json.key("role")
        json.string(role)
        json.key("content")
    }

    private mutating func writeMessage(_ role: StaticString, _ content: JSONValue) {
        begin(role)
        json.value(content)
        json.endObject()
    }

    // MARK: Items

    private static func kind(_ item: JSONValue) -> Kind {
        if let type = item["type"], !type.isNull, !type.equals("message") {
            if type.equals("function_call_output") { return .result }
            if type.equals("item_reference") { return .reference }
            // Calls of other tools are the assistant's too: they are lost, and part nothing that belongs together.
            return type.isString ? .assistant : .unknown
        }
        guard let role = item["role"] else { return .unknown }
        if role.equals("user") { return .user }
        if role.equals("assistant") { return .assistant }
        return role.equals("system") || role.equals("developer") ? .system : .unknown
    }

    private mutating func writeItems(_ input: JSONValue) throws(EncodingRefusal) {
        var index = 0
        var rest = input.elements
        while true {
            let first = rest
            guard let item = rest.next() else { return }
            let kind = Self.kind(item)
            var count = 1
            if kind == .assistant || kind == .result {
                var ahead = rest
                while let next = ahead.next(), Self.kind(next) == kind {
                    rest = ahead
                    count += 1
                }
            }
            switch kind {
            case .user: try writeUser(item, index)
            case .system: try writeSystem(item, index)
            case .assistant: try writeTurn(first, index, count)
            case .result: try writeResults(first, index, count)
            case .reference:
                throw EncodingRefusal(
                    "input[\(index)]",
                    "The provider of this model keeps no items: send the item itself in place of a reference to it.")
            case .unknown:
                throw EncodingRefusal(
                    "input[\(index)]", "The item has no type, or its role is not user, assistant, system or developer.")
            }
            index += count
        }
    }

    // MARK: The user, and the system

    private mutating func writeUser(_ item: JSONValue, _ index: Int) throws(EncodingRefusal) {
        let content = try content(of: item, index)
        if content.isString { return writeMessage("user", content) }
        begin("user")
        if content.count == 1, let part = content[0], let text = Self.text(of: part) {
            json.value(text)
        } else {
            json.beginArray()
            var place = 0
            var parts = content.elements
            while let part = parts.next() {
                try writePart(part, index, place)
                place += 1
            }
            json.endArray()
        }
        json.endObject()
    }

    @_lifetime(copy item)
    func content(of item: JSONValue, _ index: Int) throws(EncodingRefusal) -> JSONValue {
        guard let content = item["content"], content.isString || content.isArray else {
            throw EncodingRefusal("input[\(index)].content", "The content must be a string or an array of parts.")
        }
        return content
    }

    /// The string of a part that is text, whoever said it.
    @_lifetime(copy part)
    static func text(of part: JSONValue) -> JSONValue? {
        guard let type = part["type"] else { return nil }
        if type.equals("input_text") || type.equals("output_text") || type.equals("text") {
            guard let text = part["text"], text.isString else { return nil }
            return text
        }
        guard type.equals("refusal"), let refusal = part["refusal"], refusal.isString else { return nil }
        return refusal
    }

    private mutating func writeSystem(_ item: JSONValue, _ index: Int) throws(EncodingRefusal) {
        let content = try content(of: item, index)
        if content.isString { return writeMessage("system", content) }
        begin("system")
        json.beginString()
        appendTexts(content, separatedBy: "\n", "input[\(index)].content")
        json.endString()
        json.endObject()
    }

    /// Texts of parts into a string that has begun; other parts are lost.
    mutating func appendTexts(_ parts: JSONValue, separatedBy separator: String, _ path: @autoclosure () -> String) {
        var place = 0
        var isFirst = true
        var elements = parts.elements
        while let part = elements.next() {
            if let text = Self.text(of: part) {
                if !isFirst { json.appendToString(separator.utf8Span.span) }
                isFirst = false
                json.appendToString(contentsOf: text)
            } else {
                report.lose("\(path())[\(place)]")
            }
            place += 1
        }
    }

    // MARK: Parts

    mutating func writePart(
        _ part: JSONValue, _ index: Int, _ place: Int, of member: StaticString = "content"
    ) throws(EncodingRefusal) {
        func path(_ field: String) -> String { "input[\(index)].\(member)[\(place)]\(field)" }
        if let text = Self.text(of: part) { return writeText(text) }
        guard let type = part["type"] else { throw EncodingRefusal(path(".type"), "The part has no type.") }
        if type.equals("input_image") {
            guard let url = part["image_url"], url.isString else {
                throw EncodingRefusal(path(""), "The image must be there as image_url: files are known to OpenAI only.")
            }
            writeImage(url, part["detail"])
        } else if type.equals("input_file") {
            try writeFile(part, path(""))
        } else if type.equals("input_audio"), let audio = part["input_audio"], audio.isObject {
            json.beginObject()
            json.key("type")
            json.string("input_audio")
            json.key("input_audio")
            json.value(audio)
            json.endObject()
        } else {
            throw EncodingRefusal(path(""), "The provider has no place for a part of this type.")
        }
    }

    private mutating func writeText(_ text: JSONValue) {
        json.beginObject()
        json.key("type")
        json.string("text")
        json.key("text")
        json.value(text)
        json.endObject()
    }

    private mutating func writeImage(_ url: JSONValue, _ detail: JSONValue?) {
        json.beginObject()
        json.key("type")
        json.string("image_url")
        json.key("image_url")
        json.beginObject()
        json.key("url")
        json.value(url)
        if let detail, detail.isString, !detail.equals("auto") {
            json.key("detail")
            json.value(detail)
        }
        json.endObject()
        json.endObject()
    }

    private mutating func writeFile(_ part: JSONValue, _ path: String) throws(EncodingRefusal) {
        guard let data = part["file_data"], data.isString else {
            throw EncodingRefusal(
                path, "The file must be there as file_data: neither its id nor its URL means anything to the provider.")
        }
        json.beginObject()
        json.key("type")
        json.string("file")
        json.key("file")
        json.beginObject()
        json.key("filename")
        if let name = part["filename"], name.isString { json.value(name) } else { json.string("document.pdf") }
        json.key("file_data")
        json.value(data)
        json.endObject()
        json.endObject()
    }
}
