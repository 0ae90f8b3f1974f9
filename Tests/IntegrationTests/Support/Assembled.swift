internal import FoundationEssentials
import Testing

/// What an application makes of a stream in one of the dialects that it may speak.
struct Assembled {
    enum Dialect: CaseIterable { case chat, messages, envelope, responses }

    var text = ""
    var reasons: [String] = []
    var beginnings = 0
    var ids: Set<String> = []
    var error: String?
    var isDone = false
    var isClean = false
    var comments = 0
    var usage = JSON("")
    /// All events but comments and pings, as they came.
    var events: [String] = []

    /// Asks for a stream and reads it to its end, proper or not.
    static func ask(_ sluice: SluiceProcess, _ dialect: Dialect, _ model: String, id: String = "r-1") throws -> Assembled {
        let wire = try sluice.connect()
        let fields = ["x-request-id: \(id)"]
        let messages = #""messages":[{"role":"user","content":"Hello there"}],"stream":true"#
        switch dialect {
        case .chat:
            try wire.ask(
                "POST", "/v1/chat/completions", fields,
                #"{"model":"\#(model)",\#(messages),"stream_options":{"include_usage":true}}"#)
        case .messages:
            try wire.ask("POST", "/v1/messages", fields, #"{"model":"\#(model)","max_tokens":1000,\#(messages)}"#)
        case .envelope:
            try wire.ask(
                "POST", "/api/v1/chat/completions", fields,
                #"{"request_id":"e-1","model":"\#(model)","parameters":{"prompt":"Hello there","stream":true}}"#)
        case .responses:
            try wire.ask("POST", "/v1/responses", fields, #"{"model":"\#(model)","input":"Hello there","stream":true}"#)
        }
        return try read(ResponseStream(wire), dialect)
    }

    static func read(_ stream: ResponseStream, _ dialect: Dialect) throws -> Assembled {
        var result = Assembled()
        #expect(stream.head.status == 200, "\(stream.head.head)")
        let (events, isClean) = try stream.untilAnyEnd()
        result.isClean = isClean
        for event in events {
            if event.hasPrefix(":") || event.contains("event: ping") {
                result.comments += 1
                continue
            }
            result.events.append(event)
            let data = event.components(separatedBy: "data: ").dropFirst().joined(separator: "data: ")
            if data == "[DONE]" { result.isDone = true } else { result.take(JSON(data), dialect) }
        }
        return result
    }

    private mutating func take(_ event: JSON, _ dialect: Dialect) {
        switch dialect {
        case .chat: takeChat(event)
        case .messages: takeMessages(event)
        case .envelope: takeEnvelope(event)
        case .responses: takeResponses(event)
        }
    }

    private mutating func takeChat(_ event: JSON) {
        if let code = event["error"]["code"].string ?? event["error"]["type"].string { return error = code }
        if let id = event["id"].string { ids.insert(id) }
        let choice = event["choices"][0]
        if choice["delta"]["role"].string != nil { beginnings += 1 }
        text += choice["delta"]["content"].string ?? ""
        if let reason = choice["finish_reason"].string { reasons.append(reason) }
        if event["usage"]["total_tokens"].int != nil { usage = event["usage"] }
    }

    private mutating func takeMessages(_ event: JSON) {
        switch event["type"].string {
        case "error": error = event["error"]["type"].string
        case "message_start":
            beginnings += 1
            ids.insert(event["message"]["id"].string ?? "")
        case "content_block_delta": text += event["delta"]["text"].string ?? ""
        case "message_delta":
            reasons.append(event["delta"]["stop_reason"].string ?? "")
            usage = event["usage"]
        case "message_stop": isDone = true
        default: break
        }
    }

    private mutating func takeEnvelope(_ event: JSON) {
        if event["code"].int != 200 { return error = event["error"]["code"].string ?? "error" }
        text += event["data"]["delta"].string ?? ""
        if let reason = event["data"]["finish_reason"].string {
            reasons.append(reason)
            usage = event["data"]["usage"]
        }
    }

    private mutating func takeResponses(_ event: JSON) {
        switch event["type"].string {
        case "error": error = event["code"].string
        case "response.created": beginnings += 1
        case "response.output_text.delta": text += event["delta"].string ?? ""
        case "response.output_text.done": #expect(event["text"].string == text)
        case "response.completed":
            reasons.append("completed")
            isDone = true
            usage = event["response"]["usage"]
        default: break
        }
    }
}
