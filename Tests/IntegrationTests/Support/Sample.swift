/// Requests and replies in the OpenAI dialect.
enum Sample {
    static let chat = #"{"model":"m","messages":[{"role":"user","content":"Hello"}]}"#
    static let streamedChat = #"{"model":"m","messages":[{"role":"user","content":"Hello"}],"stream":true}"#
    static let streamedChatWithUsage =
        #"{"model":"m","messages":[{"role":"user","content":"Hello"}],"stream":true,"stream_options":{"include_usage":true}}"#
    static let echo = #"{"model":"echo","messages":[{"role":"user","content":"one two three"}]}"#

    static let completion =
        #"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":"#
        + #"{"role":"assistant","content":"Hi."},"finish_reason":"stop"}],"#
        + #""usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}"#

    static func delta(_ text: String) -> String {
        #"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"\#(text)"},"finish_reason":null}]}"#
    }

    static let finish =
        #"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#

    static let usage =
        #"{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":3,"total_tokens":8}}"#

    static let done = "[DONE]"
}
