internal import SluiceCore
internal import SluiceJSON

/// The events of a streamed chat completion, in the order of the sheet: roles, content or tool calls, finish, usage,
/// `[DONE]`.
struct ChatStream {
    private let request: ChatRequest
    private let identity: ReplyIdentity
    /// What every chunk begins with, up to the choices.
    private let head: ByteBuffer

    init(_ request: ChatRequest, _ identity: ReplyIdentity) {
        self.request = request
        self.identity = identity
        head = ByteBuffer(capacity: 256)
        var json = JSONWriter(into: head)
        json.beginObject()
        json.member("id", "chatcmpl-\(identity.hex)")
        json.member("object", "chat.completion.chunk")
        json.member("created", identity.created)
        json.member("model", identity.model)
        json.member("service_tier", "default")
        json.nullMember("system_fingerprint")
        json.key("choices")
    }

    func script() -> Script {
        let tokens = request.calls.isEmpty ? request.text.tokenCount * request.choiceCount : 8
        var script = Script(capacity: min((tokens + 4) * (head.count + 128), 1 << 20))
        for index in 0..<request.choiceCount { chunk(index, &script) { writeRole(&$0) } }
        script.beginContent()
        if request.calls.isEmpty { text(&script) } else { calls(&script) }
        script.endContent()
        script.beginFinish()
        for index in 0..<request.choiceCount {
            chunk(index, finish: request.finishReason, &script) { $0.object { _ in } }
        }
        script.endFinish()
        if request.includesUsage { usage(&script) }
        script.appendDone()
        return script
    }

    private func writeRole(_ json: inout JSONWriter) {
        json.object { json in
            json.member("role", "assistant")
            json.key("content")
            if request.calls.isEmpty { json.string("" as StaticString) } else { json.null() }
            json.nullMember("refusal")
        }
    }

    // MARK: Content

    /// The choices take turns, a token each.
    private func text(_ script: inout Script) {
        let text = request.text.bytes.span
        var at = 0
        while at < text.count {
            let end = Tokens.end(in: text, from: at)
            let token = at..<end
            for index in 0..<request.choiceCount { self.token(text.extracting(token), of: index, &script) }
            at = end
        }
        for index in 1..<max(request.choiceCount, 1) { token(ChatReply.choiceMark(index).span, of: index, &script) }
    }

    private func token(_ token: Span<UInt8>, of index: Int, _ script: inout Script) {
        let buffer = script.buffer
        let hasLogprobs = request.topLogprobs != nil
        script.event { _ in
            begin(index, buffer)
            buffer.append("{\"content\":")
            var json = JSONWriter(into: buffer)
            json.string(token)
            buffer.append("},\"logprobs\":")
            if hasLogprobs { writeLogprobs(token, buffer) } else { buffer.append("null") }
            buffer.append(",\"finish_reason\":null}]")
            end(buffer)
        }
    }

    private func writeLogprobs(_ token: Span<UInt8>, _ buffer: ByteBuffer) {
        var json = JSONWriter(into: buffer)
        json.beginObject()
        json.key("content")
        json.beginArray()
        Logprobs.writeEntry(token, top: request.topLogprobs ?? 0, &json)
        json.endArray()
        json.nullMember("refusal")
        json.endObject()
    }

    /// Each call: its identity once, then its arguments in fragments. One call ends before the next begins.
    private func calls(_ script: inout Script) {
        for choice in 0..<request.choiceCount {
            for (number, call) in request.calls.enumerated() {
                chunk(choice, &script) { json in
                    delta(of: number, &json) { json in
                        json.member("id", identity.callID(number))
                        json.member("type", call.isCustom ? "custom" : "function")
                        function(call, &json) { json in
                            json.member("name", call.name)
                            json.member(call.isCustom ? "input" : "arguments", "")
                        }
                    }
                }
                for fragment in ArgumentFragments.of(call.arguments) {
                    chunk(choice, &script) { json in
                        delta(of: number, &json) { json in
                            function(call, &json) { $0.member(call.isCustom ? "input" : "arguments", fragment.span) }
                        }
                    }
                }
            }
        }
    }

    private func delta(of number: Int, _ json: inout JSONWriter, _ members: (inout JSONWriter) -> Void) {
        json.object { json in
            json.key("tool_calls")
            json.array { json in
                json.object { json in
                    json.member("index", number)
                    members(&json)
                }
            }
        }
    }

    private func function(_ call: ToolCall, _ json: inout JSONWriter, _ members: (inout JSONWriter) -> Void) {
        json.key(call.isCustom ? "custom" : "function")
        json.object(members)
    }

    // MARK: Chunks

    private func chunk(
        _ index: Int, finish: StaticString? = nil, _ script: inout Script, _ delta: (inout JSONWriter) -> Void
    ) {
        let buffer = script.buffer
        script.event { _ in
            begin(index, buffer)
            var json = JSONWriter(into: buffer)
            delta(&json)
            buffer.append(",\"logprobs\":null,\"finish_reason\":")
            if let finish {
                var json = JSONWriter(into: buffer)
                json.string(finish)
            } else {
                buffer.append("null")
            }
            buffer.append("}]")
            end(buffer)
        }
    }

    private func begin(_ index: Int, _ buffer: ByteBuffer) {
        buffer.append(head.span)
        buffer.append("[{\"index\":")
        buffer.append(decimal: index)
        buffer.append(",\"delta\":")
    }

    /// Without `include_usage` there is no usage member at all; with it, all chunks but the last have a null.
    private func end(_ buffer: ByteBuffer) { buffer.append(request.includesUsage ? ",\"usage\":null}" : "}") }

    private func usage(_ script: inout Script) {
        let buffer = script.buffer
        script.event { _ in
            buffer.append(head.span)
            buffer.append("[],\"usage\":")
            var json = JSONWriter(into: buffer)
            request.usage.writeChat(&json)
            buffer.append("}")
        }
    }
}

/// How the arguments of a tool call are divided over events: after each colon, so that neither part is JSON by itself.
enum ArgumentFragments {
    /// Longer fragments are divided wherever a character ends, in bytes.
    private static let byteCountMax = 48

    static func of(_ arguments: [UInt8]) -> [[UInt8]] {
        var fragments: [[UInt8]] = []
        var fragment: [UInt8] = []
        for byte in arguments {
            if fragment.count >= byteCountMax, byte & 0xC0 != 0x80 {
                fragments.append(fragment)
                fragment = []
            }
            fragment.append(byte)
            if byte == UInt8(ascii: ":") {
                fragments.append(fragment)
                fragment = []
            }
        }
        if !fragment.isEmpty { fragments.append(fragment) }
        return fragments
    }
}
