internal import SluiceCore
package import SluiceJSON

/// Reads the frames of an answer (iflytek sheet, section 3.4). The last one has the status 2.
package final class SparkReplyDecoder: ReplyDecoder {
    private var hasContent = false
    private var callCount = 0
    package private(set) var isComplete = false
    /// A frame may have several texts.
    private static let callsMax = 64

    package init() {}

    package func decode(whole document: JSONValue, into sink: any ReplySink) { decode(document, into: sink) }

    package func decode(event document: JSONValue, named name: Span<UInt8>, into sink: any ReplySink) {
        decode(document, into: sink)
    }

    package func end(into sink: any ReplySink) -> Bool { isComplete }

    private func decode(_ document: JSONValue, into sink: any ReplySink) {
        if isComplete { return }
        if let fault = SparkFault.inBand(document) {
            isComplete = true
            if hasContent, SparkFault.code(document) == SparkFault.sensitiveOutput {
                return sink.finish(.contentFilter)
            }
            return sink.fault(fault)
        }
        let header = document["header"]
        let payload = document["payload"]
        sink.begin(id: .of(header?["sid"]), model: nil)
        if let choices = payload?["choices"] {
            var texts = choices.elements(of: "text")
            while let text = texts.next() { read(text, into: sink) }
        }
        if let usage = Usage(openAI: payload?["usage"]?["text"]) { sink.usage(usage) }
        if header?["status"]?.int == 2 || payload?["choices"]?["status"]?.int == 2 {
            isComplete = true
            sink.finish(callCount > 0 ? .toolCalls : .stop)
        }
    }

    private func read(_ text: JSONValue, into sink: any ReplySink) {
        if let reasoning = ReplyText.of(text["reasoning_content"]), !reasoning.isEmpty {
            hasContent = true
            sink.reasoning(reasoning)
        }
        if let content = ReplyText.of(text["content"]), !content.isEmpty {
            hasContent = true
            sink.text(content)
        }
        // Whole, in one frame.
        guard let call = text["function_call"], let name = ReplyText.of(call["name"]), !name.isEmpty,
            callCount < Self.callsMax
        else { return }
        hasContent = true
        let place = callCount
        callCount += 1
        sink.toolCall(place, ToolCallStart(id: nil, name: name))
        guard let arguments = call["arguments"] else { return }
        if let fragment = ReplyText(arguments) {
            if !fragment.isEmpty { sink.toolArguments(place, fragment) }
        } else if arguments.isObject {
            sink.toolArguments(place, ReplyText(arguments.rawBytes))
        }
    }
}
