package import SluiceCore
internal import SluiceJSON

/// Writes a reply as a stream of Messages (section 7 of the Anthropic sheet).
package final class MessagesStreamWriter: StreamWriter {
    private enum Block: Equatable {
        case none, text, thinking
        case call(Int)
    }

    package let output = ByteBuffer(capacity: 1024)
    package private(set) var hasContent = false
    package private(set) var fault: ProviderFault?
    package private(set) var usage: Usage?
    package private(set) var textByteCount = 0

    private var identity: ReplyIdentity
    private var id: String?
    package private(set) var model: String?
    private var isOpen = false
    private var block = Block.none
    /// Blocks that have begun.
    private var blockCount = 0
    /// The index of each call's block, by its number.
    private var callBlocks: [Int] = []
    private var isRefused = false
    private var finishReason: FinishReason?
    private static let callsMax = 1024

    package init(_ identity: ReplyIdentity) { self.identity = identity }

    /// Goes on with a stream that a provider has begun: in the text that is open, or in the next block.
    package init(resuming opening: ReplyOpening, _ identity: ReplyIdentity) {
        self.identity = identity
        isOpen = true
        hasContent = true
        blockCount = opening.blockCount
        block = opening.isTextOpen ? .text : .none
    }

    // MARK: Events

    private func event(_ name: StaticString) {
        output.append("event: " as StaticString)
        output.append(name)
        output.append("\ndata: {\"type\":\"" as StaticString)
        output.append(name)
        output.append(UInt8(ascii: "\""))
    }

    @inline(__always) private func end() { output.append("}\n\n" as StaticString) }

    private func open() {
        if isOpen { return }
        isOpen = true
        event("message_start")
        output.append(",\"message\":{\"id\":" as StaticString)
        var json = JSONWriter(into: output)
        json.string(id ?? "msg_\(identity.requestID)")
        output.append(",\"type\":\"message\",\"role\":\"assistant\",\"model\":" as StaticString)
        json = JSONWriter(into: output)
        json.string(model ?? identity.model)
        output.append(",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":" as StaticString)
        json = JSONWriter(into: output)
        (usage ?? Usage()).writeAnthropic(&json)
        output.append(UInt8(ascii: "}"))
        end()
    }

    /// - Parameter block: the inside of `content_block`.
    private func start(_ kind: Block, _ content: () -> Void) {
        stop()
        block = kind
        event("content_block_start")
        output.append(",\"index\":" as StaticString)
        output.append(decimal: blockCount)
        output.append(",\"content_block\":{" as StaticString)
        content()
        output.append(UInt8(ascii: "}"))
        end()
        blockCount += 1
    }

    private func stop() {
        if block == .none { return }
        block = .none
        event("content_block_stop")
        output.append(",\"index\":" as StaticString)
        output.append(decimal: blockCount - 1)
        end()
    }

    @inline(__always) private func delta(_ index: Int, _ member: StaticString, _ text: ReplyText) {
        output.append("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":" as StaticString)
        output.append(decimal: index)
        output.append(",\"delta\":{\"type\":\"" as StaticString)
        output.append(member)
        textByteCount += text.byteCount
        text.append(escapedTo: output)
        output.append("\"}}\n\n" as StaticString)
    }

    // MARK: ReplySink

    package func begin(id: ReplyText?, model: ReplyText?) {
        if isOpen { return }
        if self.id == nil { self.id = id?.string }
        if self.model == nil { self.model = model?.string }
    }

    package func text(_ text: ReplyText) {
        if text.isEmpty { return }
        hasContent = true
        open()
        if block != .text { start(.text) { output.append("\"type\":\"text\",\"text\":\"\"" as StaticString) } }
        delta(blockCount - 1, "text_delta\",\"text\":\"", text)
    }

    package func refusal(_ text: ReplyText) {
        isRefused = true
        self.text(text)
    }

    package func reasoning(_ text: ReplyText) {
        if text.isEmpty { return }
        hasContent = true
        open()
        startThinking()
        delta(blockCount - 1, "thinking_delta\",\"thinking\":\"", text)
    }

    private func startThinking() {
        if block == .thinking { return }
        start(.thinking) { output.append("\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"" as StaticString) }
    }

    package func reasoningBlock(_ block: ReasoningBlock) {
        open()
        if block.text == nil {
            start(.thinking) {
                output.append("\"type\":\"redacted_thinking\",\"data\":\"" as StaticString)
                ThinkingSeal.append(block, to: output)
                output.append(UInt8(ascii: "\""))
            }
        } else {
            startThinking()
            output.append(
                "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":" as StaticString)
            output.append(decimal: blockCount - 1)
            output.append(",\"delta\":{\"type\":\"signature_delta\",\"signature\":\"" as StaticString)
            ThinkingSeal.append(block, to: output)
            output.append("\"}}\n\n" as StaticString)
        }
        stop()
    }

    package func toolCall(_ index: Int, _ call: ToolCallStart) {
        if callBlocks.count >= Self.callsMax { return }
        hasContent = true
        open()
        start(.call(index)) {
            output.append("\"type\":\"tool_use\",\"id\":\"" as StaticString)
            if let id = call.id, !id.isEmpty {
                id.append(escapedTo: output)
            } else {
                output.append(identity.callID("toolu_"))
            }
            output.append("\",\"name\":\"" as StaticString)
            call.name.append(escapedTo: output)
            output.append("\",\"input\":{}" as StaticString)
            if let signature = call.signature { ReasoningDetails.append(thoughtSignature: signature, to: output) }
        }
        callBlocks.append(blockCount - 1)
    }

    /// A call that a later one has followed may still get a piece: it is told apart by its index.
    package func toolArguments(_ index: Int, _ fragment: ReplyText) {
        guard !fragment.isEmpty, callBlocks.indices.contains(index) else { return }
        delta(callBlocks[index], "input_json_delta\",\"partial_json\":\"", fragment)
    }

    package func finish(_ reason: FinishReason) {
        hasContent = true
        finishReason = reason
    }

    package func usage(_ usage: Usage) { self.usage = usage }
    package func fault(_ fault: ProviderFault) { if self.fault == nil { self.fault = fault } }

    package func finishStream() {
        hasContent = true
        open()
        stop()
        event("message_delta")
        output.append(",\"delta\":{\"stop_reason\":\"" as StaticString)
        output.append(StopReason.of(finishReason, hasCalls: !callBlocks.isEmpty, isRefused: isRefused))
        output.append("\",\"stop_sequence\":null},\"usage\":" as StaticString)
        var json = JSONWriter(into: output)
        (usage ?? Usage()).writeAnthropic(&json)
        end()
        event("message_stop")
        end()
    }
}

/// What Messages call the reason why an answer ended (section 6 of the sheet).
enum StopReason {
    static func of(_ reason: FinishReason?, hasCalls: Bool, isRefused: Bool) -> StaticString {
        if isRefused { return "refusal" }
        return switch FinishReason.told(reason, hasCalls: hasCalls) {
        case .stop: "end_turn"
        case .length: "max_tokens"
        case .toolCalls: "tool_use"
        case .contentFilter: "refusal"
        }
    }
}

/// The seal of a block of reasoning, as Messages carry it: Anthropic's own as it is, another provider's after the name of its
/// format, so that it finds its way back.
enum ThinkingSeal {
    private static let others = [ReasoningDetails.bedrock, ReasoningDetails.google, ReasoningDetails.openAI]

    static func append(_ block: ReasoningBlock, to buffer: ByteBuffer) {
        append(format: block.format, to: buffer)
        block.seal.append(escapedTo: buffer)
    }

    static func append(format: StaticString, to buffer: ByteBuffer) {
        for other in others where "\(other)" == "\(format)" {
            buffer.append(other)
            buffer.append(UInt8(ascii: ":"))
        }
    }

    /// Whose seal it is, and how many bytes at its beginning say so.
    static func format(of seal: Span<UInt8>) -> (format: StaticString, prefix: Int) {
        for other in others {
            let length = other.utf8CodeUnitCount
            if seal.count > length, seal.hasPrefix(other), seal[length] == UInt8(ascii: ":") {
                return (other, length + 1)
            }
        }
        return (ReasoningDetails.anthropic, 0)
    }
}
