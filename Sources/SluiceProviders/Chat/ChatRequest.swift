package import SluiceJSON

/// A chat request as every dialect's encoder sees it: OpenAI's chat completions request (section 4 of the OpenAI sheet), whatever
/// the application spoke. A view: nothing is copied until it is written.
package struct ChatRequest: ~Escapable {
    package let root: JSONValue
    /// What the provider calls the model.
    package let model: String
    package let isStream: Bool
    /// What the provider calls the application that asks, where it wants that in the request beside the credential.
    package let applicationID: String?

    /// - Parameter root: an object with `messages`, an array.
    @_lifetime(copy root)
    package init(_ root: JSONValue, model: String, isStream: Bool, applicationID: String? = nil) {
        self.root = root
        self.model = model
        self.isStream = isStream
        self.applicationID = applicationID
    }

    /// A field that is there and says something: null is the same as nothing.
    package subscript(_ field: StaticString) -> JSONValue? {
        @_lifetime(copy self) get {
            guard let value = root[field], !value.isNull else { return nil }
            return value
        }
    }

    /// The messages; each is read through `ChatMessage`.
    package var messages: JSONElements {
        @_lifetime(copy self) get { root.elements(of: "messages") }
    }

    /// The tools; each is read through `ChatTool`.
    package var tools: JSONElements {
        @_lifetime(copy self) get { root.elements(of: "tools") }
    }

    package var hasTools: Bool { (root["tools"]?.count ?? 0) > 0 }

    /// The most tokens that the answer may have, whichever of the two fields says so.
    package var outputTokensMax: Int? { self["max_completion_tokens"]?.int ?? self["max_tokens"]?.int }

    package var toolChoice: ChatToolChoice {
        guard let choice = self["tool_choice"] else { return .unspecified }
        if choice.equals("none") { return .none }
        if choice.equals("required") { return .required }
        if let name = choice["function"]?["name"]?.string { return .function(name) }
        return .automatic
    }

    /// Whether calls may come several at once: only an explicit false forbids it.
    package var allowsParallelTools: Bool { self["parallel_tool_calls"]?.bool ?? true }

    /// Calls `body` with each stop sequence, one or many.
    package func forEachStop(_ body: (JSONValue) -> Void) {
        guard let stop = self["stop"] else { return }
        if stop.isString { return body(stop) }
        var elements = stop.elements
        while let element = elements.next() { if element.isString { body(element) } }
    }

    package var responseFormat: ChatResponseFormat {
        guard let type = self["response_format"]?["type"] else { return .text }
        if type.equals("json_object") { return .jsonObject }
        return type.equals("json_schema") ? .jsonSchema : .text
    }

    /// The schema object of `response_format`, with `name`, `schema`, `strict`; only for `.jsonSchema`.
    package var jsonSchema: JSONValue? {
        @_lifetime(copy self) get { self["response_format"]?["json_schema"] }
    }

    /// `none`, `minimal`, `low`, `medium`, `high`, `xhigh` or whatever was written; `reasoning.effort` is understood too.
    package var reasoningEffort: String? {
        self["reasoning_effort"]?.string ?? self["reasoning"]?["effort"]?.string
    }
}

/// What `tool_choice` asks for.
package enum ChatToolChoice: Equatable, Sendable {
    case unspecified, automatic, none, required
    case function(String)
}

/// What `response_format` asks for.
package enum ChatResponseFormat: Equatable, Sendable { case text, jsonObject, jsonSchema }
