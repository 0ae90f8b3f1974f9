internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet
internal import SluiceProviders

/// Writes a reply as a stream of platform envelopes: a piece of the text in each event's `data.delta`; the last one has the usage.
final class PlatformStreamWriter: StreamWriter {
    let output = ByteBuffer(capacity: 1024)
    private(set) var hasContent = false
    private(set) var fault: ProviderFault?
    private(set) var usage: Usage?
    private(set) var textByteCount = 0
    private let context: RequestContext
    private(set) var model: String?
    private var finishReason: FinishReason?
    private var callCount = 0

    init(_ context: RequestContext) { self.context = context }

    func begin(id: ReplyText?, model: ReplyText?) { if self.model == nil { self.model = model?.string } }

    func text(_ text: ReplyText) { write("delta", text) }
    func refusal(_ text: ReplyText) { write("delta", text) }

    func reasoning(_ text: ReplyText) {
        textByteCount += text.byteCount
        event { json in
            json.key("reasoning_delta")
            text.write(&json)
            json.key("delta")
            json.string("")
        }
    }

    func reasoningBlock(_ block: ReasoningBlock) {}

    func toolCall(_ index: Int, _ call: ToolCallStart) {
        callCount = index + 1
        event { json in
            json.key("delta")
            json.string("")
            json.key("tool_calls")
            json.array { json in
                json.object { json in
                    json.key("index")
                    json.int(index)
                    if let id = call.id {
                        json.key("id")
                        id.write(&json)
                    }
                    json.key("name")
                    call.name.write(&json)
                }
            }
        }
    }

    func toolArguments(_ index: Int, _ fragment: ReplyText) {
        textByteCount += fragment.byteCount
        event { json in
            json.key("delta")
            json.string("")
            json.key("tool_calls")
            json.array { json in
                json.object { json in
                    json.key("index")
                    json.int(index)
                    json.key("arguments")
                    fragment.write(&json)
                }
            }
        }
    }

    func finish(_ reason: FinishReason) {
        hasContent = true
        finishReason = reason
    }

    func usage(_ usage: Usage) { self.usage = usage }
    func fault(_ fault: ProviderFault) { if self.fault == nil { self.fault = fault } }

    func finishStream() {
        let reason = FinishReason.told(finishReason, hasCalls: callCount > 0)
        event { json in
            json.key("delta")
            json.string("")
            json.key("finish_reason")
            json.string(reason.rawValue)
            PlatformReply.writeModelInfo(model, context, &json)
            json.key("usage")
            PlatformReply.writeUsage(usage, &json)
        }
        output.append("data: [DONE]\n\n" as StaticString)
    }

    private func write(_ key: StaticString, _ text: ReplyText) {
        textByteCount += text.byteCount
        event { json in
            json.key(key)
            text.write(&json)
        }
    }

    private func event(_ members: (inout JSONWriter) -> Void) {
        hasContent = true
        output.append("data: " as StaticString)
        var json = JSONWriter(into: output)
        PlatformReply.envelope(200, "success", context, &json) { json in json.object(members) }
        output.append("\n\n" as StaticString)
    }
}
