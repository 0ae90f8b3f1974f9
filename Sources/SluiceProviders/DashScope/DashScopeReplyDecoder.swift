internal import SluiceCore
package import SluiceJSON

/// Reads native replies (alibaba sheet, sections 3.2 and 3.3).
package final class DashScopeReplyDecoder: ReplyDecoder {
    private var calls = ToolCallPlaces()
    private var growth = StreamGrowth()
    private var isOver = false

    package init() {}

    package func decode(whole document: JSONValue, into sink: any ReplySink) {
        growth = StreamGrowth(isIncremental: true)
        decode(document, into: sink)
        // Some old models say "null" at the end of a whole answer.
        if document["output"]?["choices"]?[0] != nil || document["output"]?["text"] != nil { isOver = true }
    }

    package func decode(event document: JSONValue, named name: Span<UInt8>, into sink: any ReplySink) {
        if name.equals("done") { return }
        decode(document, into: sink)
    }

    package func end(into sink: any ReplySink) -> Bool { isOver }

    private func decode(_ document: JSONValue, into sink: any ReplySink) {
        if let fault = DashScopeFault.read(document, status: nil) {
            isOver = true
            return sink.fault(fault)
        }
        guard let output = document["output"] else { return }
        sink.begin(id: .of(document["request_id"]), model: nil)
        if let choice = output["choices"]?[0] {
            if let message = choice["message"] { read(message, into: sink) }
            end(with: choice["finish_reason"], into: sink)
        } else {
            // The form of old models.
            if let text = output["text"] { tell(text, .text, into: sink) }
            end(with: output["finish_reason"], into: sink)
        }
        // Multimodal replies give their totals in other places, too: what OpenAI calls them is enough.
        if let usage = Usage(openAI: document["usage"]) { sink.usage(usage) }
    }

    private func end(with reason: JSONValue?, into sink: any ReplySink) {
        if growth.isBroken {
            isOver = true
            return sink.fault(FaultClass.failed.fault("The provider's stream contradicts what it said before."))
        }
        // The word "null" while it runs.
        guard let reason, reason.isString, !reason.equals("null"), !reason.equals("") else { return }
        isOver = true
        sink.finish(FinishReason(provider: reason) ?? .stop)
    }

    private func read(_ message: JSONValue, into sink: any ReplySink) {
        if let reasoning = message["reasoning_content"] { tell(reasoning, .reasoning, into: sink) }
        if let content = message["content"] {
            if content.isString {
                tell(content, .text, into: sink)
            } else {
                var parts = content.elements
                while let part = parts.next() { if let text = part["text"] { tell(text, .text, into: sink) } }
            }
        }
        var calls = message.elements(of: "tool_calls")
        while let call = calls.next() { read(call: call, into: sink) }
    }

    private func tell(_ value: JSONValue, _ place: StreamGrowth.Place, into sink: any ReplySink) {
        guard let escaped = value.escapedBytes else { return }
        let new = growth.new(in: escaped, at: place)
        if new.isEmpty { return }
        if place == .reasoning { sink.reasoning(.escaped(new)) } else { sink.text(.escaped(new)) }
    }

    private func read(call: JSONValue, into sink: any ReplySink) {
        guard let function = call["function"] else { return }
        let (index, id) = (call["index"]?.int, call["id"]?.string)
        let name = ReplyText.of(function["name"])
        let isNamed = name?.isEmpty == false
        let place = calls.place(index: index, id: id, isNamed: isNamed)
        if place == calls.count {
            guard let name, isNamed, calls.add(index: index, id: id) else { return }
            sink.toolCall(place, ToolCallStart(id: .of(call["id"]), name: name))
        }
        guard let arguments = function["arguments"] else { return }
        if let escaped = arguments.escapedBytes {
            let new = growth.new(in: escaped, at: .arguments(place))
            if !new.isEmpty { sink.toolArguments(place, .escaped(new)) }
        } else if arguments.isObject {
            sink.toolArguments(place, ReplyText(arguments.rawBytes))
        }
    }
}
