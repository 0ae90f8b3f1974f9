internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceProviders

/// What models there are: those that the configuration names, those that providers list, and the built-in one.
enum ModelReplies {
    private struct Entry {
        let id: String
        let owner: String
    }

    static func list(_ context: RequestContext, _ directory: ModelDirectory) {
        let buffer = ByteBuffer(capacity: 4096)
        var json = JSONWriter(into: buffer)
        if context.dialect == .anthropic {
            writeAnthropic(entries(context, directory), &json)
            return LocalReplies.send(buffer, context)
        }
        json.object { json in
            json.key("object")
            json.string("list")
            json.key("data")
            json.array { json in for entry in entries(context, directory) { write(entry, &json) } }
        }
        LocalReplies.send(buffer, context)
    }

    /// - Returns: whether the model is known here; if not, its provider may know it.
    static func single(_ id: String, _ context: RequestContext, _ directory: ModelDirectory) -> Bool {
        guard let entry = entries(context, directory).first(where: { $0.id == id }) else { return false }
        let buffer = ByteBuffer(capacity: 256)
        var json = JSONWriter(into: buffer)
        if context.dialect == .anthropic { writeAnthropic(entry, &json) } else { write(entry, &json) }
        LocalReplies.send(buffer, context)
        return true
    }

    /// Anthropic's list, in one page.
    private static func writeAnthropic(_ entries: [Entry], _ json: inout JSONWriter) {
        json.object { json in
            json.key("data")
            json.array { json in for entry in entries { writeAnthropic(entry, &json) } }
            json.key("has_more")
            json.bool(false)
            json.key("first_id")
            if let first = entries.first { json.string(first.id) } else { json.null() }
            json.key("last_id")
            if let last = entries.last { json.string(last.id) } else { json.null() }
        }
    }

    private static func writeAnthropic(_ entry: Entry, _ json: inout JSONWriter) {
        json.object { json in
            json.key("type")
            json.string("model")
            json.key("id")
            json.string(entry.id)
            json.key("display_name")
            json.string(entry.id)
            // Not known, which Anthropic says so.
            json.key("created_at")
            json.string("1970-01-01T00:00:00Z")
        }
    }

    static func platformList(_ context: RequestContext, _ directory: ModelDirectory) {
        let buffer = ByteBuffer(capacity: 4096)
        var json = JSONWriter(into: buffer)
        PlatformReply.envelope(200, "success", context, &json) { json in
            json.array { json in
                for entry in entries(context, directory) {
                    json.object { json in
                        json.key("name")
                        json.string(entry.id)
                        json.key("provider")
                        json.string(entry.owner)
                        json.key("status")
                        json.string("active")
                        ModelDetails.write(entry.id, context, &json)
                    }
                }
            }
        }
        LocalReplies.send(buffer, context)
    }

    /// Each name once, under the provider that a request for it would go to. With several providers, those that only one of them
    /// lists keep their bare name; all can be had as `provider/model`.
    /// Only those that whoever asks may use.
    private static func entries(_ context: RequestContext, _ directory: ModelDirectory) -> [Entry] {
        let snapshot = context.snapshot
        let access = context.restrictingAccess
        var entries: [Entry] = []
        var seen: Set<String> = []
        func add(_ id: String, _ owner: String) {
            if let access, !snapshot.isUsable(id, of: owner, by: access) { return }
            if seen.insert(id).inserted { entries.append(Entry(id: id, owner: owner)) }
        }
        for model in snapshot.routes.listed { add(model.name, model.owner) }
        for provider in snapshot.providers.values.sorted(by: { $0.name < $1.name }) {
            let listed = directory.models(of: provider.name)
            for model in listed.isEmpty ? provider.models : listed { add(model, provider.name) }
        }
        add(Routing.echoModel, "sluice")
        return entries
    }

    private static func write(_ entry: Entry, _ json: inout JSONWriter) {
        json.object { json in
            json.key("id")
            json.string(entry.id)
            json.key("object")
            json.string("model")
            json.key("created")
            json.int(0)
            json.key("owned_by")
            json.string(entry.owner)
        }
    }
}
