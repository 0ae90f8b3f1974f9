internal import SluiceCore
internal import SluiceJSON

/// Whether an answer may be kept, and whether it can be told as a stream as well as whole.
enum AnswerCheck {
    enum Verdict {
        /// Cut off, refused, waiting for tools, or nothing that is known.
        case refused
        /// Good, with something in it that streams of ours have no place for.
        case onlyWhole
        case plain
    }

    /// - Parameter document: a whole reply, in the form in which it is kept.
    static func verdict(_ document: JSONValue, _ form: AnswerForm) -> Verdict {
        guard document.isObject, isNothing(document["error"]) else { return .refused }
        switch form {
        case .chat, .platformChat: return choices(document, chat)
        case .completion: return choices(document, completion)
        case .message: return message(document)
        case .response: return response(document)
        case .embeddings:
            var data = document.elements(of: "data")
            return data.next() == nil ? .refused : .onlyWhole
        }
    }

    private static func choices(_ document: JSONValue, _ verdict: (JSONValue) -> Verdict) -> Verdict {
        var choices = document.elements(of: "choices")
        var count = 0
        var isPlain = true
        while let choice = choices.next() {
            count += 1
            guard let reason = choice["finish_reason"], reason.equals("stop") || reason.equals("length") else {
                return .refused
            }
            if (choice["index"]?.int ?? 0) != 0 || !isNothing(choice["logprobs"]) { isPlain = false }
            switch verdict(choice) {
            case .refused: return .refused
            case .onlyWhole: isPlain = false
            case .plain: break
            }
        }
        if count == 0 { return .refused }
        return count == 1 && isPlain ? .plain : .onlyWhole
    }

    private static func chat(_ choice: JSONValue) -> Verdict {
        guard let message = choice["message"], message.isObject else { return .refused }
        if !isNothing(message["tool_calls"]) || !isNothing(message["function_call"]) { return .refused }
        return isPlain(message) ? .plain : .onlyWhole
    }

    /// Whether a message, or a piece of one, has nothing but text in it.
    static func isPlain(_ message: JSONValue) -> Bool {
        var members = message.members
        while let member = members.next() {
            let value = member.value
            if isNothing(value) { continue }
            let isText =
                member.isNamed("role") || member.isNamed("content") || member.isNamed("refusal")
                || member.isNamed("reasoning_content")
            if !isText || !value.isString { return false }
        }
        return true
    }

    private static func completion(_ choice: JSONValue) -> Verdict {
        choice["text"]?.isString == true ? .plain : .refused
    }

    /// Anthropic's: section 6 of its sheet.
    private static func message(_ document: JSONValue) -> Verdict {
        guard document["type"]?.equals("message") == true, let reason = document["stop_reason"],
            reason.equals("end_turn") || reason.equals("max_tokens") || reason.equals("stop_sequence")
        else { return .refused }
        // A stream of ours does not say which sequence it was.
        var isPlain = !reason.equals("stop_sequence")
        var blocks = document.elements(of: "content")
        var count = 0
        while let block = blocks.next() {
            count += 1
            if block["type"]?.equals("tool_use") == true { return .refused }
            if block["type"]?.equals("text") != true || !isNothing(block["citations"]) { isPlain = false }
        }
        return isPlain && count == 1 ? .plain : .onlyWhole
    }

    /// Items that ask nobody for anything: what is not known may be a tool that waits for the application.
    private static let finished: [StaticString] = [
        "message", "reasoning", "web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call",
        "mcp_call", "mcp_list_tools",
    ]

    /// OpenAI's: section 11 of its sheet.
    private static func response(_ document: JSONValue) -> Verdict {
        guard document["status"]?.equals("completed") == true else { return .refused }
        var items = document.elements(of: "output")
        var count = 0
        var isPlain = true
        while let item = items.next() {
            count += 1
            guard let type = item["type"], finished.contains(where: { type.equals($0) }) else { return .refused }
            guard type.equals("message") else {
                isPlain = false
                continue
            }
            var parts = item.elements(of: "content")
            var partCount = 0
            while let part = parts.next() {
                partCount += 1
                if part["type"]?.equals("output_text") != true || !isNothing(part["annotations"])
                    || !isNothing(part["logprobs"])
                {
                    isPlain = false
                }
            }
            if partCount != 1 { isPlain = false }
        }
        if count == 0 { return .refused }
        return isPlain && count == 1 ? .plain : .onlyWhole
    }

    /// Missing, null, or empty.
    static func isNothing(_ value: JSONValue?) -> Bool {
        guard let value else { return true }
        if value.isNull { return true }
        if value.isArray || value.isObject { return value.count == 0 }
        return value.isString && value.equals("")
    }
}
