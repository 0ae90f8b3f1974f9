internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON

/// `/v1/batches`. A batch is validating when it is made, in progress at the first look and completed at the second.
struct BatchReplies {
    let store: ObjectStore
    let behaviour: Behaviour

    private static let endpoints: Set<String> = [
        "/v1/responses", "/v1/chat/completions", "/v1/embeddings", "/v1/completions", "/v1/moderations",
        "/v1/images/generations",
    ]
    private static let listedMax = 100
    private static let dayInSeconds = 86_400

    func create(_ root: JSONValue, _ identity: ReplyIdentity) throws(APIError) -> Reply {
        let endpoint = try root.required("endpoint")
        guard Self.endpoints.contains(endpoint) else {
            throw .invalidValue("endpoint", "supported values are: \(Self.endpoints.sorted().joined(separator: ", "))")
        }
        let inputFileID = try root.required("input_file_id")
        guard store.file(inputFileID) != nil else { throw .noSuch("File object", inputFileID) }
        let window = try root.required("completion_window")
        let metadata = root.rawText("metadata") ?? Array("null".utf8)
        let batch: StoredBatch? = store.withObjects { objects in
            guard objects.reserve(0) else { return nil }
            let batch = StoredBatch(
                id: "batch_\(identity.hex)", number: objects.nextNumber(), created: identity.created,
                endpoint: endpoint,
                inputFileID: inputFileID, window: window, metadata: metadata)
            objects.batches[batch.id] = batch
            return batch
        }
        guard let batch else { throw .storeFull }
        return Reply { write(batch, &$0) }
    }

    /// Looks at a batch, which moves it on.
    func retrieve(_ id: String) throws(APIError) -> Reply {
        guard var batch = store.withObjects({ $0.batches[id] }) else { throw .noSuch("batch", id) }
        switch batch.status {
        case .validating: batch.status = .inProgress
        case .inProgress, .finalizing: BatchRun(store: store, behaviour: behaviour).complete(&batch)
        case .completed, .failed, .cancelled: break
        }
        let moved = batch
        store.withObjects { $0.batches[id] = moved }
        return Reply { write(moved, &$0) }
    }

    func cancel(_ id: String) throws(APIError) -> Reply {
        let batch: StoredBatch? = store.withObjects { objects in
            guard let status = objects.batches[id]?.status else { return nil }
            if status == .validating || status == .inProgress { objects.batches[id]?.status = .cancelled }
            return objects.batches[id]
        }
        guard let batch else { throw .noSuch("batch", id) }
        return Reply { write(batch, &$0) }
    }

    func list(_ target: borrowing RequestTarget) -> Reply {
        let all = store.withObjects { Array($0.batches.values) }
        let (page, hasMore) = ListPage.of(all, target, max: Self.listedMax, number: \.number, id: \.id)
        return Reply { ListPage.write(page, hasMore, id: \.id, &$0, write) }
    }

    private func write(_ batch: StoredBatch, _ json: inout JSONWriter) {
        let isRunning = batch.status != .validating && batch.status != .failed
        json.object { json in
            json.member("id", batch.id)
            json.member("object", "batch")
            json.member("endpoint", batch.endpoint)
            json.key("errors")
            if let mistake = batch.mistake { writeErrors(mistake, &json) } else { json.null() }
            json.member("input_file_id", batch.inputFileID)
            json.member("completion_window", batch.window)
            json.member("status", batch.status.rawValue)
            json.member("output_file_id", batch.outputFileID)
            json.member("error_file_id", batch.errorFileID)
            json.member("created_at", batch.created)
            time("in_progress_at", isRunning ? batch.created : nil, &json)
            json.member("expires_at", batch.created + Self.dayInSeconds)
            time("finalizing_at", batch.status == .completed ? batch.created : nil, &json)
            time("completed_at", batch.status == .completed ? batch.created : nil, &json)
            time("failed_at", batch.status == .failed ? batch.created : nil, &json)
            time("expired_at", nil, &json)
            time("cancelling_at", batch.status == .cancelled ? batch.created : nil, &json)
            time("cancelled_at", batch.status == .cancelled ? batch.created : nil, &json)
            json.key("request_counts")
            json.object { json in
                json.member("total", batch.completedCount + batch.failedCount)
                json.member("completed", batch.completedCount)
                json.member("failed", batch.failedCount)
            }
            json.key("metadata")
            json.raw(batch.metadata.span)
        }
    }

    private func time(_ name: StaticString, _ seconds: Int?, _ json: inout JSONWriter) {
        json.key(name)
        if let seconds { json.int(seconds) } else { json.null() }
    }

    private func writeErrors(_ mistake: String, _ json: inout JSONWriter) {
        json.object { json in
            json.member("object", "list")
            json.key("data")
            json.array { json in
                json.object { json in
                    json.member("code", "invalid_json_line")
                    json.member("message", mistake)
                    json.nullMember("param")
                    json.nullMember("line")
                }
            }
        }
    }
}
