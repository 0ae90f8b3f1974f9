package import SluiceCore
package import SluiceHTTP
package import SluiceJSON

/// Alibaba's native interface (alibaba sheet, section 3). The base URL ends in `/api/v1`.
package struct DashScopeDialect: ChatDialect {
    package init() {}

    package func chatTarget(_ request: borrowing ChatRequest) -> String {
        Self.isMultimodal(request)
            ? "/services/aigc/multimodal-generation/generation" : "/services/aigc/text-generation/generation"
    }

    /// The stream's switch is a field.
    package func addFields(_ request: borrowing ChatRequest, to fields: inout HeaderFields) {
        if request.isStream { fields.append(lowercaseName: "x-dashscope-sse", "enable") }
    }

    package func encode(
        _ request: borrowing ChatRequest, _ capabilities: Capabilities, into body: ByteBuffer,
        _ report: inout FieldReport
    ) throws(EncodingRefusal) {
        var encoder = DashScopeEncoder(capabilities, report, isMultimodal: Self.isMultimodal(request), into: body)
        try encoder.write(request)
        report = encoder.report
    }

    package func makeDecoder() -> any ReplyDecoder { DashScopeReplyDecoder() }

    package func fault(_ head: ResponseHead, _ document: JSONValue?, text: Span<UInt8>) -> ProviderFault {
        if let document, let fault = DashScopeFault.read(document, status: head.status) { return fault }
        return OpenAIFault.read(head, document, text: text)
    }

    package var embeddings: (any EmbeddingDialect)? { DashScopeEmbeddings() }
    package var hasModelList: Bool { false }

    /// Open-weight Qwen3 models think unless told otherwise, and only in a stream: any other call is refused (alibaba sheet,
    /// section 2). They are named by their size: `qwen3-32b`.
    static func isOpenWeight(_ model: String) -> Bool {
        let name = model.lowercased().utf8
        let prefix = "qwen3-".utf8
        return name.starts(with: prefix)
            && name.dropFirst(prefix.count).first.map { (0x30...0x39).contains($0) } == true
    }

    /// Models that see or hear have a path of their own, where a message's content is an array. Which models those are is told by
    /// their names, and by what they are sent; the wrong path is refused with "url error" (unverified).
    static func isMultimodal(_ request: borrowing ChatRequest) -> Bool {
        let model = request.model.lowercased()
        if model.contains("-vl") || model.hasPrefix("qvq") || model.contains("omni") { return true }
        var messages = request.messages
        while let value = messages.next() {
            guard let content = ChatMessage(value).content, content.isArray else { continue }
            var parts = content.elements
            while let part = parts.next() { if ChatPart(part).kind == .image { return true } }
        }
        return false
    }
}
