/// The stand-in's answers in the shape of Anthropic's Messages: the same words as in OpenAI's.
enum MessagesReplies {
    static let message =
        #"{"id":"msg_01XFDUDYJgAACzvnptvVoYEL","type":"message","role":"assistant","model":"claude-sonnet-4-6","#
        + #""content":[{"type":"text","text":"Please tell her that the invoice will be corrected today."}],"#
        + #""stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":58,"cache_creation_input_tokens":0,"#
        + #""cache_read_input_tokens":0,"output_tokens":12}}"#

    static let begin =
        event(
            "message_start",
            #""message":{"id":"msg_01XFDUDYJgAACzvnptvVoYEL","type":"message","role":"assistant","model":"claude-sonnet-4-6","#
                + #""content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":58,"output_tokens":1}}"#
        )
        + event("content_block_start", #""index":0,"content_block":{"type":"text","text":""}"#)
    static let content = event(
        "content_block_delta", #""index":0,"delta":{"type":"text_delta","text":" invoices"}"#)
    static let end =
        event("content_block_stop", #""index":0"#)
        + event(
            "message_delta", #""delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":12}"#)
        + Replies.chunk("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n") + Array("0\r\n\r\n".utf8)

    private static func event(_ type: String, _ members: String) -> [UInt8] {
        Replies.chunk("event: \(type)\ndata: {\"type\":\"\(type)\",\(members)}\n\n")
    }
}
