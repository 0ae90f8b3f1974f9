package import SluiceCore
package import SluiceJSON

/// Records as JSON: what the history shows, what is exported and what other nodes are sent are one form.
package enum RecordJSON {
    static func write(_ attempts: [InvocationRecord.Attempt], to buffer: ByteBuffer) {
        var json = JSONWriter(into: buffer)
        json.array { json in
            for attempt in attempts { write(attempt, &json) }
        }
    }

    private static func write(_ attempt: InvocationRecord.Attempt, _ json: inout JSONWriter) {
        json.object { json in
            json.member("provider", attempt.provider)
            json.member("model", attempt.model)
            json.member("result", attempt.result)
            json.key("status")
            if attempt.status > 0 { json.int(attempt.status) } else { json.null() }
            json.member("duration_us", attempt.durationMicros)
            json.member("input_tokens", attempt.inputTokens)
            json.member("output_tokens", attempt.outputTokens)
            optional("cost_micros", attempt.costMicros, &json)
        }
    }

    /// - Parameters:
    ///   - origin: which node made it; empty for this one.
    ///   - attempts: JSON.
    ///   - parameters: JSON; `nil` for none.
    ///   - more: further members.
    package static func write(
        _ record: InvocationRecord, id: RecordID, origin: String, attempts: Span<UInt8>, parameters: ByteBuffer?,
        to json: inout JSONWriter, more: (inout JSONWriter) -> Void = { _ in }
    ) {
        json.object { json in
            json.member("id", "\(id)")
            json.member("request_id", record.requestID)
            optional("user_id", record.userID, &json)
            optional("principal_id", record.principalID, &json)
            optional("team", record.team, &json)
            optional("business_line", record.businessLine, &json)
            optional("key", record.key, &json)
            optional("scene", record.scene, &json)
            optional("model_id", record.modelID, &json)
            optional("provider", record.provider, &json)
            optional("upstream_model", record.upstreamModel, &json)
            json.member("route", record.route)
            json.member("status", "\(record.outcome.name)")
            json.member("http_status", record.httpStatus)
            optional("error_code", record.errorCode, &json)
            optional("error_message", record.errorMessage, &json)
            optional("error_owner", record.errorOwner, &json)
            json.member("start_time", record.startTime)
            json.member("end_time", record.endTime)
            json.member("duration_us", record.durationMicros)
            optional("first_byte_us", record.firstByteMicros, &json)
            json.key("tokens")
            json.object { json in
                json.member("input", record.inputTokens)
                json.member("output", record.outputTokens)
                json.member("cached", record.cachedTokens)
                json.member("reasoning", record.reasoningTokens)
                json.member("total", record.totalTokens)
            }
            json.member("usage_source", "\(record.usageSource.name)")
            optional("cost_micros", record.costMicros, &json)
            optional("cache", record.cacheState, &json)
            json.key("stream")
            json.bool(record.isStream)
            json.key("attempts")
            json.raw(attempts)
            json.key("request_params")
            if let parameters { json.raw(parameters.span) } else { json.null() }
            optional("origin", origin, &json)
            more(&json)
        }
    }

    private static func optional(_ key: StaticString, _ text: String, _ json: inout JSONWriter) {
        json.key(key)
        if text.isEmpty { json.null() } else { json.string(text) }
    }

    /// Negative: not known.
    private static func optional(_ key: StaticString, _ number: Int, _ json: inout JSONWriter) {
        json.key(key)
        if number < 0 { json.null() } else { json.int(number) }
    }
}

extension RecordJSON {
    /// Reads what `write` wrote: another node's record. Unknown members are skipped, missing ones are empty.
    ///
    /// - Returns: `nil` for what is no record.
    package static func read(_ root: borrowing JSONValue) -> (id: RecordID, origin: String, record: InvocationRecord)? {
        guard root.isObject, let id = RecordID(text(root["id"])) else { return nil }
        var record = InvocationRecord()
        record.requestID = text(root["request_id"])
        record.userID = text(root["user_id"])
        record.principalID = text(root["principal_id"])
        record.team = text(root["team"])
        record.businessLine = text(root["business_line"])
        record.key = text(root["key"])
        record.scene = text(root["scene"])
        record.modelID = text(root["model_id"])
        record.provider = text(root["provider"])
        record.upstreamModel = text(root["upstream_model"])
        record.route = text(root["route"])
        guard let outcome = InvocationRecord.Outcome(text(root["status"])),
            let source = InvocationRecord.UsageSource(text(root["usage_source"]))
        else { return nil }
        record.outcome = outcome
        record.usageSource = source
        record.httpStatus = number(root["http_status"])
        record.errorCode = text(root["error_code"])
        record.errorMessage = text(root["error_message"])
        record.errorOwner = text(root["error_owner"])
        record.startTime = number(root["start_time"])
        record.endTime = number(root["end_time"])
        record.durationMicros = number(root["duration_us"])
        record.firstByteMicros = number(root["first_byte_us"], none: -1)
        if let tokens = root["tokens"] {
            record.inputTokens = number(tokens["input"])
            record.outputTokens = number(tokens["output"])
            record.cachedTokens = number(tokens["cached"])
            record.reasoningTokens = number(tokens["reasoning"])
            record.totalTokens = number(tokens["total"])
        }
        record.costMicros = number(root["cost_micros"], none: -1)
        record.cacheState = text(root["cache"])
        record.isStream = root["stream"]?.bool ?? false
        if let attempts = root["attempts"], attempts.isArray {
            for index in 0..<min(attempts.count, attemptsMax) {
                if let attempt = attempts[index] { record.attempts.append(read(attempt: attempt)) }
            }
        }
        return (id, text(root["origin"]), record)
    }

    private static let attemptsMax = 64
    private static let textByteCountMax = 65_535

    private static func read(attempt value: borrowing JSONValue) -> InvocationRecord.Attempt {
        var attempt = InvocationRecord.Attempt()
        attempt.provider = text(value["provider"])
        attempt.model = text(value["model"])
        attempt.result = text(value["result"])
        attempt.status = number(value["status"])
        attempt.durationMicros = number(value["duration_us"])
        attempt.inputTokens = number(value["input_tokens"])
        attempt.outputTokens = number(value["output_tokens"])
        attempt.costMicros = number(value["cost_micros"], none: -1)
        return attempt
    }

    private static func text(_ value: JSONValue?) -> String {
        guard let text = value?.string, text.utf8.count <= textByteCountMax else { return "" }
        return text
    }

    private static func number(_ value: JSONValue?, none: Int = 0) -> Int { value?.int ?? none }
}
