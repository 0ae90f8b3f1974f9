internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON

/// Which reply an endpoint gives.
enum Answers {
    /// The endpoints that take JSON and have a model; what a batch can use too.
    static func reply(
        _ endpoint: Endpoint, _ root: JSONValue, _ identity: ReplyIdentity, _ behaviour: Behaviour, _ store: ObjectStore
    ) throws(APIError) -> Reply {
        guard root.isObject else { throw .invalidType("body", expected: "an object") }
        if let model = root.given("model"), !model.isString { throw .invalidType("model", expected: "a string") }
        if endpoint.needsModel, identity.model.isEmpty { throw .missing("model") }
        if identity.model == ModelReplies.missing { throw .noSuchModel(identity.model) }
        switch endpoint {
        case .chatCompletions: return try ChatReply.reply(root, identity, behaviour)
        case .completions: return try CompletionReply.reply(root, identity, behaviour)
        case .embeddings: return try EmbeddingReply.reply(root, identity, behaviour)
        case .responses: return try response(root, identity, behaviour, store)
        case .moderations: return try ModerationReply.reply(root, identity)
        case .imageGenerations: return try ImageReply(root, isEdit: false).reply(identity)
        case .imageEdits: return try ImageReply(root, isEdit: true).reply(identity)
        case .speech: return try SpeechReply.reply(root, behaviour)
        case .uploadCreation: return try UploadReplies(store: store).create(root, identity)
        case .uploadCompletion(let id): return try UploadReplies(store: store).complete(id, root, identity)
        case .batchCreation: return try BatchReplies(store: store, behaviour: behaviour).create(root, identity)
        default: preconditionFailure("\(endpoint) takes no JSON")
        }
    }

    private static func response(
        _ root: JSONValue, _ identity: ReplyIdentity, _ behaviour: Behaviour, _ store: ObjectStore
    ) throws(APIError) -> Reply {
        let response = ResponsesReply(request: try ResponsesRequest(root, behaviour), identity: identity)
        let whole = response.whole()
        if response.request.isStored { store.add(response: whole.span, id: response.id) }
        return response.request.isStream ? Reply(ResponsesStream.script(response), .named) : Reply(json: whole)
    }

    /// The endpoints that take a form.
    static func reply(
        _ endpoint: Endpoint, _ form: FormFields, _ identity: ReplyIdentity, _ behaviour: Behaviour,
        _ store: ObjectStore
    ) throws(APIError) -> Reply {
        if endpoint.needsModel, identity.model.isEmpty { throw .missing("model") }
        if identity.model == ModelReplies.missing { throw .noSuchModel(identity.model) }
        switch endpoint {
        case .imageEdits: return try ImageReply(form).reply(identity)
        case .transcriptions: return try TranscriptionReply.reply(form, behaviour, isTranslation: false)
        case .translations: return try TranscriptionReply.reply(form, behaviour, isTranslation: true)
        case .fileCreation: return try FileReplies(store: store).create(form, identity)
        case .uploadPart(let id): return try UploadReplies(store: store).add(form, to: id, identity)
        default: preconditionFailure("\(endpoint) takes no form")
        }
    }

    /// The endpoints without a body.
    static func reply(
        _ endpoint: Endpoint, _ target: borrowing RequestTarget, _ behaviour: Behaviour, _ store: ObjectStore,
        models: [String]
    ) throws(APIError) -> Reply {
        switch endpoint {
        case .models: return ModelReplies(listed: models).list()
        case .model(let id): return try ModelReplies(listed: models).retrieve(id)
        case .modelDeletion(let id): return try ModelReplies(listed: models).delete(id)
        case .response(let id):
            guard let bytes = store.response(id) else { throw .noSuch("Response", id) }
            return Reply(json: ByteBuffer(copying: bytes.span))
        case .responseDeletion(let id):
            guard store.removeResponse(id) else { throw .noSuch("Response", id) }
            return DeletionReply.reply(id, "response")
        case .files: return FileReplies(store: store).list(target)
        case .file(let id): return try FileReplies(store: store).retrieve(id)
        case .fileContent(let id): return try FileReplies(store: store).content(id)
        case .fileDeletion(let id): return try FileReplies(store: store).delete(id)
        case .uploadCancellation(let id): return try UploadReplies(store: store).cancel(id)
        case .batches: return BatchReplies(store: store, behaviour: behaviour).list(target)
        case .batch(let id): return try BatchReplies(store: store, behaviour: behaviour).retrieve(id)
        case .batchCancellation(let id): return try BatchReplies(store: store, behaviour: behaviour).cancel(id)
        default: preconditionFailure("\(endpoint) takes a body")
        }
    }
}
