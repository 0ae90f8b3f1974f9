/// The wire formats that providers speak, by the names that configurations use.
package enum ProviderDialect: String, Sendable, CaseIterable {
    case openai
    case anthropic
    case gemini
    case vertex
    case bedrock
    case ernie
    case dashscope
    case hunyuan
    case sparkWebSocket = "spark-ws"

    /// What speaks it.
    package var chat: any ChatDialect {
        switch self {
        case .openai: OpenAIDialect()
        case .anthropic: AnthropicDialect()
        case .gemini: GeminiDialect(.gemini)
        case .vertex: GeminiDialect(.vertex)
        case .bedrock: ConverseDialect()
        case .ernie: ErnieDialect()
        case .dashscope: DashScopeDialect()
        case .hunyuan: HunyuanDialect()
        case .sparkWebSocket: SparkDialect()
        }
    }
}
