internal import SluiceCore
internal import SluiceJSON

/// `POST /v1/chat/completions`.
enum ChatReply {
    static func reply(_ root: JSONValue, _ identity: ReplyIdentity, _ behaviour: Behaviour) throws(APIError) -> Reply {
        let request = try ChatRequest(root, behaviour)
        if request.isStream { return Reply(ChatStream(request, identity).script(), .chat) }
        return Reply(json: completion(request, identity, behaviour))
    }

    static func completion(_ request: ChatRequest, _ identity: ReplyIdentity, _ behaviour: Behaviour) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: (request.text.bytes.count + 64) * request.choiceCount + 640)
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.member("id", "chatcmpl-\(identity.hex)")
            json.member("object", "chat.completion")
            json.member("created", identity.created)
            json.member("model", identity.model)
            json.key("choices")
            json.array { json in
                for index in 0..<request.choiceCount { writeChoice(index, request, identity, &json) }
            }
            if !behaviour.usage.isOmitted {
                json.key("usage")
                request.usage.writeChat(&json)
            }
            json.member("service_tier", "default")
            json.nullMember("system_fingerprint")
        }
        return buffer
    }

    private static func writeChoice(
        _ index: Int, _ request: ChatRequest, _ identity: ReplyIdentity, _ json: inout JSONWriter
    ) {
        json.object { json in
            json.member("index", index)
            json.key("message")
            json.object { json in
                json.member("role", "assistant")
                if request.calls.isEmpty { writeText(index, request, &json) } else { json.nullMember("content") }
                json.nullMember("refusal")
                if request.calls.isEmpty {
                    json.key("annotations")
                    json.array { _ in }
                } else {
                    json.key("tool_calls")
                    json.array { json in
                        for (number, call) in request.calls.enumerated() {
                            writeCall(call, identity.callID(number), &json)
                        }
                    }
                }
            }
            json.key("logprobs")
            if let top = request.topLogprobs, request.calls.isEmpty {
                Logprobs.write(text: request.text.bytes.span, top: top, &json)
            } else {
                json.null()
            }
            json.key("finish_reason")
            json.string(request.finishReason)
        }
    }

    private static func writeText(_ index: Int, _ request: ChatRequest, _ json: inout JSONWriter) {
        json.key("content")
        json.beginString()
        json.appendToString(request.text.bytes.span)
        if index > 0 { json.appendToString(choiceMark(index).span) }
        json.endString()
    }

    /// What tells one choice from the others.
    static func choiceMark(_ index: Int) -> [UInt8] { Array(" (choice \(index))".utf8) }

    private static func writeCall(_ call: ToolCall, _ id: String, _ json: inout JSONWriter) {
        json.object { json in
            json.member("id", id)
            json.member("type", call.isCustom ? "custom" : "function")
            json.key(call.isCustom ? "custom" : "function")
            json.object { json in
                json.member("name", call.name)
                json.member(call.isCustom ? "input" : "arguments", call.arguments.span)
            }
        }
    }
}

/// Log probabilities, one entry a token. They are made up.
enum Logprobs {
    static func write(text: Span<UInt8>, top: Int, _ json: inout JSONWriter) {
        json.object { json in
            json.key("content")
            json.beginArray()
            var index = 0
            while index < text.count {
                let end = Tokens.end(in: text, from: index)
                writeEntry(text.extracting(index..<end), top: top, &json)
                index = end
            }
            json.endArray()
            json.nullMember("refusal")
        }
    }

    static func writeEntry(_ token: Span<UInt8>, top: Int, _ json: inout JSONWriter) {
        json.beginObject()
        writeToken(token, logprob: -0.01, &json)
        json.key("top_logprobs")
        json.beginArray()
        for rank in 0..<top {
            json.beginObject()
            if rank == 0 {
                writeToken(token, logprob: -0.01, &json)
            } else {
                writeToken(Array("alt\(rank)".utf8).span, logprob: -5 - Double(rank), &json)
            }
            json.endObject()
        }
        json.endArray()
        json.endObject()
    }

    private static func writeToken(_ token: Span<UInt8>, logprob: Double, _ json: inout JSONWriter) {
        json.member("token", token)
        json.key("logprob")
        json.double(logprob)
        json.key("bytes")
        json.beginArray()
        for index in token.indices { json.int(Int(token[index])) }
        json.endArray()
    }
}
