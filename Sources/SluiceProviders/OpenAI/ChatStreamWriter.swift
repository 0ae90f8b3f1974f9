package import SluiceCore
internal import SluiceJSON

/// Writes a reply as a stream of chat completion chunks (section 6 of the OpenAI sheet).
package final class ChatStreamWriter: StreamWriter {
    package let output = ByteBuffer(capacity: 1024)
    package private(set) var hasContent = false
    package private(set) var fault: ProviderFault?
    package private(set) var usage: Usage?
    package private(set) var textByteCount = 0

    private var identity: ReplyIdentity
    private let showsUsage: Bool
    /// What every chunk begins with: made once, when the first is written.
    private var head: ByteBuffer?
    private var hasCalls = false
    private var finishReason: FinishReason?
    /// Calls that have begun and got no arguments yet: one without any has `{}`.
    private var isCallEmpty = false
    private var callIndex = -1
    private var id: String?
    package private(set) var model: String?
    private var created: Int?
    private var fingerprint: String?
    private var blockCount = 0

    /// - Parameter showsUsage: the application asked for it (`stream_options.include_usage`).
    package init(_ identity: ReplyIdentity, showsUsage: Bool) {
        self.identity = identity
        self.showsUsage = showsUsage
    }

    /// Goes on with a stream that another writer, or a provider, has begun: under its name, and without a second beginning.
    package init(resuming opening: ReplyOpening, _ identity: ReplyIdentity, showsUsage: Bool) {
        self.identity = identity
        self.showsUsage = showsUsage
        id = opening.id
        model = opening.model
        created = opening.created
        fingerprint = opening.fingerprint
        hasContent = true
        makeHead()
    }

    // MARK: Chunks

    private func openHead() {
        if head != nil { return }
        makeHead()
        open()
        output.append("\"role\":\"assistant\",\"content\":\"\"" as StaticString)
        close()
    }

    private func makeHead() {
        let head = ByteBuffer(capacity: 256)
        head.append("data: {\"id\":" as StaticString)
        var json = JSONWriter(into: head)
        json.string(id ?? "chatcmpl-\(identity.requestID)")
        head.append(",\"object\":\"chat.completion.chunk\",\"created\":" as StaticString)
        head.append(decimal: created ?? identity.created)
        head.append(",\"model\":" as StaticString)
        json = JSONWriter(into: head)
        json.string(model ?? identity.model)
        if let fingerprint {
            head.append(",\"system_fingerprint\":" as StaticString)
            json = JSONWriter(into: head)
            json.string(fingerprint)
        }
        head.append(",\"choices\":[" as StaticString)
        self.head = head
    }

    /// The beginning of a chunk, up to the inside of its delta.
    @inline(__always) private func open() {
        openHead()
        if let head { output.append(head.span) }
        output.append("{\"index\":0,\"delta\":{" as StaticString)
    }

    @inline(__always) private func close() {
        output.append("},\"logprobs\":null,\"finish_reason\":null}]" as StaticString)
        end()
    }

    @inline(__always) private func end() {
        output.append(showsUsage ? ",\"usage\":null}\n\n" as StaticString : "}\n\n" as StaticString)
    }

    private func write(_ member: StaticString, _ text: ReplyText) {
        if text.isEmpty { return }
        hasContent = true
        textByteCount += text.byteCount
        open()
        output.append(member)
        text.append(escapedTo: output)
        output.append(UInt8(ascii: "\""))
        close()
    }

    // MARK: ReplySink

    package func begin(id: ReplyText?, model: ReplyText?) {
        if head != nil { return }
        if self.id == nil { self.id = id?.string }
        if self.model == nil { self.model = model?.string }
    }

    package func origin(created: Int?, fingerprint: ReplyText?) {
        if head != nil { return }
        if self.created == nil, let created, created > 0 { self.created = created }
        if self.fingerprint == nil, let fingerprint, !fingerprint.isEmpty { self.fingerprint = fingerprint.string }
    }

    package func text(_ text: ReplyText) { write("\"content\":\"", text) }
    package func reasoning(_ text: ReplyText) { write("\"reasoning_content\":\"", text) }
    package func refusal(_ text: ReplyText) { write("\"refusal\":\"", text) }

    /// As OpenRouter and others do it: OpenAI's chat has no place for pictures.
    package func image(_ image: ReplyImage) {
        hasContent = true
        open()
        output.append("\"images\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"" as StaticString)
        image.append(escapedTo: output)
        output.append("\"}}]" as StaticString)
        close()
    }

    package func reasoningBlock(_ block: ReasoningBlock) {
        open()
        output.append("\"reasoning_details\":[" as StaticString)
        var json = JSONWriter(into: output)
        ReasoningDetails.write(block, index: blockCount, &json)
        output.append(UInt8(ascii: "]"))
        close()
        blockCount += 1
    }

    package func toolCall(_ index: Int, _ call: ToolCallStart) {
        closeCall()
        hasContent = true
        hasCalls = true
        isCallEmpty = true
        callIndex = index
        open()
        output.append("\"tool_calls\":[{\"index\":" as StaticString)
        output.append(decimal: index)
        output.append(",\"id\":\"" as StaticString)
        if let id = call.id, !id.isEmpty { id.append(escapedTo: output) } else { output.append(identity.callID()) }
        output.append("\",\"type\":\"function\",\"function\":{\"name\":\"" as StaticString)
        call.name.append(escapedTo: output)
        output.append("\",\"arguments\":\"\"}" as StaticString)
        if let signature = call.signature { ReasoningDetails.append(thoughtSignature: signature, to: output) }
        output.append("}]" as StaticString)
        close()
    }

    package func toolArguments(_ index: Int, _ fragment: ReplyText) {
        if fragment.isEmpty { return }
        if index == callIndex { isCallEmpty = false }
        textByteCount += fragment.byteCount
        open()
        output.append("\"tool_calls\":[{\"index\":" as StaticString)
        output.append(decimal: index)
        output.append(",\"function\":{\"arguments\":\"" as StaticString)
        fragment.append(escapedTo: output)
        output.append("\"}}]" as StaticString)
        close()
    }

    private func closeCall() {
        if !isCallEmpty { return }
        isCallEmpty = false
        toolArguments(callIndex, ReplyText("{}".utf8Span.span))
    }

    package func finish(_ reason: FinishReason) {
        hasContent = true
        finishReason = reason
    }

    package func usage(_ usage: Usage) { self.usage = usage }
    package func fault(_ fault: ProviderFault) { if self.fault == nil { self.fault = fault } }

    package func finishStream() {
        closeCall()
        hasContent = true
        open()
        output.append("},\"logprobs\":null,\"finish_reason\":\"" as StaticString)
        output.append(FinishReason.told(finishReason, hasCalls: hasCalls).rawValue)
        output.append("\"}]" as StaticString)
        end()
        if showsUsage, let usage, let head {
            output.append(head.span)
            output.append("],\"usage\":" as StaticString)
            var json = JSONWriter(into: output)
            usage.write(&json)
            output.append("}\n\n" as StaticString)
        }
        output.append("data: [DONE]\n\n" as StaticString)
    }
}

extension FinishReason {
    /// What an application is told: a provider that says `stop` after calls, or nothing, means the calls.
    package static func told(_ reason: FinishReason?, hasCalls: Bool) -> FinishReason {
        guard let reason else { return hasCalls ? .toolCalls : .stop }
        return reason == .stop && hasCalls ? .toolCalls : reason
    }
}
