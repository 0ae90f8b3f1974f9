internal import SluiceCore
internal import SluiceJSON

/// `contents` and `systemInstruction`: roles in the order that Gemini insists on (section 2 of the sheet, "Turn rules").
extension GeminiEncoder {
    /// Stands in for the signature of a call that has lost its own, as Google documents it (section 7 of the sheet). Whether it
    /// is to be plain or base64 is not verified; most clients send it plain.
    static let dummySignature: StaticString = "skip_thought_signature_validator"

    /// - Returns: whether system messages are still to be written, as the instruction.
    mutating func writeContents(_ request: borrowing ChatRequest) throws(EncodingRefusal) -> Bool {
        json.key("contents")
        json.beginArray()
        let currentTurn = Self.startOfCurrentTurn(request)
        var hasSystem = false
        var messages = request.messages
        var index = 0
        while let value = messages.next() {
            let message = ChatMessage(value)
            let role = message.role
            if role != .tool { writeResults() }
            switch role {
            case .system: hasSystem = true
            case .user: try writeUser(message, index)
            case .assistant: try writeModel(message, index, isCurrent: index > currentTurn)
            case .tool: try takeResult(message, index)
            case .unknown: throw EncodingRefusal("messages[\(index)].role", "The message has no role that is known.")
            }
            index += 1
        }
        writeResults()
        let isSystemAlone = hasSystem && !hasContents
        if isSystemAlone {
            // Instructions without contents are refused.
            open(.user)
            writeSystemParts(request)
            report.adapt("messages: the system message as the user's")
        }
        if !hasContents {
            open(.user)
            writeText(" ")
        }
        close()
        json.endArray()
        return hasSystem && !isSystemAlone
    }

    /// The last message of the user: calls after it belong to the turn whose signatures are checked.
    private static func startOfCurrentTurn(_ request: borrowing ChatRequest) -> Int {
        var last = -1
        var index = 0
        var messages = request.messages
        while let value = messages.next() {
            if ChatMessage(value).role == .user { last = index }
            index += 1
        }
        return last
    }

    // MARK: Roles

    private mutating func open(_ role: Role) {
        if openRole == role { return }
        close()
        if !hasContents, role == .model {
            report.adapt("messages: an empty one of the user's before the first")
            open(.user)
            writeText(" ")
            close()
        }
        json.beginObject()
        json.key("role")
        json.string(role == .user ? "user" as StaticString : "model" as StaticString)
        json.key("parts")
        json.beginArray()
        openRole = role
        hasContents = true
    }

    private mutating func close() {
        if openRole == nil { return }
        json.endArray()
        json.endObject()
        openRole = nil
    }

    // MARK: The system

    mutating func writeSystemInstruction(_ request: borrowing ChatRequest) {
        json.key("systemInstruction")
        json.beginObject()
        json.key("parts")
        json.beginArray()
        writeSystemParts(request)
        json.endArray()
        json.endObject()
    }

    private mutating func writeSystemParts(_ request: borrowing ChatRequest) {
        var messages = request.messages
        var index = 0
        var count = 0
        while let value = messages.next() {
            let message = ChatMessage(value)
            defer { index += 1 }
            guard message.role == .system, let content = message.content else { continue }
            if content.isString {
                writeText(content)
                count += 1
            }
            var parts = content.elements
            var position = 0
            while let part = parts.next() {
                if let text = ChatPart(part).text {
                    writeText(text)
                    count += 1
                } else {
                    report.lose("messages[\(index)].content[\(position)]")
                }
                position += 1
            }
        }
        if count == 0 { writeText(" ") }
    }

    // MARK: The user

    private mutating func writeUser(_ message: borrowing ChatMessage, _ index: Int) throws(EncodingRefusal) {
        guard let content = message.content else { return }
        if content.isString { return writeText(content, role: .user) }
        var parts = content.elements
        var position = 0
        while let value = parts.next() {
            let part = ChatPart(value)
            let path = "messages[\(index)].content[\(position)]"
            switch part.kind {
            case .text, .refusal: if let text = part.text { writeText(text, role: .user) }
            case .image: try writeImage(part, path)
            case .audio: try writeAudio(part, path)
            case .file: try writeFile(part, path)
            case .unknown: report.lose(path)
            }
            position += 1
        }
    }

    // MARK: The model

    private mutating func writeModel(_ message: borrowing ChatMessage, _ index: Int, isCurrent: Bool) throws(EncodingRefusal) {
        turn += 1
        if let content = message.content {
            if content.isString { writeText(content, role: .model) }
            var parts = content.elements
            var position = 0
            while let part = parts.next() {
                if let text = ChatPart(part).text {
                    writeText(text, role: .model)
                } else {
                    report.lose("messages[\(index)].content[\(position)]")
                }
                position += 1
            }
        } else if let refusal = message.value["refusal"] {
            writeText(refusal, role: .model)
        }
        writeSignatures(message)
        try writeCalls(message, index, isCurrent: isCurrent)
    }

