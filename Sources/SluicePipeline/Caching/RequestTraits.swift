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
            guard let name = Self.names.position(of: member).flatMap(Name.init(rawValue:)) else { continue }
            let value = member.value
            if name == .temperature { isDeterministic = value.double == 0 }
            if value.isNull { continue }
            switch name {
            case .temperature: break
            case .conversation, .container: isSelfContained = false
            case .background: if value.bool == true { isSelfContained = false }
            case .tools: if Self.looksUp(value) { looksUp = true }
            case .webSearch, .servers: looksUp = true
            }
        }
        // What looks something up finds something else another time.
        if looksUp { isDeterministic = false }
    }

    /// Members that tell, in the order of `names`.
    private enum Name: Int { case temperature, conversation, container, background, tools, webSearch, servers }

    private static let names: JSONNames = [
        "temperature", "conversation", "container", "background", "tools", "web_search_options", "mcp_servers",
    ]

    private static func looksUp(_ tools: JSONValue) -> Bool {
        var tools = tools.elements
        while let tool = tools.next() {
            guard let type = tool["type"], !type.isNull else { continue }
            if !type.equals("function"), !type.equals("custom") { return true }
        }
        return false
    }
}
