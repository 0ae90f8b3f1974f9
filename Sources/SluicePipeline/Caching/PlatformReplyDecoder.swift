internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceProviders

/// Reads what `PlatformReply` and `PlatformStreamWriter` write: an answer in the platform's envelope is kept without it.
final class PlatformReplyDecoder: ReplyDecoder {
    private var isDone = false
    private var hasFinish = false

    func decode(whole document: JSONValue, into sink: any ReplySink) {
        read(document, text: "result", reasoning: "reasoning", into: sink)
        isDone = true
    }

    func decode(event document: JSONValue, named name: Span<UInt8>, into sink: any ReplySink) {
        read(document, text: "delta", reasoning: "reasoning_delta", into: sink)
    }

    func done(into sink: any ReplySink) { isDone = true }

    func end(into sink: any ReplySink) -> Bool { isDone && hasFinish }

    private func read(
        _ document: JSONValue, text: StaticString, reasoning: StaticString, into sink: any ReplySink
    ) {
        guard document["code"]?.int == 200, let data = document["data"], data.isObject else {
            return sink.fault(ProviderFault(502, document["message"]?.string ?? "The answer is an error."))
        }
        if let value = data[reasoning], let piece = ReplyText(value), !piece.isEmpty { sink.reasoning(piece) }
        if let value = data[text], let piece = ReplyText(value), !piece.isEmpty { sink.text(piece) }
        var calls = data.elements(of: "tool_calls")
        while let call = calls.next() {
            guard let value = call["name"], let name = ReplyText(value) else { continue }
            sink.toolCall(call["index"]?.int ?? 0, ToolCallStart(id: nil, name: name))
        }
        if let info = data["model_info"], let value = info["version"], let version = ReplyText(value) {
            sink.begin(id: nil, model: version)
        }
        if let reason = data["finish_reason"], reason.isString {
            hasFinish = true
            sink.finish(FinishReason(rawValue: reason.string ?? "") ?? .contentFilter)
        }
        if let usage = Usage(openAI: data["usage"]) { sink.usage(usage) }
    }
}
