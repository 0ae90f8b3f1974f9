internal import SluiceCore
internal import SluiceHTTP
package import SluiceJSON

/// Reads generateContent's replies and the chunks of its streams (sections 5, 6 and 10 of the Gemini sheet): the first candidate.
///
/// A chunk has the same form as a whole reply; its parts are pieces to be put one after the other.
package final class GeminiReplyDecoder: ReplyDecoder {
    private var callCount = 0
    private var hasOutput = false
    private var hasFinish = false
    private var hasFault = false
    private let scratch = ByteBuffer(capacity: 256)
    /// No answer has more calls; more are left out.
    private static let callsMax = 1024

    package init() {}

    package func decode(whole document: JSONValue, into sink: any ReplySink) {
        if document.isArray {
            // A stream that was asked for without `alt=sse`.
            var chunks = document.elements
            while let chunk = chunks.next() { read(chunk, into: sink) }
        } else {
            read(document, into: sink)
        }
        if hasOutput || hasFinish || hasFault || document["candidates"]?[0] != nil { return }
        fail(502, code: "empty_reply", "The provider answered without a candidate.", into: sink)
    }

    package func decode(event document: JSONValue, named name: Span<UInt8>, into sink: any ReplySink) {
        read(document, into: sink)
    }

    package func end(into sink: any ReplySink) -> Bool { hasFinish || hasFault }

    private func read(_ document: JSONValue, into sink: any ReplySink) {
        if let fault = GeminiFault.inBand(document) {
            hasFault = true
            return sink.fault(fault)
        }
        sink.begin(id: text(document["responseId"]), model: text(document["modelVersion"]))
        var candidates = document.elements(of: "candidates")
        var position = 0
        while let candidate = candidates.next() {
            if (candidate["index"]?.int ?? position) == 0 { read(candidate: candidate, into: sink) }
            position += 1
        }
        if position == 0, document["promptFeedback"]?["blockReason"] != nil {
            // The prompt was not answered at all: a filtered answer without text.
            hasFinish = true
            sink.finish(.contentFilter)
        }
        if let usage = Usage(gemini: document["usageMetadata"]) { sink.usage(usage) }
    }

    private func read(candidate: JSONValue, into sink: any ReplySink) {
        if let content = candidate["content"] {
            var parts = content.elements(of: "parts")
            while let part = parts.next() { read(part: part, into: sink) }
        }
        guard let reason = candidate["finishReason"]?.string, reason != "FINISH_REASON_UNSPECIFIED" else { return }
        finish(reason, candidate["finishMessage"], into: sink)
    }

    // MARK: Parts

    private func read(part: JSONValue, into sink: any ReplySink) {
        if let call = part["functionCall"] {
            return read(call: call, signature: text(part["thoughtSignature"]), into: sink)
        }
        if let text = text(part["text"]), !text.isEmpty {
            if part["thought"]?.bool == true {
                sink.reasoning(text)
            } else {
                hasOutput = true
                sink.text(text)
            }
        } else if let data = part["inlineData"], let type = text(data["mimeType"]), let base64 = text(data["data"]) {
            hasOutput = true
            sink.image(ReplyImage(mediaType: type, base64: base64))
        } else if let code = part["executableCode"] {
            fence(code["code"], language: code["language"], into: sink)
        } else if let result = part["codeExecutionResult"] {
            fence(result["output"], language: nil, into: sink)
        }
        if let signature = text(part["thoughtSignature"]), !signature.isEmpty {
            sink.reasoningBlock(ReasoningBlock(format: ReasoningDetails.google, text: nil, seal: signature))
        }
    }

    private func read(call: JSONValue, signature: ReplyText?, into sink: any ReplySink) {
        guard let name = text(call["name"]), !name.isEmpty, callCount < Self.callsMax else { return }
        hasOutput = true
        // An empty id is none: the writer gives one.
        let id = call["id"]?.equals("") == true ? nil : text(call["id"])
        sink.toolCall(callCount, ToolCallStart(id: id, name: name, signature: signature))
        if let arguments = call["args"], arguments.isObject, arguments.count > 0 {
            // Whole replies come indented.
            let scratch = scratch
            scratch.removeAll()
            JSONText.compact(arguments.rawBytes, into: scratch)
            sink.toolArguments(callCount, ReplyText(scratch.span))
        }
        callCount += 1
    }

    /// What the provider ran itself, shown as code within the text.
    private func fence(_ content: JSONValue?, language: JSONValue?, into sink: any ReplySink) {
        guard let content, let text = ReplyText(content) else { return }
        hasOutput = true
        let scratch = scratch
        scratch.removeAll()
        scratch.append("\n```" as StaticString)
        scratch.append(language?.string?.lowercased() ?? "")
        scratch.append("\n" as StaticString)
        text.append(plainTo: scratch)
        scratch.append("\n```\n" as StaticString)
        sink.text(ReplyText(scratch.span))
    }

    // MARK: The end

    private func finish(_ reason: String, _ message: JSONValue?, into sink: any ReplySink) {
        hasFinish = true
        switch reason {
        case "STOP": sink.finish(callCount > 0 ? .toolCalls : .stop)
        case "MAX_TOKENS", "CONTINUATION": sink.finish(.length)
        case "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY",
            "IMAGE_PROHIBITED_CONTENT",
            "IMAGE_RECITATION", "LANGUAGE", "MODEL_ARMOR", "ESCALATION", "PUP_LIMITED_DISABLED":
            sink.finish(.contentFilter)
        case "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE",
            "MALFORMED_RESPONSE":
            if hasOutput { return sink.finish(callCount > 0 ? .toolCalls : .stop) }
            let said = message?.string ?? "The model's answer could not be used."
            fail(502, code: reason.lowercased(), "The provider ended its answer with \(reason): \(said)", into: sink)
        default: sink.finish(callCount > 0 ? .toolCalls : .stop)
        }
    }

    private func fail(_ status: UInt16, code: String, _ message: String, into sink: any ReplySink) {
        hasFault = true
        sink.fault(ProviderFault(.init(status), type: "server_error", code: code, message))
    }

    @_lifetime(copy value)
    private func text(_ value: JSONValue?) -> ReplyText? {
        guard let value else { return nil }
        return ReplyText(value)
    }
}

extension Usage {
    /// Reads `usageMetadata`: thoughts and tools count apart there.
    init?(gemini value: JSONValue?) {
        guard let usage = value, usage.isObject else { return nil }
        func count(_ name: StaticString) -> Int { min(max(0, usage[name]?.int ?? 0), 1 << 40) }
        let thoughts = count("thoughtsTokenCount")
        self.init(
            inputTokens: count("promptTokenCount") + count("toolUsePromptTokenCount"),
            outputTokens: count("candidatesTokenCount") + thoughts,
            totalTokens: usage["totalTokenCount"] == nil ? nil : count("totalTokenCount"),
            cachedInputTokens: count("cachedContentTokenCount"), reasoningTokens: thoughts)
    }
}
