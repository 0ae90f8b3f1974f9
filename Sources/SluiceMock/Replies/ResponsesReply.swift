internal import SluiceCore
internal import SluiceJSON

/// `POST /v1/responses`: the response object, and the items in it.
struct ResponsesReply {
    let request: ResponsesRequest
    let identity: ReplyIdentity

    enum Status: String {
        case inProgress = "in_progress"
        case completed, incomplete
    }

    var id: String { "resp_\(identity.hex)" }
    var messageID: String { "msg_\(identity.hex)" }
    func functionID(_ index: Int) -> String { "fc_\(identity.hex.prefix(28))\(index)" }

    /// How it ends: an answer that was cut off is incomplete.
    var finalStatus: Status { request.calls.isEmpty && request.text.end != .stop ? .incomplete : .completed }

    func whole() -> ByteBuffer {
        let buffer = ByteBuffer(capacity: request.text.bytes.count + 1024)
        var json = JSONWriter(into: buffer)
        write(finalStatus, &json)
        return buffer
    }

    // MARK: The response

    /// The response as it is at some point of its life.
    func write(_ status: Status, _ json: inout JSONWriter) {
        let isOver = status != .inProgress
        json.object { json in
            json.member("id", id)
            json.member("object", "response")
            json.member("created_at", identity.created)
            if isOver { json.member("completed_at", identity.created) }
            json.member("status", status.rawValue)
            json.nullMember("error")
            json.key("incomplete_details")
            if status == .incomplete {
                json.object {
                    $0.member("reason", request.text.end == .length ? "max_output_tokens" : "content_filter")
                }
            } else {
                json.null()
            }
            json.key("max_output_tokens")
            if let limit = request.maxOutputTokens { json.int(limit) } else { json.null() }
            json.member("model", identity.model)
            json.key("output")
            json.array { json in if isOver { writeItems(&json) } }
            json.member("parallel_tool_calls", request.isParallel)
            for member in request.repeated {
                json.key(member.name)
                json.raw(member.json.span)
            }
            json.member("store", request.isStored)
            json.member("service_tier", "default")
            json.key("usage")
            if isOver { request.usage.writeResponses(&json) } else { json.null() }
        }
    }

    private func writeItems(_ json: inout JSONWriter) {
        if request.calls.isEmpty { return writeMessage(isDone: true, &json) }
        for index in request.calls.indices { writeCall(index, isDone: true, &json) }
    }

    // MARK: Items

    func writeMessage(isDone: Bool, _ json: inout JSONWriter) {
        json.object { json in
            json.member("type", "message")
            json.member("id", messageID)
            json.member("status", isDone ? finalStatus.rawValue : Status.inProgress.rawValue)
            json.member("role", "assistant")
            json.key("content")
            json.array { json in if isDone { writePart(isDone: true, &json) } }
        }
    }

    func writePart(isDone: Bool, _ json: inout JSONWriter) {
        json.object { json in
            json.member("type", "output_text")
            json.key("text")
            if isDone { json.string(request.text.bytes.span) } else { json.string("" as StaticString) }
            json.key("annotations")
            json.array { _ in }
            json.key("logprobs")
            json.array { _ in }
        }
    }

    func writeCall(_ index: Int, isDone: Bool, _ json: inout JSONWriter) {
        let call = request.calls[index]
        json.object { json in
            json.member("type", call.isCustom ? "custom_tool_call" : "function_call")
            json.member("id", functionID(index))
            json.member("call_id", identity.callID(index))
            json.member("name", call.name)
            json.key(call.isCustom ? "input" : "arguments")
            if isDone { json.string(call.arguments.span) } else { json.string("" as StaticString) }
            json.member("status", isDone ? "completed" : "in_progress")
        }
    }
}
