/// Whom a canonical request is written for: what is understood there beside OpenAI's sheet.
package struct ChatTarget: Sendable {
    /// It gets the chat request as it is: only what OpenAI knows may be in it.
    package var isOpenAI: Bool
    /// It is OpenAI itself, whose newer models refuse `max_tokens`; those who imitate it may not know anything else.
    package var takesMaxCompletionTokens: Bool

    package init(isOpenAI: Bool, takesMaxCompletionTokens: Bool = false) {
        self.isOpenAI = isOpenAI
        self.takesMaxCompletionTokens = takesMaxCompletionTokens
    }
}
