/// What a model can do: what it cannot is adapted, refused or dropped before the call. One row of the capability table.
package struct Capabilities: Sendable, Equatable {
    /// How deep a model thinks is asked for in one of these ways.
    package enum Reasoning: String, Sendable, CaseIterable {
        case none
        /// A word: low, medium, high.
        case effort
        /// A budget in tokens.
        case budget
        /// By the model itself; the effort is a hint.
        case adaptive
    }

    /// How a model is told to go on with a message of the assistant that stands last: what it answers is appended to it.
    package enum Continuation: String, Sendable, CaseIterable {
        /// It does not, or nobody knows: it may begin anew.
        case none
        /// By the message alone.
        case message
        /// `partial: true` in the message.
        case partial
        /// `prefix: true` in the message.
        case prefix
        /// `continue_final_message: true` in the request, and `add_generation_prompt: false`.
        case continueFinalMessage = "continue_final_message"
    }

    package var systemRole = true
    package var tools = true
    /// Several calls in one answer.
    package var parallelTools = true
    /// `tool_choice` `required` or a named function.
    package var forcedTools = true
    package var jsonObject = true
    package var jsonSchema = true
    package var images = true
    /// Images by http URL, not only as data.
    package var imageURLs = true
    package var audio = true
    package var files = true
    package var reasoning = Reasoning.effort
    /// Temperature, top_p and the like.
    package var sampling = true
    /// A last message of the assistant is continued.
    package var prefill = true
    /// For the rescue of a stream that broke off.
    package var continuation = Continuation.none
    /// Says at the end of a stream what it cost.
    package var streamUsage = true
    /// In tokens; `nil`: not known.
    package var contextTokensMax: Int?
    package var outputTokensMax: Int?

    package init() {}
}
