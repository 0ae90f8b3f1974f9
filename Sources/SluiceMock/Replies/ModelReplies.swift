internal import SluiceJSON

/// `/v1/models`. Any name is a model here, but `missing`; the list has some.
struct ModelReplies {
    let listed: [String]

    /// A name that is never there.
    static let missing = "missing"
    static let listedByDefault = [
        "gpt-mock", "gpt-mock-mini", "instruct-mock", "text-embedding-mock", "omni-moderation-mock", "image-mock",
        "tts-mock",
        "transcribe-mock",
    ]
    private static let created = 1_764_000_000

    func list() -> Reply {
        Reply { json in
            json.object { json in
                json.member("object", "list")
                json.key("data")
                json.array { json in for id in listed { write(id, &json) } }
            }
        }
    }

    func retrieve(_ id: String) throws(APIError) -> Reply {
        if id == Self.missing { throw .noSuchModel(id) }
        return Reply { write(id, &$0) }
    }

    func delete(_ id: String) throws(APIError) -> Reply {
        if id == Self.missing { throw .noSuchModel(id) }
        return DeletionReply.reply(id, "model")
    }

    private func write(_ id: String, _ json: inout JSONWriter) {
        json.object { json in
            json.member("id", id)
            json.member("object", "model")
            json.member("created", Self.created)
            json.member("owned_by", "sluice-mock")
            json.nullMember("shutdown_date")
        }
    }
}
