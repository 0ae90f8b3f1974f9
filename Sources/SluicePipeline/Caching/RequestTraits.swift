internal import SluiceJSON

/// What decides whether the answer to a request may be kept.
struct RequestTraits {
    /// Whether asking again would bring the same answer, as far as that can be known.
    private(set) var isDeterministic: Bool
    /// Whether the answer depends on the request alone, and changes nothing.
    private(set) var isSelfContained = true

    init(_ root: JSONValue, _ form: AnswerForm) {
        // Theme 3.13: a temperature that is not given is not 0.
        isDeterministic = form == .embeddings
        if form == .embeddings { return }
        var looksUp = false
        var members = root.members
        while let member = members.next() {
            let value = member.value
            if member.isNamed("temperature") { isDeterministic = value.double == 0 }
            if value.isNull { continue }
            if member.isNamed("conversation") || member.isNamed("container") {
                isSelfContained = false
            } else if member.isNamed("background") {
                if value.bool == true { isSelfContained = false }
            } else if member.isNamed("tools") {
                if Self.looksUp(value) { looksUp = true }
            } else if member.isNamed("web_search_options") || member.isNamed("mcp_servers") {
                looksUp = true
            }
        }
        // What looks something up finds something else another time.
        if looksUp { isDeterministic = false }
    }

    private static func looksUp(_ tools: JSONValue) -> Bool {
        var tools = tools.elements
        while let tool = tools.next() {
            guard let type = tool["type"], !type.isNull else { continue }
            if !type.equals("function"), !type.equals("custom") { return true }
        }
        return false
    }
}
