internal import SluiceCore
internal import SluiceJSON

/// What the assistant said, thought and called: one message a turn.
extension ResponsesInputWriter {
    /// What a turn of the assistant consists of.
    private struct Tally {
        var texts = 0
        var calls = 0
        /// Reasoning with a seal of a provider's, and reasoning that came without.
        var sealed = 0
        var unsealed = 0
    }

    /// Writes a run of items as one message. Reasoning that led to nothing is left out: no provider takes it alone.
    mutating func writeTurn(_ first: JSONElements, _ index: Int, _ count: Int) throws(EncodingRefusal) {
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
                    ReasoningBlock(format: opened.format, text: .escaped(text.span), seal: opened.seal), index: written,
                    &json)
            } else {
                ReasoningDetails.write(
                    ReasoningBlock(format: opened.format, text: nil, seal: opened.seal), index: written, &json)
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
            if item["type"]?.equals("reasoning") == true, item["encrypted_content"]?.isString != true {
                Self.appendShown(item, to: text)
            }
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
                guard let content = item["encrypted_content"], let opened = SealedReasoning.open(content),
                    opened.kind == .call
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
