internal import SluiceCore
package import SluiceJSON

/// Reads native replies (tencent sheet, section 3.4): whole ones are in `Response`, chunks of a stream are not.
package final class HunyuanReplyDecoder: ReplyDecoder {
    private var calls = ToolCallPlaces()
    private var isOver = false

    package init() {}

    package func decode(whole document: JSONValue, into sink: any ReplySink) {
        decode(document, into: sink)
        if document["Response"]?["Choices"]?[0] != nil || document["Choices"]?[0] != nil { isOver = true }
    }

    package func decode(event document: JSONValue, named name: Span<UInt8>, into sink: any ReplySink) {
        decode(document, into: sink)
    }

    package func done(into sink: any ReplySink) { isOver = true }
    package func end(into sink: any ReplySink) -> Bool { isOver }

    private func decode(_ document: JSONValue, into sink: any ReplySink) {
        if let fault = HunyuanFault.inBand(document) {
            isOver = true
            return sink.fault(fault)
        }
        if let reply = document["Response"] {
            read(reply: reply, into: sink)
        } else {
            read(reply: document, into: sink)
        }
    }

    private func read(reply: JSONValue, into sink: any ReplySink) {
        sink.begin(id: .of(reply["Id"]), model: nil)
        if let choice = reply["Choices"]?[0] {
            if let message = choice["Delta"] { read(message, into: sink) }
            if let message = choice["Message"] { read(message, into: sink) }
            // Empty while it runs.
            if let reason = choice["FinishReason"], reason.isString, !reason.equals("") {
                isOver = true
                sink.finish(FinishReason(provider: reason) ?? .stop)
            }
        }
        if let usage = Usage(hunyuan: reply["Usage"]) { sink.usage(usage) }
    }

    private func read(_ message: JSONValue, into sink: any ReplySink) {
        if let reasoning = ReplyText.of(message["ReasoningContent"]), !reasoning.isEmpty { sink.reasoning(reasoning) }
        if let text = ReplyText.of(message["Content"]), !text.isEmpty { sink.text(text) }
        var calls = message.elements(of: "ToolCalls")
        while let call = calls.next() { read(call: call, into: sink) }
    }

    /// Pieces belong together by `Index`, else by `Id`.
    private func read(call: JSONValue, into sink: any ReplySink) {
        guard let function = call["Function"] else { return }
        let (index, id) = (call["Index"]?.int, call["Id"]?.string)
        let name = ReplyText.of(function["Name"])
        let isNamed = name?.isEmpty == false
        let place = calls.place(index: index, id: id, isNamed: isNamed)
        if place == calls.count {
            guard let name, isNamed, calls.add(index: index, id: id) else { return }
            sink.toolCall(place, ToolCallStart(id: .of(call["Id"]), name: name))
        }
        guard let arguments = function["Arguments"] else { return }
        if let fragment = ReplyText(arguments) {
            if !fragment.isEmpty { sink.toolArguments(place, fragment) }
        } else if arguments.isObject {
            sink.toolArguments(place, ReplyText(arguments.rawBytes))
        }
    }
}

extension Usage {
    fileprivate init?(hunyuan value: JSONValue?) {
        guard let value, let input = value["PromptTokens"]?.int else { return nil }
        self.init(
            inputTokens: input, outputTokens: value["CompletionTokens"]?.int ?? 0,
            totalTokens: value["TotalTokens"]?.int,
            cachedInputTokens: value["PromptTokensDetails"]?["CachedTokens"]?.int ?? 0,
            reasoningTokens: value["CompletionTokensDetails"]?["ReasoningTokens"]?.int ?? 0)
    }
}
