/// What models with these names can do, as far as it differs from what a shorter pattern says.
package struct CapabilityRules: Sendable, Equatable {
    /// How deep a model thinks is asked for in one of these ways.
    package enum Reasoning: String, Sendable, CaseIterable { case none, effort, budget, adaptive }

    /// How a model is told to go on with the assistant's last message.
    package enum Continuation: String, Sendable, CaseIterable {
        case none, message, partial, prefix
        case continueFinalMessage = "continue_final_message"
    }

    /// Names, and beginnings that end in `*`.
    package var models: [String]
    /// By the name of the setting; those that are not given are not here.
    package var flags: [Named<Bool>]
    package var reasoning: Reasoning?
    package var continuation: Continuation?
    package var contextTokensMax: Int?
    package var outputTokensMax: Int?

    /// The flags and what they mean.
    package static let flagDocs: [(name: String, doc: String)] = [
        ("system_role", "Messages of the role `system`."),
        ("tools", "Tools."),
        ("parallel_tools", "Several calls in one answer."),
        ("forced_tools", "`tool_choice` `required` or a named function."),
        ("json_object", "`response_format` `json_object`."),
        ("json_schema", "`response_format` `json_schema`."),
        ("images", "Images."),
        ("image_urls", "Images by http URL, not only as data."),
        ("audio", "Audio."),
        ("files", "Files."),
        ("sampling", "Temperature, `top_p` and the like."),
        ("prefill", "A last message of the assistant is continued."),
        ("stream_usage", "A stream says at its end what it cost, when asked with `stream_options`."),
    ]

    static func read(_ section: ConfigSection) -> Self {
        let models = section.strings(
            "models", default: ["*"], bytes: 1...256, count: 1...1000,
            doc: "Names, and beginnings that end in `*`; the longest that fits says the last word.")
        return readAbilities(section, models: models, hasContext: true)
    }

    /// - Parameter hasContext: whether the section says how long requests may be.
    static func readAbilities(_ section: ConfigSection, models: [String], hasContext: Bool) -> Self {
        var flags: [Named<Bool>] = []
        for (name, doc) in flagDocs {
            if let value = section.optional(name, .boolean, doc: doc + " null: as a shorter pattern says, else yes.") {
                flags.append(Named(name, value))
            }
        }
        return CapabilityRules(
            models: models, flags: flags,
            reasoning: section.optional(
                "reasoning", .choice(),
                doc:
                    "How deep the model thinks is asked for: not at all, with a word, with a number of tokens, or as a hint."
            ),
            continuation: section.optional(
                "continuation", .choice(),
                doc:
                    "How an answer that broke off is continued: the model is given what there is as a last message of the assistant, alone (`message`), with `partial` or `prefix` in it, or with `continue_final_message` in the request. null: as a shorter pattern says, else it is not known to go on."
            ),
            contextTokensMax: hasContext
                ? section.optional(
                    "context_tokens_max", .integer(in: 1...100_000_000), doc: "Tokens of request and answer together.")
                : nil,
            outputTokensMax: section.optional(
                "output_tokens_max", .integer(in: 1...100_000_000),
                doc: "Tokens of an answer; more are asked for in vain."))
    }
}
