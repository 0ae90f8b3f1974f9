internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON

/// `/v1/files`.
struct FileReplies {
    let store: ObjectStore

    private static let purposes: Set<String> = ["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]
    private static let listedMax = 10_000

    func create(_ form: FormFields, _ identity: ReplyIdentity) throws(APIError) -> Reply {
        let purpose = try form.required("purpose")
        guard Self.purposes.contains(purpose) else {
            throw .invalidValue("purpose", "supported values are: \(Self.purposes.sorted().joined(separator: ", "))")
        }
        let (filename, bytes) = try form.file("file")
        let lifetime = form.text("expires_after[seconds]").flatMap { Int($0) }.map { min(max($0, 3600), 2_592_000) }
        guard
            let file = store.add(
                file: bytes, id: "file-\(identity.hex)", filename: filename, purpose: purpose, lifetime: lifetime)
        else { throw .storeFull }
        return Reply { Self.write(file, &$0) }
    }

    func list(_ target: borrowing RequestTarget) -> Reply {
        let purpose = target.parameterText("purpose")
        let all = store.withObjects { Array($0.files.values) }.filter { purpose == nil || $0.purpose == purpose }
        let (page, hasMore) = ListPage.of(all, target, max: Self.listedMax, number: \.number, id: \.id)
        return Reply { ListPage.write(page, hasMore, id: \.id, &$0, Self.write) }
    }

    func retrieve(_ id: String) throws(APIError) -> Reply {
        let file = try find(id)
        return Reply { Self.write(file, &$0) }
    }

    func content(_ id: String) throws(APIError) -> Reply {
        let file = try find(id)
        return Reply("application/octet-stream", .whole(ByteBuffer(copying: file.bytes.span)))
    }

    func delete(_ id: String) throws(APIError) -> Reply {
        guard store.removeFile(id) else { throw .noSuch("File object", id) }
        return DeletionReply.reply(id, "file")
    }

    private func find(_ id: String) throws(APIError) -> StoredFile {
        guard let file = store.file(id) else { throw .noSuch("File object", id) }
        return file
    }

    static func write(_ file: StoredFile, _ json: inout JSONWriter) {
        json.object { json in
            json.member("id", file.id)
            json.member("object", "file")
            json.member("bytes", file.bytes.count)
            json.member("created_at", file.created)
            if let expiresAt = file.expiresAt { json.member("expires_at", expiresAt) }
            json.member("filename", file.filename)
            json.member("purpose", file.purpose)
            json.member("status", "processed")
            json.nullMember("status_details")
        }
    }
}

/// `{"id":…,"object":…,"deleted":true}`.
enum DeletionReply {
    static func reply(_ id: String, _ object: String) -> Reply {
        Reply { json in
            json.object { json in
                json.member("id", id)
                json.member("object", object)
                json.member("deleted", true)
            }
        }
    }
}

/// A page of a list: `order`, `after` and `limit`.
enum ListPage {
    static func of<Element>(
        _ all: [Element], _ target: borrowing RequestTarget, max: Int, number: KeyPath<Element, Int>,
        id: KeyPath<Element, String>
    ) -> (page: [Element], hasMore: Bool) {
        let isAscending = target.parameterText("order") == "asc"
        var list = all.sorted { isAscending == ($0[keyPath: number] < $1[keyPath: number]) }
        if let after = target.parameterText("after"), let index = list.firstIndex(where: { $0[keyPath: id] == after }) {
            list.removeSubrange(...index)
        }
        let limit = Swift.min(Swift.max(target.parameterText("limit").flatMap { Int($0) } ?? 20, 1), max)
        return (Array(list.prefix(limit)), list.count > limit)
    }

    static func write<Element>(
        _ page: [Element], _ hasMore: Bool, id: KeyPath<Element, String>, _ json: inout JSONWriter,
        _ write: (Element, inout JSONWriter) -> Void
    ) {
        json.object { json in
            json.member("object", "list")
            json.key("data")
            json.array { json in for element in page { write(element, &json) } }
            json.member("first_id", page.first?[keyPath: id])
            json.member("last_id", page.last?[keyPath: id])
            json.member("has_more", hasMore)
        }
    }
}