    /// Signatures of text: each in a part of its own, as streams bring them.
    private mutating func writeSignatures(_ message: borrowing ChatMessage) {
        var details = message.reasoningDetails
        while let detail = details.next() {
            guard detail["format"]?.equals(ReasoningDetails.google) == true else { continue }
            guard let seal = detail["data"], seal.isString else { continue }
            open(.model)
            json.beginObject()
            json.key("text")
            json.string("")
            json.key("thoughtSignature")
            json.value(seal)
            json.endObject()
        }
    }

    private mutating func writeCalls(_ message: borrowing ChatMessage, _ index: Int, isCurrent: Bool) throws(EncodingRefusal) {
        let isSigned = Self.isSigned(message)
        var calls = message.toolCalls
        var place = 0
        while let value = calls.next() {
            let call = ChatToolCall(value)
            let path = "messages[\(index)].tool_calls[\(place)]"
            guard let name = call.name, let known = name.string else {
                throw EncodingRefusal(path, "The provider has only calls of functions, and this one names none.")
            }
            let id = call.id?.string ?? ""
            // Names that begin so are ours, or another provider's: Gemini does not know them.
            let sendsID = isSigned && !id.isEmpty && !id.hasPrefix("call_")
            open(.model)
            json.beginObject()
            json.key("functionCall")
            json.beginObject()
            if sendsID {
                json.key("id")
                json.string(id)
            }
            json.key("name")
            json.value(name)
            json.key("args")
            if !embedded.writeArguments(call.arguments, &json) { report.adapt("\(path).function.arguments: no object") }
            json.endObject()
            if let signature = call.thoughtSignature, signature.isString {
                json.key("thoughtSignature")
                json.value(signature)
            } else if place == 0, isCurrent, !isSigned, isGemini3 {
                json.key("thoughtSignature")
                json.string(Self.dummySignature)
            }
            json.endObject()
            self.calls[id] = Call(name: known, turn: turn, place: place, sendsID: sendsID)
            place += 1
        }
    }

    private static func isSigned(_ message: borrowing ChatMessage) -> Bool {
        var calls = message.toolCalls
        while let call = calls.next() { if ChatToolCall(call).thoughtSignature?.isString == true { return true } }
        return false
    }

    // MARK: Results

