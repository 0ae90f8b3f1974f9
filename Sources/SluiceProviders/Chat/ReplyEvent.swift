/// The small vocabulary that every provider's reply is put into when the application speaks another dialect.
package enum ReplyEvent: Equatable, Sendable {
    case text(String)
    case reasoning(String)
    case refusal(String)
    /// Why the answer ended, in OpenAI's words: `stop`, `length`, `tool_calls`, `content_filter`.
    case finish(String)
    case usage(Usage)
}
