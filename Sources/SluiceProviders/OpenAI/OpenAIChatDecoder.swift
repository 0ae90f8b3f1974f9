package import SluiceJSON

/// Reads chat completions and their chunks into reply events: the first choice, as the platform envelope has room for one.
package enum OpenAIChatDecoder {
    /// A whole completion.
    package static func decode(_ completion: JSONValue) -> (events: [ReplyEvent], model: String?) {
        var events: [ReplyEvent] = []
        if let choice = completion["choices"]?[0] {
            if let message = choice["message"] { append(contentOf: message, to: &events) }
            if let text = choice["text"]?.string, !text.isEmpty { events.append(.text(text)) }
            if let reason = choice["finish_reason"]?.string { events.append(.finish(reason)) }
        }
        if let usage = Usage(openAI: completion["usage"]) { events.append(.usage(usage)) }
        return (events, completion["model"]?.string)
    }

    /// One chunk of a stream.
    package static func decode(chunk: JSONValue) -> (events: [ReplyEvent], model: String?) {
        var events: [ReplyEvent] = []
        if let choice = chunk["choices"]?[0] {
            if let delta = choice["delta"] { append(contentOf: delta, to: &events) }
            if let reason = choice["finish_reason"]?.string { events.append(.finish(reason)) }
        }
        if let usage = Usage(openAI: chunk["usage"]) { events.append(.usage(usage)) }
        return (events, chunk["model"]?.string)
    }

    private static func append(contentOf message: JSONValue, to events: inout [ReplyEvent]) {
        if let reasoning = message["reasoning_content"]?.string ?? message["reasoning"]?.string, !reasoning.isEmpty {
            events.append(.reasoning(reasoning))
        }
        if let text = message["content"]?.string, !text.isEmpty { events.append(.text(text)) }
        if let refusal = message["refusal"]?.string, !refusal.isEmpty { events.append(.refusal(refusal)) }
    }
}
