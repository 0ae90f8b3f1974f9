internal import SluiceCore
internal import SluiceJSON

/// Writes response objects, for whole replies and for the events of a stream that carry one.
struct ResponseObject {
    enum Status: String {
        case inProgress = "in_progress"
        case completed, incomplete, failed
    }

    let id: String
    let created: Int
    let model: String
    let echo: ResponsesEcho
    var status = Status.inProgress
    /// Why an answer is incomplete.
    var incompleteReason: StaticString?
    var error: (code: String, message: String)?
    var usage: Usage?

    /// - Parameter output: the output items, as JSON with commas in between.
    func write(output: Span<UInt8>, into buffer: ByteBuffer) {
        var json = JSONWriter(into: buffer)
        json.beginObject()
        json.key("id")
        json.string(id)
        json.key("object")
        json.string("response")
        json.key("created_at")
        json.int(created)
        json.key("status")
        json.string(status.rawValue)
        json.key("error")
        if let error {
            json.beginObject()
            json.key("code")
            json.string(error.code)
            json.key("message")
            json.string(error.message)
            json.endObject()
        } else {
            json.null()
        }
        json.key("incomplete_details")
        if let incompleteReason {
            json.beginObject()
            json.key("reason")
            json.string(incompleteReason)
            json.endObject()
        } else {
            json.null()
        }
        json.key("model")
        json.string(model)
        json.key("output")
        json.beginArray()
        if !output.isEmpty { json.raw(output) }
        json.endArray()
        json.key("usage")
        if let usage { usage.writeResponses(&json) } else { json.null() }
        echo.append(to: buffer)
        json.endObject()
    }

    /// Ends it as the answer ended.
    mutating func end(_ reason: FinishReason?) {
        switch reason {
        case .length:
            status = .incomplete
            incompleteReason = "max_output_tokens"
        case .contentFilter:
            status = .incomplete
            incompleteReason = "content_filter"
        default: status = .completed
        }
    }
}

extension ReplyIdentity {
    /// The id of the response.
    var responseID: String { "resp_" + (requestID.hasPrefix("req_") ? String(requestID.dropFirst(4)) : requestID) }
}

extension Usage {
    /// Writes the `usage` object of responses.
    func writeResponses(_ json: inout JSONWriter) {
        json.beginObject()
        json.key("input_tokens")
        json.int(inputTokens)
        json.key("input_tokens_details")
        json.beginObject()
        json.key("cached_tokens")
        json.int(cachedInputTokens)
        json.key("cache_write_tokens")
        json.int(cacheWriteInputTokens)
        json.endObject()
        json.key("output_tokens")
        json.int(outputTokens)
        json.key("output_tokens_details")
        json.beginObject()
        json.key("reasoning_tokens")
        json.int(reasoningTokens)
        json.endObject()
        json.key("total_tokens")
        json.int(totalTokens)
        if isEstimated {
            json.key("estimated")
            json.bool(true)
        }
        json.endObject()
    }
}
