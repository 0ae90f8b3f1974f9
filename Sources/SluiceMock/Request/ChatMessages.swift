internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON

/// What the messages of a chat request say, as far as the mock needs it.
struct ChatMessages {
    /// The last user message; after a tool's result, that result.
    let echo: [UInt8]
    /// Whether the last message is a tool's result: then the answer is text.
    let endsWithToolResult: Bool
    let promptTokens: Int
    /// What the assistant said last, if nothing comes after it; else empty.
    let prefill: [UInt8]

    /// What every message costs beside its text.
    private static let tokensPerMessage = 4

    /// Reads and checks the messages in one pass.
    init(_ root: JSONValue) throws(APIError) {
        guard let messages = root["messages"] else { throw .missing("messages") }
        guard messages.isArray else { throw .invalidType("messages", expected: "an array of objects") }
        var walk = Walk()
        var elements = messages.elements
        while let message = elements.next() { try walk.take(message) }
        try walk.end()
        if walk.index == 0 { throw .emptyArray("messages") }
        echo = walk.echo
        endsWithToolResult = walk.endsWithToolResult
        promptTokens = walk.tokens
        prefill = walk.prefill
    }

    /// The order that api.openai.com insists on: every call is answered before anything else is said.
    private struct Walk {
        var index = 0
        var echo: [UInt8] = []
        var endsWithToolResult = false
        var tokens = 0
        var open: [String] = []
        var prefill: [UInt8] = []

        mutating func take(_ message: JSONValue) throws(APIError) {
            guard message.isObject else { throw .invalidType("messages[\(index)]", expected: "an object") }
            guard let role = message["role"], role.isString else { throw .missing("messages[\(index)].role") }
            let isTool = role.equals("tool")
            endsWithToolResult = isTool || role.equals("function")
            if isTool { try answer(message) } else { try end() }
            prefill = []
            if role.equals("assistant") {
                try note(calls: message)
                if let content = message["content"], message["tool_calls"] == nil {
                    prefill = ContentText.bytes(content)
                }
            } else if !isTool, !role.equals("user"), !role.equals("system"), !role.equals("developer"),
                !role.equals("function")
            {
                throw .invalidValue(
                    "messages[\(index)].role",
                    "supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'")
            } else if message["content"] == nil {
                throw .missing("messages[\(index)].content")
            }
            try read(message["content"], isEchoed: endsWithToolResult || role.equals("user"))
            index += 1
        }

        private mutating func answer(_ message: JSONValue) throws(APIError) {
            guard let id = message["tool_call_id"]?.string else { throw .missing("messages[\(index)].tool_call_id") }
            guard let position = open.firstIndex(of: id) else {
                throw APIError(
                    400,
                    "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
                    param: "messages.[\(index)].role")
            }
            open.remove(at: position)
        }

        private mutating func note(calls message: JSONValue) throws(APIError) {
            guard let calls = message["tool_calls"], calls.isArray else {
                if message["content"] == nil, message["function_call"] == nil {
                    throw .missing("messages[\(index)].content")
                }
                return
            }
            var elements = calls.elements
            while let call = elements.next() {
                guard let id = call["id"]?.string else { throw .missing("messages[\(index)].tool_calls[0].id") }
                open.append(id)
            }
        }

        func end() throws(APIError) {
            if open.isEmpty { return }
            throw APIError(
                400,
                "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The "
                    + "following tool_call_ids did not have response messages: \(open.joined(separator: ", "))",
                param: "messages.[\(index)].role")
        }

        private mutating func read(_ content: JSONValue?, isEchoed: Bool) throws(APIError) {
            tokens += ChatMessages.tokensPerMessage
            guard let content else { return }
            guard content.isString || content.isArray || content.isNull else {
                throw .invalidType("messages[\(index)].content", expected: "a string or an array of objects")
            }
            tokens += Tokens.estimate(byteCount: content.range.count - 2)
            if isEchoed { echo = ContentText.bytes(content) }
        }
    }
}

/// Content as text: a string, or the text parts of an array.
enum ContentText {
    static func bytes(_ content: JSONValue) -> [UInt8] {
        if let bytes = content.unescapedBytes { return Array(copying: bytes) }
        let buffer = ByteBuffer(capacity: max(content.range.count, 16))
        content.appendString(to: buffer)
        var parts = content.elements
        while let part = parts.next() { part["text"]?.appendString(to: buffer) }
        return Array(copying: buffer.span)
    }
}
