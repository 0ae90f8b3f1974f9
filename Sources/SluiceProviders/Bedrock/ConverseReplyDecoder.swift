internal import SluiceCore
internal import SluiceHTTP
package import SluiceJSON

/// Reads Converse's replies and the events of ConverseStream (sections 3, 4 and 6 of the Bedrock sheet).
package final class ConverseReplyDecoder: ReplyDecoder {
    /// What a content block of a stream is.
    private enum Block {
        case call(Int)
        case answer
    }

    private var blocks: [Int: Block] = [:]
    private var callCount = 0
    private var hasOutput = false
    private var hasFinish = false
    private var hasFault = false
    private var hasAnswer = false
    // The block of reasoning that is under way: its seal comes after its text.
    private let reasoning = ByteBuffer(capacity: 256)
    private let signature = ByteBuffer(capacity: 256)
    private let redacted = ByteBuffer(capacity: 64)
    /// There was more of it than is kept.
    private var isReasoningCut = false
    private let scratch = ByteBuffer(capacity: 256)
    /// No answer has more blocks; more are left out.
    private static let blocksMax = 1024
    /// Of a block of reasoning, its seal included. A longer one cannot be sealed, and is passed on as text only.
    private static let reasoningBytesMax = 2_097_152

    package init() {}

    // MARK: Whole

    package func decode(whole document: JSONValue, into sink: any ReplySink) {
        guard let message = document["output"]?["message"], message.isObject else {
            hasFault = true
            return sink.fault(
                ConverseFault.inBand(document)
                    ?? ProviderFault(
                        502, type: "server_error", code: "empty_reply", "The provider answered without a message."))
        }
        var blocks = message.elements(of: "content")
        while let block = blocks.next() { read(block: block, into: sink) }
        if let usage = Usage(converse: document["usage"]) { sink.usage(usage) }
        if let reason = document["stopReason"]?.string { finish(reason, into: sink) }
    }

    private func read(block: JSONValue, into sink: any ReplySink) {
        if let text = text(block["text"]) {
            if !text.isEmpty { tell(text, into: sink) }
        } else if let use = block["toolUse"] {
            read(use: use, into: sink)
        } else if let content = block["reasoningContent"] {
            read(reasoning: content, into: sink)
        } else if let citations = block["citationsContent"] {
            var parts = citations.elements(of: "content")
            while let part = parts.next() { if let text = text(part["text"]), !text.isEmpty { tell(text, into: sink) } }
        } else if let image = block["image"], let format = image["format"]?.string,
            let bytes = text(image["source"]?["bytes"])
        {
            hasOutput = true
            let type = "image/\(format)"
            sink.image(ReplyImage(mediaType: ReplyText(type.utf8Span.span), base64: bytes))
        }
    }

    private func tell(_ text: ReplyText, into sink: any ReplySink) {
        hasOutput = true
        sink.text(text)
    }

    private func read(use: JSONValue, into sink: any ReplySink) {
        guard let name = use["name"], let called = ReplyText(name), !called.isEmpty, callCount < Self.blocksMax else {
            return
        }
        hasOutput = true
        let input = use["input"]
        let scratch = scratch
        scratch.removeAll()
        if let input, input.isObject { JSONText.compact(input.rawBytes, into: scratch) }
        if name.equals(ConverseEncoder.answerTool) {
            hasAnswer = true
            return sink.text(ReplyText(scratch.span))
        }
        sink.toolCall(callCount, ToolCallStart(id: text(use["toolUseId"]), name: called))
        if let input, input.count > 0 { sink.toolArguments(callCount, ReplyText(scratch.span)) }
        callCount += 1
    }

    private func read(reasoning content: JSONValue, into sink: any ReplySink) {
        if let block = content["reasoningText"], let said = text(block["text"]) {
            if !said.isEmpty { sink.reasoning(said) }
            if let seal = text(block["signature"]), !seal.isEmpty {
                sink.reasoningBlock(ReasoningBlock(format: ReasoningDetails.bedrock, text: said, seal: seal))
            }
        } else if let data = text(content["redactedContent"]), !data.isEmpty {
            sink.reasoningBlock(ReasoningBlock(format: ReasoningDetails.bedrock, text: nil, seal: data))
        }
    }

    // MARK: Events

    package func decode(event document: JSONValue, named name: Span<UInt8>, into sink: any ReplySink) {
        if name.equals("contentBlockDelta") {
            if let delta = document["delta"] {
                read(delta: delta, of: document["contentBlockIndex"]?.int ?? 0, into: sink)
            }
        } else if name.equals("contentBlockStart") {
            if let use = document["start"]?["toolUse"] {
                start(use: use, document["contentBlockIndex"]?.int ?? 0, into: sink)
            }
        } else if name.equals("contentBlockStop") {
            seal(into: sink)
        } else if name.equals("messageStop") {
            seal(into: sink)
            if let reason = document["stopReason"]?.string { finish(reason, into: sink) } else { hasFinish = true }
        } else if name.equals("metadata") {
            if let usage = Usage(converse: document["usage"]) { sink.usage(usage) }
        } else if !name.equals("messageStart"), let fault = ConverseFault.event(document, named: String(decoding: name))
        {
            hasFault = true
            sink.fault(fault)
        }
    }

    package func end(into sink: any ReplySink) -> Bool { hasFinish || hasFault }

    private func start(use: JSONValue, _ index: Int, into sink: any ReplySink) {
        guard let name = use["name"], let called = ReplyText(name), !called.isEmpty, blocks[index] == nil,
            blocks.count < Self.blocksMax
        else { return }
        hasOutput = true
        if name.equals(ConverseEncoder.answerTool) {
            blocks[index] = .answer
            hasAnswer = true
            return
        }
        blocks[index] = .call(callCount)
        sink.toolCall(callCount, ToolCallStart(id: text(use["toolUseId"]), name: called))
        callCount += 1
    }

    private func read(delta: JSONValue, of index: Int, into sink: any ReplySink) {
        if let text = text(delta["text"]) {
            if !text.isEmpty { tell(text, into: sink) }
        } else if let fragment = text(delta["toolUse"]?["input"]) {
            if fragment.isEmpty { return }
            switch blocks[index] {
            case .call(let call): sink.toolArguments(call, fragment)
            case .answer: sink.text(fragment)
            case nil: break
            }
        } else if let content = delta["reasoningContent"] {
            read(reasoningDelta: content, into: sink)
        }
    }

    private func read(reasoningDelta content: JSONValue, into sink: any ReplySink) {
        if let text = text(content["text"]), !text.isEmpty {
            keep(text, in: reasoning)
            sink.reasoning(text)
        }
        if let piece = text(content["signature"]) { keep(piece, in: signature) }
        if let piece = text(content["redactedContent"]) { keep(piece, in: redacted) }
    }

    private func keep(_ text: ReplyText, in buffer: ByteBuffer) {
        if isReasoningCut { return }
        text.append(escapedTo: buffer)
        if reasoning.count + signature.count + redacted.count <= Self.reasoningBytesMax { return }
        // Too long to be kept whole, and of no use in part.
        isReasoningCut = true
        for part in [reasoning, signature, redacted] { part.removeAll() }
    }

    /// A block has ended: if it was one of reasoning, with what Bedrock wants back.
    private func seal(into sink: any ReplySink) {
        let reasoning = reasoning
        let signature = signature
        let redacted = redacted
        isReasoningCut = false
        if !signature.isEmpty {
            sink.reasoningBlock(
                ReasoningBlock(
                    format: ReasoningDetails.bedrock, text: .escaped(reasoning.span), seal: .escaped(signature.span)))
        }
        if !redacted.isEmpty {
            sink.reasoningBlock(
                ReasoningBlock(format: ReasoningDetails.bedrock, text: nil, seal: .escaped(redacted.span)))
        }
        reasoning.removeAll()
        signature.removeAll()
        redacted.removeAll()
    }

    // MARK: The end

    private func finish(_ reason: String, into sink: any ReplySink) {
        hasFinish = true
        let usual: FinishReason = callCount > 0 ? .toolCalls : .stop
        switch reason {
        case "max_tokens", "model_context_window_exceeded": sink.finish(.length)
        case "guardrail_intervened", "content_filtered": sink.finish(.contentFilter)
        case "malformed_model_output", "malformed_tool_use":
            if hasOutput { return sink.finish(usual) }
            hasFault = true
            sink.fault(
                ProviderFault(
                    502, type: "server_error", code: reason,
                    "The provider ended its answer with \"\(reason)\" and no content."))
        default: sink.finish(usual)
        }
    }

    @_lifetime(copy value)
    private func text(_ value: JSONValue?) -> ReplyText? {
        guard let value else { return nil }
        return ReplyText(value)
    }
}

extension Usage {
    /// Reads `usage`: cached tokens count apart there.
    init?(converse value: JSONValue?) {
        guard let usage = value, usage.isObject else { return nil }
        func count(_ name: StaticString) -> Int { min(max(0, usage[name]?.int ?? 0), 1 << 40) }
        let cached = count("cacheReadInputTokens")
        let written = count("cacheWriteInputTokens")
        self.init(
            inputTokens: count("inputTokens") + cached + written, outputTokens: count("outputTokens"),
            cachedInputTokens: cached,
            cacheWriteInputTokens: written)
    }
}
