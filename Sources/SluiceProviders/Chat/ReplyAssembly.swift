package import SluiceCore

/// Collects a reply that the application wants whole, whether it came whole or in pieces. A dialect writes it at the end.
package final class ReplyAssembly: ReplySink {
    package struct Call {
        /// `nil` if the provider gave none.
        package var id: String?
        package var name: String
        /// Inside of a JSON string, escapes as they came.
        package let arguments: ByteBuffer
        package var signature: String?
    }

    package struct Block {
        package let format: StaticString
        package let text: String?
        package let seal: String
    }

    package private(set) var id: String?
    package private(set) var model: String?
    /// Seconds since 1970.
    package private(set) var created: Int?
    package private(set) var fingerprint: String?
    /// Insides of JSON strings; `nil` if there was none.
    package private(set) var text: ByteBuffer?
    package private(set) var reasoning: ByteBuffer?
    package private(set) var refusal: ByteBuffer?
    package private(set) var blocks: [Block] = []
    package private(set) var calls: [Call] = []
    /// The insides of JSON strings, each a data URL.
    package private(set) var images: [ByteBuffer] = []
    package private(set) var finishReason: FinishReason?
    package private(set) var usage: Usage?
    package private(set) var fault: ProviderFault?
    /// Bytes of the answer collected so far.
    package private(set) var byteCount = 0
    /// Bytes of everything that is kept, names and copies included.
    package var keptByteCount: Int { byteCount + otherByteCount }
    private var otherByteCount = 0
    /// No provider's answer has more calls; more are left out.
    private static let callsMax = 1024
    /// What a call or a block counts for besides its text: what it takes in memory.
    private static let partByteCount = 128
    /// Whether nothing has come that is an answer, not even why it ends.
    package var isEmpty: Bool {
        byteCount == 0 && calls.isEmpty && blocks.isEmpty && images.isEmpty && finishReason == nil
    }

    package init() {}

    package func begin(id: ReplyText?, model: ReplyText?) {
        if self.id == nil { self.id = id?.string }
        if self.model == nil { self.model = model?.string }
    }

    package func origin(created: Int?, fingerprint: ReplyText?) {
        if self.created == nil, let created, created > 0 { self.created = created }
        if self.fingerprint == nil, let fingerprint, !fingerprint.isEmpty { self.fingerprint = fingerprint.string }
    }

    package func text(_ text: ReplyText) { self.text = append(text, to: self.text) }
    package func reasoning(_ text: ReplyText) { reasoning = append(text, to: reasoning) }
    package func refusal(_ text: ReplyText) { refusal = append(text, to: refusal) }

    private func append(_ text: ReplyText, to buffer: ByteBuffer?) -> ByteBuffer {
        let buffer = buffer ?? ByteBuffer(capacity: max(64, text.byteCount))
        byteCount += text.byteCount
        text.append(escapedTo: buffer)
        return buffer
    }

    package func reasoningBlock(_ block: ReasoningBlock) {
        byteCount += block.seal.byteCount
        otherByteCount += Self.partByteCount + (block.text?.byteCount ?? 0)
        blocks.append(Block(format: block.format, text: block.text?.string, seal: block.seal.string))
    }

    package func image(_ image: ReplyImage) {
        let url = ByteBuffer(capacity: image.base64.byteCount + 64)
        image.append(escapedTo: url)
        byteCount += url.count
        images.append(url)
    }

    package func toolCall(_ index: Int, _ call: ToolCallStart) {
        if calls.count >= Self.callsMax { return }
        otherByteCount +=
            Self.partByteCount + call.name.byteCount + (call.id?.byteCount ?? 0) + (call.signature?.byteCount ?? 0)
        calls.append(
            Call(
                id: call.id?.string, name: call.name.string, arguments: ByteBuffer(capacity: 64),
                signature: call.signature?.string))
    }

    package func toolArguments(_ index: Int, _ fragment: ReplyText) {
        guard calls.indices.contains(index) else { return }
        byteCount += fragment.byteCount
        fragment.append(escapedTo: calls[index].arguments)
    }

    package func finish(_ reason: FinishReason) { finishReason = reason }
    package func usage(_ usage: Usage) { self.usage = usage }
    package func fault(_ fault: ProviderFault) { if self.fault == nil { self.fault = fault } }
}
