internal import SluiceCore
internal import SluiceHTTP
package import SluiceJSON

/// Reads messages and their streams (sections 6, 7 and 12 of the Anthropic sheet).
package final class AnthropicReplyDecoder: ReplyDecoder {
    /// A block that is open, by the provider's index.
    private struct Block {
        enum Kind: Equatable {
            case other, thinking
            case call(Int)
            /// The tool whose input is the answer.
            case answer
        }

        let index: Int
        let kind: Kind
        /// Insides of JSON strings: the thinking, and its signature.
        var text: ByteBuffer?
        var signature: ByteBuffer?
        /// There was more than is kept: without the whole of it the signature says nothing.
        var isCut = false

        var keptByteCount: Int { (text?.count ?? 0) + (signature?.count ?? 0) }
    }

    private var blocks: [Block] = []
    private var callCount = 0
    private var hasAnswerTool = false
    private var usage = AnthropicUsage()
    private var isStopped = false
    private var hasFault = false
    /// Of all open blocks together.
    private var keptByteCount = 0
    /// Bounds what a stream can make us remember. Blocks come one after the other; who leaves more open than that loses the first,
    /// with its signature.
    private static let blocksMax = 16
    private static let callsMax = 1024
    /// The longest thinking of any model is 128,000 tokens, below 1 MB.
    private static let keptBytesMax = 2_097_152

    package init() {}

    package func end(into sink: any ReplySink) -> Bool { isStopped || hasFault }

    // MARK: Whole

    package func decode(whole document: JSONValue, into sink: any ReplySink) {
        if let fault = AnthropicFault.inBand(document) { return report(fault, into: sink) }
        guard let content = document["content"], content.isArray else {
            return report(ProviderFault(502, "The provider's reply is not a message."), into: sink)
        }
        sink.begin(id: Self.text(document["id"]), model: Self.text(document["model"]))
        var elements = content.elements
        while let block = elements.next() { read(whole: block, into: sink) }
        finish(document["stop_reason"], into: sink)
        usage.merge(document["usage"])
        if let usage = usage.usage { sink.usage(usage) }
        isStopped = true
    }

    private func read(whole block: JSONValue, into sink: any ReplySink) {
        guard let type = block["type"]?.unescapedBytes else { return }
        if type.equals("text") {
            if let text = Self.text(block["text"]), !text.isEmpty { sink.text(text) }
        } else if type.equals("thinking") {
            let text = Self.text(block["thinking"])
            if let text, !text.isEmpty { sink.reasoning(text) }
            if let signature = Self.text(block["signature"]), !signature.isEmpty {
                sink.reasoningBlock(ReasoningBlock(format: ReasoningDetails.anthropic, text: text, seal: signature))
            }
        } else if type.equals("redacted_thinking") {
            readRedacted(block, into: sink)
        } else if type.equals("tool_use") {
            let kind = begin(call: block, into: sink)
            guard let input = block["input"], input.isObject, input.count > 0 || kind == .answer else { return }
            append(ReplyText(input.rawBytes), to: kind, into: sink)
        }
    }

    private func readRedacted(_ block: JSONValue, into sink: any ReplySink) {
        guard let data = Self.text(block["data"]), !data.isEmpty else { return }
        sink.reasoningBlock(ReasoningBlock(format: ReasoningDetails.anthropic, text: nil, seal: data))
    }

    // MARK: Events

    package func decode(event document: JSONValue, named name: Span<UInt8>, into sink: any ReplySink) {
        if let type = document["type"]?.unescapedBytes {
            read(document, type, into: sink)
        } else if !name.isEmpty {
            // Some compatible servers give the name only as the event's.
            read(document, name, into: sink)
        } else if let fault = AnthropicFault.inBand(document) {
            report(fault, into: sink)
        }
    }

    private func read(_ document: JSONValue, _ type: Span<UInt8>, into sink: any ReplySink) {
        if type.equals("content_block_delta") {
            if let delta = document["delta"] { read(delta, of: document["index"]?.int ?? 0, into: sink) }
        } else if type.equals("content_block_start") {
            if let block = document["content_block"] { begin(block, document["index"]?.int ?? 0, into: sink) }
        } else if type.equals("content_block_stop") {
            end(document["index"]?.int ?? 0, into: sink)
        } else if type.equals("message_start") {
            let message = document["message"]
            sink.begin(id: Self.text(message?["id"]), model: Self.text(message?["model"]))
            merge(message?["usage"], into: sink)
        } else if type.equals("message_delta") {
            finish(document["delta"]?["stop_reason"], into: sink)
            merge(document["usage"], into: sink)
        } else if type.equals("message_stop") {
            while let block = blocks.first { end(block.index, into: sink) }
            isStopped = true
        } else if type.equals("error") {
            report(AnthropicFault.inBand(document) ?? ProviderFault(502, "The provider reported an error."), into: sink)
        }
    }

    private func read(_ delta: JSONValue, of index: Int, into sink: any ReplySink) {
        guard let type = delta["type"]?.unescapedBytes else { return }
        if type.equals("text_delta") {
            if let text = Self.text(delta["text"]), !text.isEmpty { sink.text(text) }
        } else if type.equals("input_json_delta") {
            guard let fragment = Self.text(delta["partial_json"]), !fragment.isEmpty,
                let place = blocks.firstIndex(where: { $0.index == index })
            else { return }
            append(fragment, to: blocks[place].kind, into: sink)
        } else if type.equals("thinking_delta") {
            guard let text = Self.text(delta["thinking"]), !text.isEmpty else { return }
            sink.reasoning(text)
            if let place = thinkingBlock(index) { keep(text, of: place, in: \.text) }
        } else if type.equals("signature_delta") {
            guard let signature = Self.text(delta["signature"]), let place = thinkingBlock(index) else { return }
            keep(signature, of: place, in: \.signature)
        }
    }

    private func begin(_ block: JSONValue, _ index: Int, into sink: any ReplySink) {
        guard let type = block["type"]?.unescapedBytes else { return }
        end(index, into: sink)
        if blocks.count >= Self.blocksMax { _ = close(0) }
        if type.equals("tool_use") {
            blocks.append(Block(index: index, kind: begin(call: block, into: sink)))
            // Some servers give the input at once.
            if let input = block["input"], input.isObject, input.count > 0 {
                append(ReplyText(input.rawBytes), to: blocks[blocks.count - 1].kind, into: sink)
            }
        } else if type.equals("thinking") {
            blocks.append(Block(index: index, kind: .thinking))
            if let text = Self.text(block["thinking"]), !text.isEmpty {
                sink.reasoning(text)
                keep(text, of: blocks.count - 1, in: \.text)
            }
        } else if type.equals("redacted_thinking") {
            readRedacted(block, into: sink)
        } else if type.equals("text"), let text = Self.text(block["text"]), !text.isEmpty {
            sink.text(text)
        }
    }

    private func end(_ index: Int, into sink: any ReplySink) {
        guard let place = blocks.firstIndex(where: { $0.index == index }) else { return }
        let block = close(place)
        guard block.kind == .thinking, !block.isCut, let signature = block.signature, !signature.isEmpty else { return }
        let text = block.text ?? ByteBuffer(capacity: 16)
        sink.reasoningBlock(
            ReasoningBlock(
                format: ReasoningDetails.anthropic, text: .escaped(text.span), seal: .escaped(signature.span)))
    }

    private func close(_ place: Int) -> Block {
        let block = blocks.remove(at: place)
        keptByteCount -= block.keptByteCount
        return block
    }

    private func thinkingBlock(_ index: Int) -> Int? { blocks.firstIndex { $0.index == index && $0.kind == .thinking } }

    /// The text of a block is wanted again with its signature: both of them whole, or not at all.
    private func keep(_ text: ReplyText, of place: Int, in part: WritableKeyPath<Block, ByteBuffer?>) {
        if blocks[place].isCut { return }
        let kept = blocks[place][keyPath: part] ?? ByteBuffer(capacity: max(256, text.byteCount))
        let before = kept.count
        text.append(escapedTo: kept)
        keptByteCount += kept.count - before
        blocks[place][keyPath: part] = kept
        if keptByteCount <= Self.keptBytesMax { return }
        keptByteCount -= blocks[place].keptByteCount
        blocks[place].isCut = true
        blocks[place].text = nil
        blocks[place].signature = nil
    }

    // MARK: Calls

    private func begin(call block: JSONValue, into sink: any ReplySink) -> Block.Kind {
        guard let name = Self.text(block["name"]) else { return .other }
        if block["name"]?.equals(AnthropicDialect.answerTool) == true {
            hasAnswerTool = true
            return .answer
        }
        if callCount >= Self.callsMax { return .other }
        sink.toolCall(callCount, ToolCallStart(id: Self.text(block["id"]), name: name))
        callCount += 1
        return .call(callCount - 1)
    }

    private func append(_ fragment: ReplyText, to kind: Block.Kind, into sink: any ReplySink) {
        switch kind {
        case .call(let number): sink.toolArguments(number, fragment)
        case .answer: sink.text(fragment)
        case .other, .thinking: break
        }
    }

    // MARK: The end

    private func finish(_ reason: JSONValue?, into sink: any ReplySink) {
        guard let reason, let word = reason.unescapedBytes else { return }
        let told: FinishReason =
            if word.equals("tool_use") {
                hasAnswerTool && callCount == 0 ? .stop : .toolCalls
            } else if word.equals("max_tokens") || word.equals("model_context_window_exceeded") {
                .length
            } else if word.equals("refusal") {
                .contentFilter
            } else {
                // end_turn, stop_sequence; pause_turn comes only with tools that run at Anthropic.
                .stop
            }
        sink.finish(told)
    }

    private func merge(_ value: JSONValue?, into sink: any ReplySink) {
        guard let value else { return }
        usage.merge(value)
        if let usage = usage.usage { sink.usage(usage) }
    }

    private func report(_ fault: ProviderFault, into sink: any ReplySink) {
        hasFault = true
        sink.fault(fault)
    }

    @_lifetime(copy value)
    private static func text(_ value: JSONValue?) -> ReplyText? {
        guard let value else { return nil }
        return ReplyText(value)
    }
}
