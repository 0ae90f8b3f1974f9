package import SluiceCore
internal import SluiceJSON

/// Writes chat completions and their chunks (sections 5 and 6 of the OpenAI sheet).
package struct OpenAIChatWriter {
    package let id: String
    package let model: String
    /// Seconds since 1970.
    package let created: Int

    package init(id: String, model: String, created: Int) {
        self.id = id
        self.model = model
        self.created = created
    }

    /// A whole completion with one choice.
    package func completion(text: String, finish: StaticString, usage: Usage, into buffer: ByteBuffer) {
        var json = JSONWriter(into: buffer)
        json.object { json in
            begin("chat.completion", &json)
            json.key("choices")
            json.array { json in
                json.object { json in
                    json.key("index")
                    json.int(0)
                    json.key("message")
                    json.object { json in
                        json.key("role")
                        json.string("assistant")
                        json.key("content")
                        json.string(text)
                        json.key("refusal")
                        json.null()
                    }
                    json.key("logprobs")
                    json.null()
                    json.key("finish_reason")
                    json.string(finish)
                }
            }
            json.key("usage")
            write(usage, &json)
        }
    }

    /// The first chunk, which names the role.
    package func roleChunk(withUsage: Bool, into buffer: ByteBuffer) {
        chunk(withUsage: withUsage, finish: nil, into: buffer) { json in
            json.key("role")
            json.string("assistant")
            json.key("content")
            json.string("")
            json.key("refusal")
            json.null()
        }
    }

    package func textChunk(_ text: String, withUsage: Bool, into buffer: ByteBuffer) {
        chunk(withUsage: withUsage, finish: nil, into: buffer) { json in
            json.key("content")
            json.string(text)
        }
    }

    package func finishChunk(_ finish: StaticString, withUsage: Bool, into buffer: ByteBuffer) {
        chunk(withUsage: withUsage, finish: finish, into: buffer) { _ in }
    }

    package func usageChunk(_ usage: Usage, into buffer: ByteBuffer) {
        var json = JSONWriter(into: buffer)
        json.object { json in
            begin("chat.completion.chunk", &json)
            json.key("choices")
            json.array { _ in }
            json.key("usage")
            write(usage, &json)
        }
    }

    private func chunk(
        withUsage: Bool, finish: StaticString?, into buffer: ByteBuffer, delta: (inout JSONWriter) -> Void
    ) {
        var json = JSONWriter(into: buffer)
        json.object { json in
            begin("chat.completion.chunk", &json)
            json.key("choices")
            json.array { json in
                json.object { json in
                    json.key("index")
                    json.int(0)
                    json.key("delta")
                    json.object(delta)
                    json.key("logprobs")
                    json.null()
                    json.key("finish_reason")
                    if let finish { json.string(finish) } else { json.null() }
                }
            }
            if withUsage {
                json.key("usage")
                json.null()
            }
        }
    }

    private func begin(_ object: StaticString, _ json: inout JSONWriter) {
        json.key("id")
        json.string(id)
        json.key("object")
        json.string(object)
        json.key("created")
        json.int(created)
        json.key("model")
        json.string(model)
        json.key("system_fingerprint")
        json.null()
    }

    private func write(_ usage: Usage, _ json: inout JSONWriter) {
        json.object { json in
            json.key("prompt_tokens")
            json.int(usage.inputTokens)
            json.key("completion_tokens")
            json.int(usage.outputTokens)
            json.key("total_tokens")
            json.int(usage.totalTokens)
        }
    }
}
