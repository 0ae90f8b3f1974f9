internal import SluiceCore
package import SluiceJSON

/// What a response object repeats of the request that it answers (section 11 of the OpenAI sheet): kept until the reply is written.
package struct ResponsesEcho {
    /// The members of an object, without its braces.
    private let members: ByteBuffer

    /// What a request says, with OpenAI's default where it says nothing and OpenAI has one.
    package init(of root: JSONValue) {
        members = ByteBuffer(capacity: 512)
        var json = JSONWriter(into: members)
        json.beginObject()
        json.key("background")
        json.bool(false)
        for field in ["instructions", "max_output_tokens", "max_tool_calls"] as [StaticString] {
            Self.write(field, of: root, &json)
        }
        json.key("metadata")
        if let metadata = root["metadata"], metadata.isObject { json.value(metadata) } else { json.object { _ in } }
        json.key("parallel_tool_calls")
        json.bool(root["parallel_tool_calls"]?.bool ?? true)
        json.key("previous_response_id")
        json.null()
        Self.write("prompt_cache_key", of: root, &json)
        json.key("reasoning")
        json.beginObject()
        let reasoning = root["reasoning"]
        json.key("effort")
        if let effort = reasoning?["effort"] { json.value(effort) } else { json.null() }
        json.key("summary")
        if let summary = reasoning?["summary"] { json.value(summary) } else { json.null() }
        json.endObject()
        for field in ["safety_identifier", "service_tier"] as [StaticString] { Self.write(field, of: root, &json) }
        // Nothing is kept, whatever was asked for.
        json.key("store")
        json.bool(false)
        for field in ["temperature", "top_p", "user"] as [StaticString] { Self.write(field, of: root, &json) }
        json.key("text")
        Self.writeText(root["text"], &json)
        json.key("tool_choice")
        if let choice = root["tool_choice"], !choice.isNull { json.value(choice) } else { json.string("auto") }
        json.key("tools")
        if let tools = root["tools"], tools.isArray { json.value(tools) } else { json.array { _ in } }
        json.key("top_logprobs")
        json.int(0)
        json.key("truncation")
        json.string("disabled")
        json.endObject()
        members.consume(1)
        members.truncate(to: members.count - 1)
    }

    private static func write(_ field: StaticString, of root: JSONValue, _ json: inout JSONWriter) {
        json.key(field)
        if let value = root[field] { json.value(value) } else { json.null() }
    }

    private static func writeText(_ text: JSONValue?, _ json: inout JSONWriter) {
        json.beginObject()
        json.key("format")
        if let format = text?["format"], format.isObject {
            json.value(format)
        } else {
            json.object { json in
                json.key("type")
                json.string("text")
            }
        }
        if let verbosity = text?["verbosity"], !verbosity.isNull {
            json.key("verbosity")
            json.value(verbosity)
        }
        json.endObject()
    }

    /// Appends the members, with a comma before them.
    func append(to buffer: ByteBuffer) {
        buffer.append(UInt8(ascii: ","))
        buffer.append(members.span)
    }
}
