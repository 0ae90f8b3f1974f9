internal import SluiceCore
internal import SluiceJSON

/// What the events of a stream of Messages say (section 7 of the Anthropic sheet).
enum MessagesContent {
    /// Whether a reader would notice an event that is no delta (theme 3.2): the beginning of a text, and of thinking, says nothing
    /// yet; that of a call does.
    static func isNoticed(_ event: JSONValue, _ type: Span<UInt8>) -> Bool {
        if type.equals("ping") || type.equals("content_block_stop") { return false }
        guard type.equals("content_block_start"), let kind = event["content_block"]?["type"] else { return true }
        return !kind.equals("text") && !kind.equals("thinking")
    }

    /// Notes what an event says, or that it says something that cannot be compared.
    static func note(_ event: JSONValue, in record: ReplyRecord) {
        guard let type = event["type"]?.unescapedBytes else { return record.lose() }
        if type.equals("content_block_delta") {
            noteDelta(event["delta"], record)
        } else if type.equals("content_block_start") {
            noteStart(event, record)
        } else if type.equals("content_block_stop") {
            record.opening.isTextOpen = false
        } else if type.equals("message_start") {
            record.opening.id = event["message"]?["id"]?.string
            record.opening.model = event["message"]?["model"]?.string
        } else if !type.equals("ping"), !type.equals("message_delta"), !type.equals("message_stop"), !type.equals("error") {
            record.lose()
        }
    }

    private static func noteStart(_ event: JSONValue, _ record: ReplyRecord) {
        guard let block = event["content_block"], let index = event["index"]?.int, index == record.opening.blockCount,
            let kind = block["type"]
        else { return record.lose() }
        record.opening.blockCount += 1
        if kind.equals("text") {
            record.opening.isTextOpen = true
            if let text = block["text"]?.escapedBytes { record.append(.text, escaped: text) }
        } else if kind.equals("thinking") {
            if let text = block["thinking"]?.escapedBytes { record.append(.reasoning, escaped: text) }
        } else if kind.equals("redacted_thinking") {
            record.appendSeal()
        } else {
            record.lose()
        }
    }

    private static func noteDelta(_ delta: JSONValue?, _ record: ReplyRecord) {
        guard let delta, let type = delta["type"] else { return record.lose() }
        if type.equals("text_delta"), let text = delta["text"]?.escapedBytes {
            record.append(.text, escaped: text)
        } else if type.equals("thinking_delta"), let text = delta["thinking"]?.escapedBytes {
            record.append(.reasoning, escaped: text)
        } else if type.equals("signature_delta") {
            record.appendSeal()
        } else {
            record.lose()
        }
    }
}
