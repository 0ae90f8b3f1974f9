internal import SluiceJSON

/// Documents such as the proxy sees.
enum JSONSamples {
    /// - Parameter prompt: as it stands between the quotation marks.
    static func chatRequest(prompt: String) -> String {
        """
        {"model":"gpt-4o-mini","messages":[{"role":"system","content":"You are a helpful assistant."},\
        {"role":"user","content":"\(prompt)"}],"temperature":0.7,"max_tokens":256,"stream":true,\
        "stream_options":{"include_usage":true},"user":"user-1234567890"}
        """
    }

    static let streamChunk = """
        {"id":"chatcmpl-9xYzAbCdEfGhIjKlMnOp","object":"chat.completion.chunk","created":1718345013,\
        "model":"gpt-4o-mini","choices":[{"index":0,"delta":{"content":" capital"},"logprobs":null,\
        "finish_reason":null}]}
        """

    static let chatReply = """
        {
          "id": "chatcmpl-9xYzAbCdEfGhIjKlMnOp",
          "object": "chat.completion",
          "created": 1718345013,
          "model": "gpt-4o-mini-2024-07-18",
          "choices": [
            {
              "index": 0,
              "message": {
                "role": "assistant",
                "content": "The capital of France is Paris."
              },
              "logprobs": null,
              "finish_reason": "stop"
            }
          ],
          "usage": {
            "prompt_tokens": 24,
            "completion_tokens": 8,
            "total_tokens": 32
          },
          "system_fingerprint": "fp_48196bc67a"
        }
        """

    static func floats(_ count: Int) -> String {
        "[" + (0..<count).map { "\(Double($0 * 7919 % 2003 - 1000) / 31357)" }.joined(separator: ",") + "]"
    }

    static func writeStreamChunk(_ writer: inout JSONWriter) {
        writer.beginObject()
        writer.key("id")
        writer.string("chatcmpl-9xYzAbCdEfGhIjKlMnOp" as StaticString)
        writer.key("object")
        writer.string("chat.completion.chunk" as StaticString)
        writer.key("created")
        writer.int(1_718_345_013)
        writer.key("choices")
        writer.beginArray()
        writer.beginObject()
        writer.key("index")
        writer.int(0)
        writer.key("delta")
        writer.object {
            $0.key("content")
            $0.string(" capital" as StaticString)
        }
        writer.key("logprobs")
        writer.null()
        writer.key("finish_reason")
        writer.null()
        writer.endObject()
        writer.endArray()
        writer.endObject()
    }
}
