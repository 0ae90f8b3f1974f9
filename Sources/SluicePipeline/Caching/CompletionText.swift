internal import SluiceCore
internal import SluiceJSON
internal import SluiceProviders

/// Text completions (section 9 of the OpenAI sheet), from a stream to a whole one, and back.
final class CompletionText {
    var isDone = false
    /// The inside of a JSON string.
    private let text = ByteBuffer(capacity: 256)
    private var id: String?
    private var model: String?
    private var created: Int?
    private var finishReason: String?
    private var usage: Usage?

    var byteCount: Int { text.count }

    /// Takes an event.
    ///
    /// - Returns: `false` for one that says more than text.
    func read(_ document: JSONValue) -> Bool {
        if !AnswerCheck.isNothing(document["error"]) { return false }
        if id == nil { id = document["id"]?.string }
        if model == nil { model = document["model"]?.string }
        if created == nil { created = document["created"]?.int }
        if let told = Usage(openAI: document["usage"]) { usage = told }
        var choices = document.elements(of: "choices")
        while let choice = choices.next() {
            if (choice["index"]?.int ?? 0) != 0 || !AnswerCheck.isNothing(choice["logprobs"]) { return false }
            if let piece = choice["text"]?.escapedBytes { text.append(piece) }
            if let reason = choice["finish_reason"]?.string { finishReason = reason }
        }
        return true
    }

    func whole(_ told: Usage?) -> ByteBuffer? {
        guard isDone, let finishReason else { return nil }
        let buffer = ByteBuffer(capacity: text.count + 256)
        var json = JSONWriter(into: buffer)
        json.beginObject()
        Self.writeHead(id ?? "", created ?? 0, model ?? "", &json)
        json.key("choices")
        json.beginArray()
        let text = text
        Self.writeChoice(text.span, finishReason, &json)
        json.endArray()
        if let usage = usage ?? told {
            json.key("usage")
            usage.write(&json)
        }
        json.endObject()
        return buffer
    }

    /// Writes a whole completion as events.
    static func write(_ document: JSONValue, showsUsage: Bool, into buffer: ByteBuffer) {
        guard let choice = document["choices"]?[0], let value = choice["text"], let text = ReplyText(value) else {
            return
        }
        text.forEachPiece(byteCount: 2048) { piece in
            event(document, showsUsage, buffer) { json in
                let inside = ByteBuffer(capacity: piece.byteCount)
                piece.append(escapedTo: inside)
                writeChoice(inside.span, nil, &json)
            }
        }
        let finishReason = choice["finish_reason"]?.string
        event(document, showsUsage, buffer) { writeChoice("".utf8Span.span, finishReason, &$0) }
        if showsUsage, let usage = document["usage"] {
            event(document, false, buffer, usage: usage.isObject ? Usage(openAI: usage) : nil) { _ in }
        }
        buffer.append("data: [DONE]\n\n" as StaticString)
    }

    private static func event(
        _ document: JSONValue, _ showsUsage: Bool, _ buffer: ByteBuffer, usage: Usage? = nil,
        choices: (inout JSONWriter) -> Void
    ) {
        buffer.append("data: " as StaticString)
        var json = JSONWriter(into: buffer)
        json.beginObject()
        writeHead(document["id"]?.string ?? "", document["created"]?.int ?? 0, document["model"]?.string ?? "", &json)
        json.key("choices")
        json.array(choices)
        if let usage {
            json.key("usage")
            usage.write(&json)
        } else if showsUsage {
            json.key("usage")
            json.null()
        }
        json.endObject()
        buffer.append("\n\n" as StaticString)
    }

    private static func writeHead(_ id: String, _ created: Int, _ model: String, _ json: inout JSONWriter) {
        json.key("id")
        json.string(id)
        json.key("object")
        json.string("text_completion")
        json.key("created")
        json.int(created)
        json.key("model")
        json.string(model)
    }

    private static func writeChoice(_ text: Span<UInt8>, _ finishReason: String?, _ json: inout JSONWriter) {
        json.beginObject()
        json.key("text")
        json.string(escaped: text)
        json.key("index")
        json.int(0)
        json.key("logprobs")
        json.null()
        json.key("finish_reason")
        if let finishReason { json.string(finishReason) } else { json.null() }
        json.endObject()
    }
}
