internal import SluiceCore
internal import SluiceJSON

/// Writes the items of a responses request as the messages of a chat request.
///
/// What the assistant said, thought and called are items of their own there, and one message here; so are results of tools, whose
/// pictures a tool's message cannot carry.
struct ResponsesInputWriter {
    private enum Kind { case user, system, assistant, result, reference, unknown }

    private let target: ResponsesRequest.Target
    var json: JSONWriter
    var report: FieldReport

    init(_ target: ResponsesRequest.Target, _ json: JSONWriter, _ report: FieldReport) {
        self.target = target
        self.json = json
        self.report = report
    }

    mutating func write(_ root: JSONValue) throws(EncodingRefusal) {
        if let instructions = root["instructions"], !instructions.isNull {
            guard instructions.isString else { throw EncodingRefusal("instructions", "The instructions must be a string.") }
            writeMessage("system", instructions)
        }
        guard let input = root["input"], input.isString || input.isArray else {
            throw EncodingRefusal("input", "The input must be a string or an array of items.")
        }
        if input.isString { writeMessage("user", input) } else { try writeItems(input) }
    }

    private mutating func begin(_ role: StaticString) {
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
                    "input[\(index)]", "The provider of this model keeps no items: send the item itself in place of a reference to it.")
            case .unknown:
                throw EncodingRefusal("input[\(index)]", "The item has no type, or its role is not user, assistant, system or developer.")
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
    private func content(of item: JSONValue, _ index: Int) throws(EncodingRefusal) -> JSONValue {
        guard let content = item["content"], content.isString || content.isArray else {
            throw EncodingRefusal("input[\(index)].content", "The content must be a string or an array of parts.")
        }
        return content
    }

