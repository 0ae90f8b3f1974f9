internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceProviders
internal import SluiceStorage

/// What an application gets, whole or as a stream: each has a form in which it is kept.
enum AnswerForm: UInt8 {
    case chat = 1
    /// A chat completion in the platform's envelope; kept without it.
    case platformChat
    case message, response, completion, embeddings

    /// - Returns: `nil` for what is not cached.
    init?(_ context: RequestContext) {
        if context.countsTokens { return nil }
        switch (context.dialect, context.operation) {
        case (.openAI, .chatCompletions): self = .chat
        case (.platform, .chatCompletions): self = .platformChat
        case (.anthropic, .chatCompletions): self = .message
        case (.openAI, .responses): self = .response
        case (.openAI, .completions): self = .completion
        case (.openAI, .embeddings): self = .embeddings
        default: return nil
        }
    }

    var kept: CacheEntry.Form {
        switch self {
        case .chat, .platformChat: .chat
        case .message: .message
        case .response: .response
        case .completion: .completion
        case .embeddings: .embeddings
        }
    }

    /// Reads the streams that applications get.
    func makeDecoder() -> (any ReplyDecoder)? {
        switch self {
        case .chat: OpenAIReplyDecoder()
        case .platformChat: PlatformReplyDecoder()
        case .message: AnthropicReplyDecoder()
        case .response, .completion, .embeddings: nil
        }
    }

    /// Members of a request that do not change its answer: everything else counts, known or not.
    var meaningless: JSONNames {
        switch self {
        case .chat, .platformChat: Self.meaninglessInChat
        case .message: Self.meaninglessInMessage
        // A response repeats everything else of its request.
        case .response: Self.meaninglessInResponse
        case .completion: Self.meaninglessInCompletion
        case .embeddings: Self.meaninglessInEmbeddings
        }
    }

    private static let meaninglessInChat: JSONNames = [
        "stream", "stream_options", "user", "metadata", "store", "safety_identifier", "prompt_cache_key",
        "prompt_cache_retention",
    ]
    private static let meaninglessInMessage: JSONNames = ["stream", "metadata"]
    private static let meaninglessInResponse: JSONNames = ["stream", "stream_options"]
    private static let meaninglessInCompletion: JSONNames = ["stream", "stream_options", "user"]
    private static let meaninglessInEmbeddings: JSONNames = ["user"]
}
