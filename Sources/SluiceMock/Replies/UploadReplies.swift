internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON

/// `/v1/uploads`: files in parts.
struct UploadReplies {
    let store: ObjectStore

    private static let partsMax = 1000
    private static let lifetimeSeconds = 3600

    func create(_ root: JSONValue, _ identity: ReplyIdentity) throws(APIError) -> Reply {
        guard let byteCount = try root.int("bytes", in: 0...ObjectStore.byteCountMax) else { throw .missing("bytes") }
        let upload = StoredUpload(
            id: "upload_\(identity.hex)", created: identity.created, filename: try root.required("filename"),
            purpose: try root.required("purpose"), byteCount: byteCount)
        _ = try root.required("mime_type")
        let hasRoom = store.withObjects { objects in
            guard objects.reserve(0) else { return false }
            objects.uploads[upload.id] = upload
            return true
        }
        if !hasRoom { throw .storeFull }
        return reply(upload)
    }

    func add(_ form: FormFields, to id: String, _ identity: ReplyIdentity) throws(APIError) -> Reply {
        let bytes = try form.file("data").bytes
        let partID = "part_\(identity.hex)"
        let mistake: APIError? = store.withObjects { objects in
            guard let upload = objects.uploads[id] else { return .noSuch("Upload", id) }
            if upload.status != .pending { return APIError(400, "The upload is \(upload.status.rawValue).") }
            guard upload.parts.count < Self.partsMax, objects.reserve(bytes.count) else { return .storeFull }
            objects.uploads[id]?.parts.append((partID, bytes))
            return nil
        }
        if let mistake { throw mistake }
        return Reply { json in
            json.object { json in
                json.member("id", partID)
                json.member("object", "upload.part")
                json.member("created_at", identity.created)
                json.member("upload_id", id)
            }
        }
    }

    /// Puts the parts together in the order that is asked for.
    func complete(_ id: String, _ root: JSONValue, _ identity: ReplyIdentity) throws(APIError) -> Reply {
        guard let parts = root.given("part_ids"), parts.isArray else { throw .missing("part_ids") }
        var ids: [String] = []
        var elements = parts.elements
        while let element = elements.next() { ids.append(element.string ?? "") }
        guard let upload = store.withObjects({ $0.uploads[id] }) else { throw .noSuch("Upload", id) }
        if upload.status != .pending { throw APIError(400, "The upload is \(upload.status.rawValue).") }
        var bytes: [UInt8] = []
        for partID in ids {
            guard let part = upload.parts.first(where: { $0.id == partID }) else {
                throw .noSuch("Upload Part", partID)
            }
            if bytes.count + part.bytes.count > upload.byteCount { break }
            bytes += part.bytes
        }
        if bytes.count != upload.byteCount {
            throw APIError(
                400, "The parts do not have the \(upload.byteCount) bytes that the upload was announced with.",
                param: "part_ids")
        }
        let fileID = "file-\(identity.hex)"
        close(id, .completed, fileID: fileID)
        guard
            store.add(file: bytes, id: fileID, filename: upload.filename, purpose: upload.purpose, lifetime: nil) != nil
        else {
            throw .storeFull
        }
        return try retrieve(id)
    }

    func cancel(_ id: String) throws(APIError) -> Reply {
        close(id, .cancelled, fileID: nil)
        return try retrieve(id)
    }

    /// The parts are let go.
    private func close(_ id: String, _ status: StoredUpload.Status, fileID: String?) {
        store.withObjects { objects in
            guard var upload = objects.uploads[id], upload.status == .pending else { return }
            objects.release(upload.parts.reduce(0) { $0 + $1.bytes.count })
            upload.parts = []
            upload.status = status
            upload.fileID = fileID
            objects.uploads[id] = upload
        }
    }

    private func retrieve(_ id: String) throws(APIError) -> Reply {
        guard let upload = store.withObjects({ $0.uploads[id] }) else { throw .noSuch("Upload", id) }
        return reply(upload)
    }

    private func reply(_ upload: StoredUpload) -> Reply {
        let file = upload.fileID.flatMap { store.file($0) }
        return Reply { json in
            json.object { json in
                json.member("id", upload.id)
                json.member("object", "upload")
                json.member("bytes", upload.byteCount)
                json.member("created_at", upload.created)
                json.member("filename", upload.filename)
                json.member("purpose", upload.purpose)
                json.member("status", upload.status.rawValue)
                json.member("expires_at", upload.created + Self.lifetimeSeconds)
                json.key("file")
                if let file { FileReplies.write(file, &json) } else { json.null() }
            }
        }
    }
}
