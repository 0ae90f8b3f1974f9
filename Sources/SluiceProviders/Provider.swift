internal import SluiceConfig
package import SluiceCore
package import SluiceHTTP
package import SluiceUpstream

/// An AI platform as the configuration describes it: where it is, which wire format it speaks, and how we prove who we are.
package final class Provider: Sendable {
    package let name: String
    package let dialect: ProviderDialect
    /// Whether it has OpenAI's Responses itself: they pass as they are then, and are taken to chat completions otherwise.
    package let hasResponses: Bool
    /// How it varies the dialect.
    package let adaptation: Adaptation
    /// What speaks the dialect.
    package let chat: any ChatDialect
    package let endpoint: Endpoint
    /// The base URL's path without a trailing slash, for example `/v1`: what follows `/v1` in the application's path is put after it.
    package let basePath: [UInt8]
    /// The credentials, which take turns.
    package let keys: KeyRing
    /// Fields that every request to the provider carries; names in lower case.
    package let extraFields: [(name: String, value: Secret)]
    /// Whether the application's own `authorization` is passed on. Off unless the configuration says so.
    package let forwardsAuthorization: Bool
    /// Whether fields that only OpenAI and its imitators understand are passed on (`openai-organization`, `x-stainless-*` …).
    package let takesOpenAIFields: Bool
    /// Whether an answer that nobody wants any more is read on to its end, for what it says it cost.
    package let drainsAbandoned: Bool
    /// Models that the configuration or the catalogue names, as the provider spells them; for lists.
    package let models: [String]
    /// Beginnings of names that are the provider's, from patterns such as `gpt-*`.
    private let modelPrefixes: [String]

    package init(
        name: String, dialect: ProviderDialect, adaptation: Adaptation = Adaptation(), endpoint: Endpoint,
        basePath: String,
        keys: KeyRing,
        extraFields: [(name: String, value: Secret)] = [], forwardsAuthorization: Bool = false,
        takesOpenAIFields: Bool = true, hasResponses: Bool = true, drainsAbandoned: Bool = false, models: [String] = [], modelPrefixes: [String] = []
    ) {
        self.name = name
        self.dialect = dialect
        self.adaptation = adaptation
        self.hasResponses = hasResponses && dialect == .openai && adaptation.has(.responses)
        chat = dialect == .openai ? OpenAIDialect(adaptation.reply) : dialect.chat
        self.endpoint = endpoint
        self.basePath = Array((basePath.hasSuffix("/") ? String(basePath.dropLast()) : basePath).utf8)
        self.keys = keys
        self.extraFields = extraFields
        self.forwardsAuthorization = forwardsAuthorization
        self.takesOpenAIFields = takesOpenAIFields
        self.drainsAbandoned = drainsAbandoned
        self.models = models
        self.modelPrefixes = modelPrefixes
    }

    /// Whether a model is the provider's by its configuration or the catalogue.
    package func knows(model: String) -> Bool {
        models.contains(model) || modelPrefixes.contains { model.hasPrefix($0) }
    }

    /// Overwrites our credentials wherever they stand in bytes that are to be shown to somebody.
    package func conceal(in buffer: ByteBuffer) {
        for credential in keys.credentials {
            switch credential {
            case .field(_, let value): Concealment.conceal(value, in: buffer)
            case .signer(let signer): signer.conceal(in: buffer)
            }
        }
        for field in extraFields { Concealment.conceal(field.value, in: buffer) }
    }

    /// Adds the credential, if it is a field with a fixed value, and the configured fields.
    ///
    /// - Parameter key: which credential; `nil` for none, as for a request that brings the application's own.
    package func authorize(_ fields: inout HeaderFields, key: Int?) {
        if let key, case .field(let name, let value) = keys.credentials[key] {
            value.withExposed { fields.append(name: name.utf8Span.span, value: $0) }
        }
        for field in extraFields {
            field.value.withExposed { value in fields.append(name: field.name.utf8Span.span, value: value) }
        }
    }

    /// What signs requests with that credential, or brings its token; `nil` for one that is a field.
    package func signer(_ key: Int?) -> (any RequestSigner)? {
        guard let key, case .signer(let signer) = keys.credentials[key] else { return nil }
        return signer
    }
}
