/// The wire formats that providers speak, by the names that configurations use.
package enum ProviderDialect: String, Sendable, CaseIterable {
    case openai
    case anthropic

    /// What speaks it.
    package var chat: any ChatDialect {
        switch self {
        case .openai: OpenAIDialect()
        case .anthropic: AnthropicDialect()
        }
    }
}