    /// The string of a part that is text, whoever said it.
    @_lifetime(copy part)
    private static func text(of part: JSONValue) -> JSONValue? {
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
    private mutating func appendTexts(_ parts: JSONValue, separatedBy separator: String, _ path: @autoclosure () -> String) {
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

    private mutating func writePart(
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
            throw EncodingRefusal(path, "The file must be there as file_data: neither its id nor its URL means anything to the provider.")
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

    // MARK: Results of tools

    private mutating func writeResults(_ first: JSONElements, _ index: Int, _ count: Int) throws(EncodingRefusal) {
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

    // MARK: The assistant

    /// What a turn of the assistant consists of.
    private struct Tally {
        var texts = 0
        var calls = 0
        /// Reasoning with a seal of a provider's, and reasoning that came without.
        var sealed = 0
        var unsealed = 0
    }

    /// Writes a run of items as one message. Reasoning that led to nothing is left out: no provider takes it alone.
    private mutating func writeTurn(_ first: JSONElements, _ index: Int, _ count: Int) throws(EncodingRefusal) {
        let tally = tally(first, index, count)
        if tally.texts + tally.calls == 0 { return }
        begin("assistant")
        if tally.texts == 0 { json.null() } else { try writeSaid(first, index, count) }
        if tally.sealed > 0, !target.isOpenAI { writeSealed(first, count) }
        if tally.unsealed > 0 { writeUnsealed(first, count) }
        if tally.calls > 0 { try writeCalls(first, index, count) }
        json.endObject()
    }

    private static func isMessage(_ item: JSONValue) -> Bool { item["type"]?.equals("message") ?? true }

    private mutating func tally(_ first: JSONElements, _ index: Int, _ count: Int) -> Tally {
        var tally = Tally()
        var items = first
        for place in 0..<count {
            guard let item = items.next() else { break }
            if Self.isMessage(item) {
                tally.texts += 1
            } else if item["type"]?.equals("function_call") == true {
                tally.calls += 1
            } else if item["type"]?.equals("reasoning") == true {
                if item["encrypted_content"]?.isString == true { tally.sealed += 1 } else { tally.unsealed += 1 }
            } else {
                report.lose("input[\(index + place)]")
            }
        }
        return tally
    }

    private mutating func writeSaid(_ first: JSONElements, _ index: Int, _ count: Int) throws(EncodingRefusal) {
        var isFirst = true
        var items = first
        json.beginString()
        for place in 0..<count {
            guard let item = items.next() else { break }
            if !Self.isMessage(item) { continue }
            let content = try content(of: item, index + place)
            if !isFirst { json.appendToString("\n\n".utf8Span.span) }
            isFirst = false
            if content.isString {
                json.appendToString(contentsOf: content)
            } else {
                appendTexts(content, separatedBy: "", "input[\(index + place)].content")
            }
        }
        json.endString()
    }

    private mutating func writeSealed(_ first: JSONElements, _ count: Int) {
        var written = 0
        var items = first
        for _ in 0..<count {
            guard let item = items.next() else { break }
            guard item["type"]?.equals("reasoning") == true, let content = item["encrypted_content"],
                let opened = SealedReasoning.open(content), opened.kind != .call
            else { continue }
            if written == 0 {
                json.key("reasoning_details")
                json.beginArray()
            }
            if opened.kind == .text {
                let text = ByteBuffer(capacity: 256)
                Self.appendShown(item, to: text)
                ReasoningDetails.write(
                    ReasoningBlock(format: opened.format, text: .escaped(text.span), seal: opened.seal), index: written, &json)
            } else {
                ReasoningDetails.write(ReasoningBlock(format: opened.format, text: nil, seal: opened.seal), index: written, &json)
            }
            written += 1
        }
        if written > 0 { json.endArray() }
    }

    /// Some providers want their reasoning back in turns with tools, though it has no seal.
    private mutating func writeUnsealed(_ first: JSONElements, _ count: Int) {
        let text = ByteBuffer(capacity: 256)
        var items = first
        for _ in 0..<count {
            guard let item = items.next() else { break }
            if item["type"]?.equals("reasoning") == true, item["encrypted_content"]?.isString != true { Self.appendShown(item, to: text) }
        }
        if text.isEmpty { return }
        json.key("reasoning_content")
        json.string(escaped: text.span)
    }

    /// What an item shows of the reasoning, as the inside of a JSON string: all of it, or else the summary.
    private static func appendShown(_ item: JSONValue, to text: ByteBuffer) {
        let hasContent = (item["content"]?.count ?? 0) > 0
        var parts = hasContent ? item.elements(of: "content") : item.elements(of: "summary")
        while let part = parts.next() { if let bytes = part["text"]?.escapedBytes { text.append(bytes) } }
    }

    private mutating func writeCalls(_ first: JSONElements, _ index: Int, _ count: Int) throws(EncodingRefusal) {
        json.key("tool_calls")
        json.beginArray()
        // What the next call is to be sent back with.
        let signature = ByteBuffer(capacity: 16)
        var items = first
        for place in 0..<count {
            guard let item = items.next() else { break }
            if item["type"]?.equals("reasoning") == true {
                guard let content = item["encrypted_content"], let opened = SealedReasoning.open(content), opened.kind == .call
                else { continue }
                signature.removeAll()
                opened.seal.append(escapedTo: signature)
            } else if item["type"]?.equals("function_call") == true {
                try writeCall(item, index + place, signature)
                signature.removeAll()
            }
        }
        json.endArray()
    }

    private mutating func writeCall(_ item: JSONValue, _ index: Int, _ signature: ByteBuffer) throws(EncodingRefusal) {
        guard let id = item["call_id"], id.isString, let name = item["name"], name.isString else {
            throw EncodingRefusal("input[\(index)]", "The call has no call_id, or no name.")
        }
        json.beginObject()
        json.key("id")
        json.value(id)
        json.key("type")
        json.string("function")
        json.key("function")
        json.beginObject()
        json.key("name")
        json.value(name)
        json.key("arguments")
        if let arguments = item["arguments"], !arguments.isNull {
            if arguments.isString { json.value(arguments) } else { json.string(arguments.rawBytes) }
        } else {
            json.string("{}")
        }
        json.endObject()
        if !signature.isEmpty, !target.isOpenAI {
            json.key("extra_content")
            json.beginObject()
            json.key("google")
            json.beginObject()
            json.key("thought_signature")
            json.string(escaped: signature.span)
            json.endObject()
            json.endObject()
        }
        json.endObject()
    }
}
