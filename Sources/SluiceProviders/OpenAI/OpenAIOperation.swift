internal import SluiceCore
package import SluiceHTTP

/// What an application asks for in OpenAI's dialect (sections 3 to 14 of the OpenAI sheet).
package enum OpenAIOperation: String, Sendable, CaseIterable {
    case chatCompletions = "chat"
    case completions = "text_completion"
    case embeddings
    case responses
    case moderations
    case images
    case audioSpeech = "speech"
    case audioTranscription = "transcription"
    case models
    /// Everything else that an OpenAI SDK calls: files, batches, vector stores …: passed to the default provider as it is.
    case passage

    /// What the body is, and so whether it is read before a provider is chosen.
    package enum BodyKind: Sendable {
        /// JSON with a `model`.
        case json
        /// A form with a `model` field, or JSON.
        case form
        /// Whatever it is, it is passed on as it comes.
        case opaque
    }

    package var bodyKind: BodyKind {
        switch self {
        case .chatCompletions, .completions, .embeddings, .responses, .moderations, .audioSpeech: .json
        case .images, .audioTranscription: .form
        case .models, .passage: .opaque
        }
    }

    /// Whether `stream_options.include_usage` exists for it.
    package var hasStreamOptions: Bool { self == .chatCompletions || self == .completions }

    /// First segments after `/v1` of endpoints that are passed on as they are.
    private static let passedOn: [StaticString] = [
        "files", "uploads", "batches", "fine_tuning", "vector_stores", "assistants", "threads", "conversations",
        "containers",
        "evals", "videos", "responses", "chat", "images", "audio",
    ]

    /// Which operation a path under `/v1` is; `nil` for one that no OpenAI SDK knows.
    package init?(_ target: borrowing RequestTarget, method: Method) {
        // A provider that answers TRACE shows our credential; the others mean nothing here.
        if method == .trace || method == .options || method == .connect || method == .other { return nil }
        let count = target.segmentCount
        if method == .post, count == 2 {
            if target.segment(1, is: "embeddings") {
                self = .embeddings
                return
            }
            if target.segment(1, is: "completions") {
                self = .completions
                return
            }
            if target.segment(1, is: "responses") {
                self = .responses
                return
            }
            if target.segment(1, is: "moderations") {
                self = .moderations
                return
            }
        }
        if count == 3, method == .post {
            if target.segment(1, is: "chat"), target.segment(2, is: "completions") {
                self = .chatCompletions
                return
            }
            if target.segment(1, is: "images") {
                self = .images
                return
            }
            if target.segment(1, is: "audio") {
                self = target.segment(2, is: "speech") ? .audioSpeech : .audioTranscription
                return
            }
        }
        if target.segment(1, is: "models"), count <= 3, method == .get || method == .head {
            self = .models
            return
        }
        if target.segment(1, is: "models"), method == .delete {
            self = .passage
            return
        }
        for segment in Self.passedOn where target.segment(1, is: segment) {
            self = .passage
            return
        }
        return nil
    }

    /// The methods of a path that has one operation and was asked with another method; empty if it has none.
    package static func allowedMethods(_ target: borrowing RequestTarget) -> StaticString {
        let single: [StaticString] = ["embeddings", "completions", "moderations"]
        for segment in single where target.segmentCount == 2 && target.segment(1, is: segment) { return "POST" }
        if target.segment(1, is: "models") { return "GET, HEAD, DELETE" }
        for segment in passedOn where target.segment(1, is: segment) { return "GET, HEAD, POST, PUT, PATCH, DELETE" }
        return ""
    }

    /// The path as a template, for logs and metrics: never what the caller wrote.
    package var template: StaticString {
        switch self {
        case .chatCompletions: "/v1/chat/completions"
        case .completions: "/v1/completions"
        case .embeddings: "/v1/embeddings"
        case .responses: "/v1/responses"
        case .moderations: "/v1/moderations"
        case .images: "/v1/images/*"
        case .audioSpeech: "/v1/audio/speech"
        case .audioTranscription: "/v1/audio/*"
        case .models: "/v1/models"
        case .passage: "/v1/*"
        }
    }
}
