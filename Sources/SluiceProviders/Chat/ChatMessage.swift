package import SluiceJSON

/// One message of a chat request, as it lies in the request.
package struct ChatMessage: ~Escapable {
    package enum Role: Sendable { case system, user, assistant, tool, unknown }

    package let value: JSONValue

    @_lifetime(copy value)
    package init(_ value: JSONValue) { self.value = value }

    /// `developer` is the newer name of `system`; `function` the older one of `tool`.
    package var role: Role {
        guard let role = value["role"] else { return .unknown }
        if role.equals("user") { return .user }
        if role.equals("assistant") { return .assistant }
        if role.equals("system") || role.equals("developer") { return .system }
        if role.equals("tool") || role.equals("function") { return .tool }
        return .unknown
    }

    /// The content: a string, an array of parts, or `nil`.
    package var content: JSONValue? {
        @_lifetime(copy self) get {
            guard let content = value["content"], !content.isNull else { return nil }
            return content
        }
    }

    /// Calls `body` with each part: a string content is one part of text. See `ChatPart`.
    package func forEachPart(_ body: (ChatPart) -> Void) {
        guard let content else { return }
        if content.isString { return body(ChatPart(text: content)) }
        var parts = content.elements
        while let part = parts.next() { body(ChatPart(part)) }
    }

    /// The text of all text parts, one after the other; `nil` if there is no content at all.
    package var plainText: String? {
        guard let content else { return nil }
        if content.isString { return content.string }
        var text = ""
        forEachPart { part in if let piece = part.text?.string { text += piece } }
        return text
    }

    /// The calls of an assistant's message; each is read through `ChatToolCall`.
    package var toolCalls: JSONElements {
        @_lifetime(copy self) get { value.elements(of: "tool_calls") }
    }

    package var hasToolCalls: Bool { (value["tool_calls"]?.count ?? 0) > 0 }

    /// Which call a tool's message answers.
    package var toolCallID: JSONValue? {
        @_lifetime(copy self) get { value["tool_call_id"] }
    }

    /// The entries of `reasoning_details` (documented in the article on reasoning): blocks that their provider wants back unchanged.
    package var reasoningDetails: JSONElements {
        @_lifetime(copy self) get { value.elements(of: "reasoning_details") }
    }
}

/// One part of a message's content.
package struct ChatPart: ~Escapable {
    package enum Kind: Sendable { case text, refusal, image, audio, file, unknown }

    package let value: JSONValue

    @_lifetime(copy value)
    package init(_ value: JSONValue) { self.value = value }

    /// A content that is a string alone.
    @_lifetime(copy text)
    init(text: JSONValue) { value = text }

    package var kind: Kind {
        if value.isString { return .text }
        guard let type = value["type"] else { return .unknown }
        if type.equals("text") { return .text }
        if type.equals("image_url") { return .image }
        if type.equals("input_audio") { return .audio }
        if type.equals("file") { return .file }
        return type.equals("refusal") ? .refusal : .unknown
    }

    /// The string of a text or refusal part.
    package var text: JSONValue? {
        @_lifetime(copy self) get {
            if value.isString { return value }
            switch kind {
            case .text: return value["text"]
            case .refusal: return value["refusal"]
            default: return nil
            }
        }
    }

    /// The URL of an image: `data:` or `https:`. Some applications give it as a string in place of an object.
    package var imageURL: JSONValue? {
        @_lifetime(copy self) get {
            guard let image = value["image_url"] else { return nil }
            return image.isString ? image : image["url"]
        }
    }
}

/// One call of a tool in an assistant's message.
package struct ChatToolCall: ~Escapable {
    package let value: JSONValue

    @_lifetime(copy value)
    package init(_ value: JSONValue) { self.value = value }

    package var id: JSONValue? {
        @_lifetime(copy self) get { value["id"] }
    }

    package var name: JSONValue? {
        @_lifetime(copy self) get { value["function"]?["name"] }
    }

    /// A string that is a JSON text, as the model wrote it: it may be empty, or no JSON.
    package var arguments: JSONValue? {
        @_lifetime(copy self) get { value["function"]?["arguments"] }
    }
}

/// One tool that the application offers.
package struct ChatTool: ~Escapable {
    package let value: JSONValue

    @_lifetime(copy value)
    package init(_ value: JSONValue) { self.value = value }

    package var isFunction: Bool { value["type"]?.equals("function") ?? (value["function"] != nil) }

    package var name: JSONValue? {
        @_lifetime(copy self) get { value["function"]?["name"] }
    }

    package var description: JSONValue? {
        @_lifetime(copy self) get { value["function"]?["description"] }
    }

    /// The JSON schema of the arguments; `nil` for a tool without any.
    package var parameters: JSONValue? {
        @_lifetime(copy self) get {
            guard let parameters = value["function"]?["parameters"], parameters.isObject else { return nil }
            return parameters
        }
    }

    package var isStrict: Bool { value["function"]?["strict"]?.bool ?? false }
}
