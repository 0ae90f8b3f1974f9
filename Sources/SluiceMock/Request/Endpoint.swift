internal import SluiceCore
internal import SluiceHTTP

/// What a request is for.
enum Endpoint: Equatable {
    case chatCompletions, completions, embeddings, responses, moderations, imageGenerations, imageEdits, speech,
        transcriptions
    case translations
    case response(String)
    case responseDeletion(String)
    case models
    case model(String)
    case modelDeletion(String)
    case files, fileCreation
    case file(String)
    case fileContent(String)
    case fileDeletion(String)
    case uploadCreation
    case uploadPart(String)
    case uploadCompletion(String)
    case uploadCancellation(String)
    case batches, batchCreation
    case batch(String)
    case batchCancellation(String)
    /// The mock's own.
    case ledgerRequests, ledgerCounts, reset, redirected, health

    enum Body { case none, json, form, jsonOrForm }

    /// What the endpoint takes.
    var body: Body {
        switch self {
        case .chatCompletions, .completions, .embeddings, .responses, .moderations, .imageGenerations, .speech,
            .uploadCreation,
            .uploadCompletion, .batchCreation:
            .json
        case .imageEdits: .jsonOrForm
        case .transcriptions, .translations, .fileCreation, .uploadPart: .form
        default: .none
        }
    }

    /// Whether a request without a model is refused.
    var needsModel: Bool {
        switch self {
        case .chatCompletions, .completions, .embeddings, .responses, .speech, .transcriptions, .translations: true
        default: false
        }
    }

    /// Whether it is about the mock itself: never recorded, never spoilt.
    var isOwn: Bool {
        switch self {
        case .ledgerRequests, .ledgerCounts, .reset, .redirected, .health: true
        default: false
        }
    }

    /// An endpoint as a batch names it.
    init?(batched path: String) {
        switch path {
        case "/v1/chat/completions": self = .chatCompletions
        case "/v1/completions": self = .completions
        case "/v1/embeddings": self = .embeddings
        case "/v1/responses": self = .responses
        case "/v1/moderations": self = .moderations
        case "/v1/images/generations": self = .imageGenerations
        default: return nil
        }
    }
}
