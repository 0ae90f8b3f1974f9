package import SluiceJSON

/// The fields of a chat request that an encoder does not ask for by name: those of OpenAI's are lost, and reported, unless they say
/// what holds anyway; the others are extensions, and handed out.
package struct OtherFields: ~Escapable {
    private var members: JSONMembers
    private let spoken: [StaticString]

    /// Fields of chat completions (section 4 of the OpenAI sheet), and those that concern the gateway alone.
    private static let openAI: [StaticString] = [
        "messages", "model", "stream", "stream_options", "audio", "frequency_penalty", "function_call", "functions",
        "logit_bias",
        "logprobs", "max_completion_tokens", "max_tokens", "metadata", "modalities", "n", "parallel_tool_calls",
        "prediction",
        "presence_penalty", "prompt_cache_key", "prompt_cache_retention", "reasoning", "reasoning_effort",
        "response_format",
        "safety_identifier", "seed", "service_tier", "stop", "store", "temperature", "tool_choice", "tools",
        "top_logprobs", "top_p",
        "user", "verbosity", "web_search_options",
    ]

    /// - Parameter spoken: fields that the encoder reads itself.
    @_lifetime(copy root)
    package init(of root: JSONValue, but spoken: [StaticString]) {
        members = root.members
        self.spoken = spoken
    }

    /// The next extension.
    @_lifetime(copy self)
    package mutating func next(_ report: inout FieldReport) -> JSONMember? {
        while let member = members.next() {
            if Self.has(spoken, member) || member.value.isNull { continue }
            if !Self.has(Self.openAI, member) { return member }
            if !Self.isDefault(member), let name = member.key.string { report.lose(name) }
        }
        return nil
    }

    private static func has(_ names: [StaticString], _ member: borrowing JSONMember) -> Bool {
        for name in names where member.isNamed(name) { return true }
        return false
    }

    /// Whether the field says what every provider does anyway.
    private static func isDefault(_ member: borrowing JSONMember) -> Bool {
        let value = member.value
        switch value.kind {
        case .null: return true
        case .object, .array: return value.count == 0
        case .boolean: return member.isNamed("parallel_tool_calls") ? value.bool == true : value.bool == false
        case .number: return value.int == (member.isNamed("n") ? 1 : 0)
        case .string:
            if member.isNamed("service_tier") { return value.equals("auto") || value.equals("default") }
            if member.isNamed("verbosity") { return value.equals("medium") }
            return value.equals("")
        }
    }
}
