/// The turns of a Messages request, in the order that the API insists on.
struct AnthropicMessages {
    private(set) var echo = ""
    private(set) var endsWithToolResult = false
    private(set) var byteCount = 0
    /// What the assistant said last, if nothing comes after it; else empty.
    private(set) var prefill = ""
    /// Tools that were called and not answered yet.
    private var open: [String] = []
    private var lastRole = ""

    init(_ body: MockJSON, _ traits: AnthropicModel, hasTools: Bool, isThinking: Bool) throws(DialectFailure) {
        guard let messages = body["messages"], messages.isArray else { throw .invalid("messages: Field required") }
        if messages.items.isEmpty { throw .invalid("messages: at least one message is required") }
        byteCount = messages.bytes.count + (body["system"]?.bytes.count ?? 0) + (body["tools"]?.bytes.count ?? 0)
        for (index, message) in messages.items.enumerated() {
            try take(message, "messages.\(index)", hasTools: hasTools, isFirst: index == 0)
        }
        if !open.isEmpty, lastRole == "assistant" { throw Self.unanswered(open) }
        if lastRole == "assistant", !traits.takesPrefill {
            throw .invalid("This model does not support assistant message prefill.")
        }
        if lastRole == "assistant", let message = messages.items.last { prefill = try Self.prefill(message) }
        if isThinking, endsWithToolResult { try Self.checkThoughts(messages.items) }
    }

    private static func prefill(_ message: MockJSON) throws(DialectFailure) -> String {
        let content = message["content"]
        let text = content?.text ?? content?.items.compactMap { $0["text"]?.text }.joined() ?? ""
        if text.last?.isWhitespace == true {
            throw .invalid("messages: final assistant content cannot end with trailing whitespace")
        }
        return text
    }

    private mutating func take(
        _ message: MockJSON, _ place: String, hasTools: Bool, isFirst: Bool
    ) throws(DialectFailure) {
        guard let role = message["role"]?.text, ["user", "assistant", "system"].contains(role) else {
            throw .invalid("\(place).role: Input should be 'user' or 'assistant'")
        }
        for member in message.members where member.name != "role" && member.name != "content" {
            throw .invalid("\(place).\(member.name): Extra inputs are not permitted")
        }
        if isFirst, role != "user" { throw .invalid("messages: first message must use the \"user\" role") }
        guard let content = message["content"] else { throw .invalid("\(place).content: Field required") }
        if role != "assistant", !open.isEmpty, lastRole == "assistant", !content.isArray { throw Self.unanswered(open) }
        lastRole = role
        if let text = content.text {
            endsWithToolResult = false
            try Self.checkText(text, place + ".content")
            if role == "user" { echo = text }
            return
        }
        guard content.isArray else { throw .invalid("\(place).content: Input should be a valid string or list") }
        if role == "assistant" { return try takeAssistant(content.items, place) }
        try takeUser(content.items, place)
    }

    private mutating func takeAssistant(_ blocks: [MockJSON], _ place: String) throws(DialectFailure) {
        endsWithToolResult = false
        for (index, block) in blocks.enumerated() {
            let here = "\(place).content.\(index)"
            switch block["type"]?.text {
            case "text": try Self.checkText(block["text"]?.text ?? "", here)
            case "tool_use":
                guard let id = block["id"]?.text, AnthropicRequest.isName(id), block["name"]?.text != nil else {
                    throw .invalid("\(here).tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
                }
                guard block["input"]?.isObject == true else {
                    throw .invalid("\(here).tool_use.input: Input should be a valid dictionary")
                }
                open.append(id)
            case "thinking":
                guard let signature = block["signature"]?.text, let text = block["thinking"]?.text else {
                    throw .invalid("\(here).thinking.signature: Field required")
                }
                if !Seal.isSignature(signature, of: text) {
                    throw .invalid("\(here): Invalid `signature` in `thinking` block")
                }
            case "redacted_thinking", "server_tool_use", "web_search_tool_result": break
            default: throw .invalid("\(here): Input tag does not match any of the expected tags")
            }
        }
    }

    private mutating func takeUser(_ blocks: [MockJSON], _ place: String) throws(DialectFailure) {
        if blocks.isEmpty { throw .invalid("\(place).content: content must be non-empty") }
        var isPastResults = false
        var text: [String] = []
        var isAnswer = false
        for (index, block) in blocks.enumerated() {
            let here = "\(place).content.\(index)"
            switch block["type"]?.text {
            case "tool_result":
                guard let id = block["tool_use_id"]?.text, let position = open.firstIndex(of: id) else {
                    throw .invalid(
                        "\(here): unexpected `tool_use_id` found in `tool_result` blocks. Each `tool_result` block must "
                            + "have a corresponding `tool_use` block in the previous message.")
                }
                if isPastResults { throw .invalid("\(here): `tool_result` blocks must come before other blocks") }
                open.remove(at: position)
                isAnswer = true
                if let result = block["content"] {
                    echo = result.text ?? result.items.compactMap { $0["text"]?.text }.joined()
                }
            case "text":
                isPastResults = true
                try Self.checkText(block["text"]?.text ?? "", here)
                text.append(block["text"]?.text ?? "")
            case "image", "document":
                isPastResults = true
                try Self.checkSource(block, here)
            case "search_result": isPastResults = true
            default: throw .invalid("\(here): Input tag does not match any of the expected tags")
            }
        }
        if !open.isEmpty { throw Self.unanswered(open) }
        endsWithToolResult = isAnswer && text.isEmpty
        if !text.isEmpty { echo = text.joined() }
    }

    /// Where thinking is on, the turn whose tools are answered has to begin with its thoughts.
    private static func checkThoughts(_ messages: [MockJSON]) throws(DialectFailure) {
        guard let index = messages.lastIndex(where: { $0["role"]?.text == "assistant" }),
            let first = messages[index]["content"]?.items.first?["type"]?.text
        else { return }
        if first != "thinking", first != "redacted_thinking" {
            throw .invalid(
                "messages.\(index).content.0.type: Expected `thinking` or `redacted_thinking`, but found `\(first)`. When "
                    + "`thinking` is enabled, a final `assistant` message must start with a thinking block.")
        }
    }

    private static func checkText(_ text: String, _ place: String) throws(DialectFailure) {
        if text.allSatisfy(\.isWhitespace) { throw .invalid("\(place): text content blocks must be non-empty") }
    }

    private static func checkSource(_ block: MockJSON, _ place: String) throws(DialectFailure) {
        let source = block["source"]
        switch source?["type"]?.text {
        case "base64":
            let types =
                block["type"]?.text == "image"
                ? ["image/jpeg", "image/png", "image/gif", "image/webp"] : ["application/pdf"]
            if !types.contains(source?["media_type"]?.text ?? "") {
                throw .invalid("\(place).source.base64.media_type: Input should be one of \(types)")
            }
            if source?["data"]?.text == nil { throw .invalid("\(place).source.base64.data: Field required") }
        case "url", "file", "text", "content": break
        default: throw .invalid("\(place).source: Input tag does not match any of the expected tags")
        }
    }

    private static func unanswered(_ ids: [String]) -> DialectFailure {
        .invalid(
            "messages: `tool_use` ids were found without `tool_result` blocks immediately after: "
                + ids.joined(separator: ", "))
    }
}
