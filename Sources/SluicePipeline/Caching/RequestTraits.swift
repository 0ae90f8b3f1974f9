internal import SluiceJSON

/// What decides whether the answer to a request may be kept.
struct RequestTraits {
    /// Whether asking again would bring the same answer, as far as that can be known.
    private(set) var isDeterministic: Bool
    /// Whether the answer depends on the request alone, and changes nothing.
    private(set) var isSelfContained = true

    init(_ root: JSONValue, _ form: AnswerForm) {
        // Theme 3.13: a temperature that is not given is not 0.
        isDeterministic = form == .embeddings || root["temperature"]?.double == 0
        if form == .embeddings { return }
        if root["background"]?.bool == true { isSelfContained = false }
        for name in ["conversation", "container"] as [StaticString] {
            if let value = root[name], !value.isNull { isSelfContained = false }
        }
        // What looks something up finds something else another time.
        for name in ["web_search_options", "mcp_servers"] as [StaticString] {
            if let value = root[name], !value.isNull { isDeterministic = false }
        }
        var tools = root.elements(of: "tools")
        while let tool = tools.next() {
            guard let type = tool["type"], !type.isNull else { continue }
            if !type.equals("function"), !type.equals("custom") { isDeterministic = false }
        }
    }
}
