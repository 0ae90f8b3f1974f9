/// The stand-in upstream's answers, with the headers of api.openai.com: in the shape of OpenAI, or of Anthropic's Messages.
struct Replies {
    /// A whole response.
    let plain: [UInt8]
    /// What comes before the content of a stream, after its head.
    let streamBegin: [UInt8]
    /// An event in a chunk of its own.
    let contentEvent: [UInt8]
    /// The last events and the end of the body.
    let streamEnd: [UInt8]

    static let chat = Replies(
        plain: json(status: "200 OK", completion), streamBegin: roleEvent, contentEvent: chatContentEvent,
        streamEnd: chatEnd)
    static let messages = Replies(
        plain: json(status: "200 OK", MessagesReplies.message), streamBegin: MessagesReplies.begin,
        contentEvent: MessagesReplies.content, streamEnd: MessagesReplies.end)

    /// About 600 bytes.
    static let completion =
        #"{"id":"chatcmpl-CkZr1mS0zYhqF3bVw8oTnL5u","object":"chat.completion","created":1764000001,"#
        + #""model":"gpt-5.4-mini-2026-03-17","choices":[{"index":0,"message":{"role":"assistant","content":"#
        + #""Please tell her that the invoice will be corrected today.","refusal":null,"annotations":[]},"#
        + #""logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":58,"completion_tokens":12,"#
        + #""total_tokens":70,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},"#
        + #""completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0}},"#
        + #""service_tier":"default","system_fingerprint":null}"#
    private static let headers =
        "date: Fri, 20 Nov 2026 10:00:00 GMT\r\nserver: bench\r\nopenai-organization: org-bench\r\n"
        + "openai-processing-ms: 1\r\nopenai-version: 2020-10-01\r\n"
        + "x-request-id: req_0123456789abcdef0123456789abcdef\r\n"
        + "x-ratelimit-limit-requests: 10000\r\nx-ratelimit-remaining-requests: 9999\r\n"

    static let models = json(
        status: "200 OK",
        #"{"object":"list","data":[{"id":"gpt-5.4-mini","object":"model","created":1764000000,"owned_by":"bench"}]}"#)
    static let streamHead = Array(
        ("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n"
            + "\(headers)transfer-encoding: chunked\r\n\r\n").utf8)

    private static let roleEvent = event(delta: #"{"role":"assistant","content":"","refusal":null}"#, finish: "null")
    /// An event of about 200 bytes, in a chunk of its own.
    private static let chatContentEvent = event(delta: #"{"content":" invoices"}"#, finish: "null")
    /// The last three events and the end of the body.
    private static let chatEnd =
        event(delta: "{}", finish: #""stop""#)
        + chunk(
            "data: \(chunkStart)"
                + #","choices":[],"usage":{"prompt_tokens":58,"completion_tokens":12,"total_tokens":70}}"# + "\n\n")
        + chunk("data: [DONE]\n\n") + Array("0\r\n\r\n".utf8)
    private static let chunkStart =
        #"{"id":"chatcmpl-CkZr1mS0zYhqF3bVw8oTnL5u","object":"chat.completion.chunk","created":1764000001,"#
        + #""model":"gpt-5.4-mini""#

    /// A whole stream, head and all.
    func burst(eventCount: Int) -> [UInt8] {
        var bytes = Self.streamHead + streamBegin
        for _ in 0..<eventCount { bytes += contentEvent }
        return bytes + streamEnd
    }

    private static func event(delta: String, finish: String) -> [UInt8] {
        chunk(
            "data: \(chunkStart)"
                + #","choices":[{"index":0,"delta":\#(delta),"finish_reason":\#(finish)}],"usage":null}"# + "\n\n")
    }

    static func chunk(_ data: String) -> [UInt8] {
        Array("\(String(data.utf8.count, radix: 16))\r\n\(data)\r\n".utf8)
    }

    private static func json(status: String, _ body: String) -> [UInt8] {
        let framing = "content-type: application/json\r\ncontent-length: \(body.utf8.count)\r\n"
        return Array("HTTP/1.1 \(status)\r\n\(framing)\(headers)\r\n\(body)".utf8)
    }
}
