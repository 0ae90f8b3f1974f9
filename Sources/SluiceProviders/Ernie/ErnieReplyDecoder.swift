internal import SluiceCore
package import SluiceJSON

/// Reads v1's replies (baidu sheet, section 3.5). A stream ends with `is_end`, and has no `[DONE]`.
package final class ErnieReplyDecoder: ReplyDecoder {
    private var hasCall = false
    private var isOver = false

    package init() {}

    package func decode(whole document: JSONValue, into sink: any ReplySink) {
        decode(document, isLast: document["result"] != nil || document["function_call"] != nil, into: sink)
    }

    package func decode(event document: JSONValue, named name: Span<UInt8>, into sink: any ReplySink) {
        decode(document, isLast: document["is_end"]?.bool ?? false, into: sink)
    }

    package func end(into sink: any ReplySink) -> Bool { isOver }

    private func decode(_ document: JSONValue, isLast: Bool, into sink: any ReplySink) {
        if isOver { return }
        if let fault = ErnieFault.inBand(document) {
            isOver = true
            return sink.fault(fault)
        }
        // A gateway in front of it may speak otherwise.
        if document["result"] == nil, document["function_call"] == nil, let fault = OpenAIFault.inBand(document) {
            isOver = true
            return sink.fault(fault)
        }
        sink.begin(id: .of(document["id"]), model: nil)
        if let text = ReplyText.of(document["result"]), !text.isEmpty { sink.text(text) }
        if let call = document["function_call"], call.isObject { read(call: call, into: sink) }
        if let usage = Usage(ernie: document["usage"], isStream: document["is_end"] != nil) { sink.usage(usage) }
        if let reason = finishReason(document, isLast: isLast) {
            isOver = true
            sink.finish(reason)
        }
    }

    /// One call a reply, whole. Whether a stream may bring it in pieces is not known: a piece without a name is taken as one.
    private func read(call: JSONValue, into sink: any ReplySink) {
        let name = ReplyText.of(call["name"])
        if let name, !name.isEmpty {
            if hasCall { return }
            hasCall = true
            sink.toolCall(0, ToolCallStart(id: nil, name: name))
        }
        guard hasCall, let arguments = call["arguments"] else { return }
        if let fragment = ReplyText(arguments) {
            if !fragment.isEmpty { sink.toolArguments(0, fragment) }
        } else if arguments.isObject {
            sink.toolArguments(0, ReplyText(arguments.rawBytes))
        }
    }

    /// Older models say nothing at the end but that it is one.
    private func finishReason(_ document: JSONValue, isLast: Bool) -> FinishReason? {
        if document["need_clear_history"]?.bool == true { return .contentFilter }
        if document["is_truncated"]?.bool == true { return .length }
        guard let reason = document["finish_reason"], reason.isString, !reason.equals("") else {
            return isLast ? (hasCall ? .toolCalls : .stop) : nil
        }
        if reason.equals("normal") { return .stop }
        return FinishReason(provider: reason) ?? .stop
    }
}

extension Usage {
    /// - Parameter isStream: there `completion_tokens` may be the chunk's own, while `total_tokens` grows.
    fileprivate init?(ernie value: JSONValue?, isStream: Bool) {
        guard let value, var usage = Usage(openAI: value) else { return nil }
        if isStream, value["total_tokens"]?.int != nil {
            let (rest, overflowed) = usage.totalTokens.subtractingReportingOverflow(usage.inputTokens)
            if !overflowed, rest >= 0 { usage.outputTokens = rest }
        }
        self = usage
    }
}
