internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON

/// `POST /v1/images/generations` and `/v1/images/edits`: a picture of one pixel.
struct ImageReply {
    /// A PNG of 67 bytes.
    static let png: StaticString =
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mP4DwABAQEAHLCMmQAAAABJRU5ErkJggg=="

    private let prompt: String
    private let count: Int
    private let isStream: Bool
    private let partialCount: Int
    private let isURL: Bool
    private let size: String
    private let isEdit: Bool

    /// A request for new pictures, or one in JSON for an edit.
    init(_ root: JSONValue, isEdit: Bool) throws(APIError) {
        prompt = try root.required("prompt")
        count = try root.int("n", in: 1...10) ?? 1
        isStream = try root.bool("stream") ?? false
        partialCount = try root.int("partial_images", in: 0...3) ?? 0
        isURL = try root.text("response_format") == "url"
        size = try root.text("size") ?? "1024x1024"
        self.isEdit = isEdit
    }

    /// An edit as a form.
    init(_ form: FormFields) throws(APIError) {
        prompt = try form.required("prompt")
        guard form.has("image") || form.has("image[]") else { throw .missing("image") }
        count = min(max(form.text("n").flatMap { Int($0) } ?? 1, 1), 10)
        isStream = form.text("stream") == "true"
        partialCount = min(max(form.text("partial_images").flatMap { Int($0) } ?? 0, 0), 3)
        isURL = form.text("response_format") == "url"
        size = form.text("size") ?? "1024x1024"
        isEdit = true
    }

    func reply(_ identity: ReplyIdentity) -> Reply {
        if isStream { return Reply(script(identity), .named) }
        return Reply(capacity: 1024) { json in
            json.object { json in
                json.member("created", identity.created)
                json.key("data")
                json.array { json in
                    for index in 0..<count {
                        json.object { json in
                            if isURL {
                                json.member("url", "https://images.invalid/\(identity.hex)-\(index).png")
                            } else {
                                json.key("b64_json")
                                json.string(Self.png)
                            }
                            json.member("revised_prompt", prompt)
                        }
                    }
                }
                writeProperties(&json)
                json.key("usage")
                writeUsage(&json)
            }
        }
    }

    private func script(_ identity: ReplyIdentity) -> Script {
        var script = Script(capacity: 2048)
        script.beginContent()
        for index in 0..<partialCount {
            event(isEdit ? "image_edit.partial_image" : "image_generation.partial_image", identity, &script) {
                $0.member("partial_image_index", index)
            }
        }
        script.endContent()
        script.beginFinish()
        event(isEdit ? "image_edit.completed" : "image_generation.completed", identity, &script) { json in
            json.key("usage")
            writeUsage(&json)
        }
        script.endFinish()
        return script
    }

    private func event(
        _ name: StaticString, _ identity: ReplyIdentity, _ script: inout Script, _ members: (inout JSONWriter) -> Void
    ) {
        script.event(name) { buffer in
            var json = JSONWriter(into: buffer)
            json.object { json in
                json.key("type")
                json.string(name)
                json.key("b64_json")
                json.string(Self.png)
                json.member("created_at", identity.created)
                writeProperties(&json)
                members(&json)
            }
        }
    }

    private func writeProperties(_ json: inout JSONWriter) {
        json.member("background", "opaque")
        json.member("output_format", "png")
        json.member("quality", "low")
        json.member("size", size)
    }

    private func writeUsage(_ json: inout JSONWriter) {
        let text = Tokens.estimate(byteCount: prompt.utf8.count)
        let output = 100 * count
        json.object { json in
            json.member("input_tokens", text)
            json.member("output_tokens", output)
            json.member("total_tokens", text + output)
            json.key("input_tokens_details")
            json.object { json in
                json.member("text_tokens", text)
                json.member("image_tokens", 0)
            }
        }
    }
}
