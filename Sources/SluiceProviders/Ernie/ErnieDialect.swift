package import SluiceCore
package import SluiceHTTP
package import SluiceJSON

/// Baidu's legacy interface, "wenxinworkshop" v1 (baidu sheet, section 3). The base URL ends in `/wenxinworkshop`.
package struct ErnieDialect: ChatDialect {
    package init() {}

    package func chatTarget(_ request: borrowing ChatRequest) -> String { "/chat/" + ErnieModel.slug(request.model) }

    package func encode(
        _ request: borrowing ChatRequest, _ capabilities: Capabilities, into body: ByteBuffer,
        _ report: inout FieldReport
    ) throws(EncodingRefusal) {
        var encoder = ErnieEncoder(capabilities, report, into: body)
        try encoder.write(request)
        report = encoder.report
    }

    package func makeDecoder() -> any ReplyDecoder { ErnieReplyDecoder() }

    package func fault(_ head: ResponseHead, _ document: JSONValue?, text: Span<UInt8>) -> ProviderFault {
        if let document, let fault = ErnieFault.inBand(document) { return fault }
        return OpenAIFault.read(head, document, text: text)
    }

    package var embeddings: (any EmbeddingDialect)? { ErnieEmbeddings() }
    package var hasModelList: Bool { false }
}

/// The interface names its models in the path (section 3.2).
enum ErnieModel {
    /// What stands after `/chat/` or `/embeddings/`. A model that is not in the table is its own name, in lower case.
    static func slug(_ model: String) -> String {
        let name = model.lowercased()
        if let slug = slugs[name] { return slug }
        let path = ByteBuffer(capacity: name.utf8.count)
        PathSegment.append(name.utf8Span.span, to: path)
        return path.text
    }

    private static let slugs: [String: String] = [
        "ernie-4.0-8k": "completions_pro", "ernie-bot-4": "completions_pro",
        "ernie-3.5-8k": "completions", "ernie-bot": "completions",
        "ernie-speed-8k": "ernie_speed", "ernie-speed": "ernie_speed",
        "ernie-lite-8k-0308": "ernie-lite-8k",
        "ernie-lite-8k-0922": "eb-instant", "ernie-bot-turbo": "eb-instant",
        "ernie-character-8k": "ernie-char-8k", "ernie-character-fiction-8k": "ernie-char-fiction-8k",
        "ernie-functions-8k": "ernie-func-8k",
        "bge-large-zh": "bge_large_zh", "bge-large-en": "bge_large_en", "tao-8k": "tao_8k",
    ]
}