    /// Keeps a result until all of its turn are there: without names for the calls, their order says which is which.
    private mutating func takeResult(_ message: borrowing ChatMessage, _ index: Int) throws(EncodingRefusal) {
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
        if content.isObject || content.isString && Self.looksLikeObject(content), embedded.writeObject(content, &part) { return }
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
        for index in text.indices where text[index] != ASCII.space { return text[index] == UInt8(ascii: "{") || text[index] == UInt8(ascii: "\\") }
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
    private mutating func writeResults() {
        if resultParts.isEmpty { return }
        let results = results
        open(.user)
        var isInOrder = true
        for index in resultParts.indices.dropFirst() where resultParts[index].place < resultParts[index - 1].place { isInOrder = false }
        if !isInOrder {
            let places = resultParts.enumerated().sorted { ($0.element.place, $0.offset) < ($1.element.place, $1.offset) }
            resultParts = places.map(\.element)
        }
        for part in resultParts { json.raw(results.span.extracting(part.range)) }
        resultParts.removeAll()
        results.removeAll()
    }

    // MARK: Text

    /// A part of text in a content of that role; an empty text is none.
    private mutating func writeText(_ text: JSONValue, role: Role) {
        guard text.isString, !text.equals("") else { return }
        open(role)
        writeText(text)
    }

    private mutating func writeText(_ text: JSONValue) {
        json.beginObject()
        json.key("text")
        json.value(text)
        json.endObject()
    }

    private mutating func writeText(_ text: StaticString) {
        json.beginObject()
        json.key("text")
        json.string(text)
        json.endObject()
    }

    // MARK: Media

    private mutating func writeImage(_ part: borrowing ChatPart, _ path: String) throws(EncodingRefusal) {
        guard let url = part.imageURL else { throw EncodingRefusal("\(path).image_url", "The image has no URL.") }
        open(.user)
        var out = json
        try writeMedia(url, path, type: nil, detail: part.value["image_url"]?["detail"], &out)
        json = out
    }

    private mutating func writeAudio(_ part: borrowing ChatPart, _ path: String) throws(EncodingRefusal) {
        guard let data = part.value["input_audio"]?["data"], data.isString else {
            throw EncodingRefusal("\(path).input_audio.data", "The sound has no data.")
        }
        let format = part.value["input_audio"]?["format"]?.string ?? "wav"
        open(.user)
        json.beginObject()
        json.key("inlineData")
        json.beginObject()
        json.key("mimeType")
        json.string("audio/" + (format == "mp3" ? "mpeg" : format))
        json.key("data")
        json.value(data)
        json.endObject()
        json.endObject()
    }

    private mutating func writeFile(_ part: borrowing ChatPart, _ path: String) throws(EncodingRefusal) {
        let file = part.value["file"]
        let type = file?["filename"]?.string.flatMap(Self.mediaType(ofFile:))
        if let data = file?["file_data"] {
            open(.user)
            var out = json
            try writeMedia(data, "\(path).file", type: type ?? "application/pdf", detail: nil, &out)
            json = out
            return
        }
        guard let id = file?["file_id"], let uri = id.string, uri.hasPrefix("https://") || uri.hasPrefix("gs://") else {
            throw EncodingRefusal(
                "\(path).file.file_id", "The provider knows files by the URI that its own files API gave them. Send file_data instead.")
        }
        open(.user)
        Self.writeFileData(uri, type ?? "application/pdf", &json)
    }

    /// Writes data where they are given, or where to find them.
    ///
    /// - Parameter type: of what is not a data URL, where it is known.
    private mutating func writeMedia(
        _ url: JSONValue, _ path: String, type: String?, detail: JSONValue?, _ out: inout JSONWriter
    ) throws(EncodingRefusal) {
        let text = ByteBuffer(capacity: 64)
        if let bytes = url.unescapedBytes { return try writeMedia(bytes, path, type, detail, &out) }
        guard url.appendString(to: text) else { throw EncodingRefusal(path, "What was sent is no string.") }
        try writeMedia(text.span, path, type, detail, &out)
    }

    private mutating func writeMedia(
        _ url: Span<UInt8>, _ path: String, _ type: String?, _ detail: JSONValue?, _ out: inout JSONWriter
    ) throws(EncodingRefusal) {
        if let data = DataURL(url) {
            out.beginObject()
            out.key("inlineData")
            out.beginObject()
            out.key("mimeType")
            out.string(data.mediaType)
            out.key("data")
            out.string(data.base64)
            out.endObject()
            writeDetail(detail, path, &out)
            out.endObject()
            return
        }
        if url.hasPrefix("https://") || url.hasPrefix("http://") || url.hasPrefix("gs://") {
            guard capabilities.imageURLs else {
                throw EncodingRefusal(path, "The model takes images only as data URLs (data:image/png;base64,…).")
            }
            let uri = String(decoding: url)
            Self.writeFileData(uri, type ?? Self.mediaType(ofFile: uri) ?? "image/jpeg", &out)
            if detail != nil, detail?.equals("auto") != true { report.lose("\(path).image_url.detail") }
            return
        }
        guard let type else { throw EncodingRefusal(path, "An image must be a data URL with base64, or an https URL.") }
        // Bare base64, as some applications give files.
        out.beginObject()
        out.key("inlineData")
        out.beginObject()
        out.key("mimeType")
        out.string(type)
        out.key("data")
        out.string(url)
        out.endObject()
        out.endObject()
    }

    private static func writeFileData(_ uri: String, _ type: String, _ out: inout JSONWriter) {
        out.beginObject()
        out.key("fileData")
        out.beginObject()
        out.key("mimeType")
        out.string(type)
        out.key("fileUri")
        out.string(uri)
        out.endObject()
        out.endObject()
    }

    private mutating func writeDetail(_ detail: JSONValue?, _ path: String, _ out: inout JSONWriter) {
        guard let detail, !detail.equals("auto") else { return }
        guard isGemini3, detail.equals("low") || detail.equals("high") else { return report.lose("\(path).image_url.detail") }
        out.key("mediaResolution")
        out.beginObject()
        out.key("level")
        out.string(detail.equals("low") ? "MEDIA_RESOLUTION_LOW" as StaticString : "MEDIA_RESOLUTION_HIGH" as StaticString)
        out.endObject()
    }

    private static let mediaTypes: [String: String] = [
        "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif",
        "heic": "image/heic", "heif": "image/heif", "pdf": "application/pdf", "txt": "text/plain", "md": "text/markdown",
        "html": "text/html", "csv": "text/csv", "xml": "text/xml", "json": "application/json", "wav": "audio/wav",
        "mp3": "audio/mpeg", "flac": "audio/flac", "ogg": "audio/ogg", "mp4": "video/mp4", "mov": "video/quicktime",
        "webm": "video/webm",
    ]

    /// By the ending of a file's name, or of a URL's path.
    private static func mediaType(ofFile name: String) -> String? {
        let path = name.prefix { $0 != "?" && $0 != "#" }
        guard let dot = path.lastIndex(of: ".") else { return nil }
        return mediaTypes[path[path.index(after: dot)...].lowercased()]
    }
}
