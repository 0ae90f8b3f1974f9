internal import SluiceCore
internal import SluiceJSON

/// What the chunks of a chat completion say (section 6 of the OpenAI sheet).
enum ChunkContent {
    /// Whether a reader would notice a chunk: text, reasoning, a tool call, a refusal, the end. A role alone, empty texts and usage
    /// do not count (theme 3.2). What is no chunk at all is not ours to judge.
    static func isNoticed(_ chunk: JSONValue) -> Bool {
        guard let choices = chunk["choices"], choices.isArray else { return true }
        var elements = choices.elements
        while let choice = elements.next() { if isNoticed(choice: choice) { return true } }
        return false
    }

    private static func isNoticed(choice: JSONValue) -> Bool {
        var members = choice.members
        while let member = members.next() {
            if member.isNamed("delta") || member.isNamed("message") {
                if !member.value.isObject, !member.value.isNull { return true }
                var parts = member.value.members
                while let part = parts.next() { if !part.isNamed("role"), !isBlank(part.value) { return true } }
            } else if member.isNamed("finish_reason") || member.isNamed("text") {
                if !isBlank(member.value) { return true }
            }
        }
        return false
    }

    private static func isBlank(_ value: JSONValue) -> Bool {
        value.isNull || value.equals("") || value.isArray && value.count == 0
    }

    /// Notes what a chunk says, or that it says something that cannot be compared.
    static func note(_ chunk: JSONValue, in record: ReplyRecord) {
        guard let list = chunk["choices"], list.isArray else { return record.lose() }
        identify(chunk, record)
        var choices = chunk.elements(of: "choices")
        while let choice = choices.next() {
            if (choice["index"]?.int ?? 0) != 0 { return record.lose() }
            if let probabilities = choice["logprobs"], !probabilities.isNull { return record.lose() }
            guard let delta = choice["delta"] else { continue }
            var parts = delta.members
            while let part = parts.next() {
                if part.isNamed("role") || isBlank(part.value) { continue }
                guard let kind = ReplyRecord.Kind(of: part), let text = part.value.escapedBytes else {
                    return record.lose()
                }
                record.append(kind, escaped: text)
            }
        }
    }

    private static func identify(_ chunk: JSONValue, _ record: ReplyRecord) {
        if record.opening.id != nil { return }
        guard let id = chunk["id"]?.string, !id.isEmpty else { return }
        record.opening.id = id
        record.opening.model = chunk["model"]?.string
        record.opening.created = chunk["created"]?.int
        record.opening.fingerprint = chunk["system_fingerprint"]?.string
    }
}

extension ReplyRecord.Kind {
    /// - Parameter part: of a delta.
    init?(of part: JSONMember) {
        if part.isNamed("content") {
            self = .text
        } else if part.isNamed("reasoning_content") || part.isNamed("reasoning") {
            self = .reasoning
        } else if part.isNamed("refusal") {
            self = .refusal
        } else {
            return nil
        }
    }
}
