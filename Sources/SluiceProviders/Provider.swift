package import SluiceCore
package import SluiceHTTP
package import SluiceUpstream

/// An AI platform as the configuration describes it: where it is, which wire format it speaks, and how we prove who we are.
package final class Provider: Sendable {
    /// A wire format that providers speak.
    package enum Dialect: String, Sendable, CaseIterable { case openai }

    /// How a credential is shown.
    package enum Authorization: Sendable {
        case none
        /// `authorization: Bearer KEY`
        case bearer(Secret)
        /// `NAME: KEY`; the name in lower case.
        case header(name: String, Secret)
    }

    package let name: String
    package let dialect: Dialect
    package let endpoint: Endpoint
    /// The base URL's path without a trailing slash, for example `/v1`: what follows `/v1` in the application's path is put after it.
    package let basePath: [UInt8]
    package let authorization: Authorization
    /// The value of `authorization`, made once.
    private let bearer: Secret?
    /// Fields that every request to the provider carries; names in lower case.
    package let extraFields: [(name: String, value: Secret)]
    /// Whether the application's own `authorization` is passed on. Off unless the configuration says so.
    package let forwardsAuthorization: Bool
    /// Whether fields that only OpenAI and its imitators understand are passed on (`openai-organization`, `x-stainless-*` …).
    package let takesOpenAIFields: Bool
    /// Models that the configuration or the catalogue names, as the provider spells them; for lists.
    package let models: [String]
    /// Beginnings of names that are the provider's, from patterns such as `gpt-*`.
    private let modelPrefixes: [String]

    package init(
        name: String, dialect: Dialect, endpoint: Endpoint, basePath: String, authorization: Authorization,
        extraFields: [(name: String, value: Secret)] = [], forwardsAuthorization: Bool = false,
        takesOpenAIFields: Bool = true, models: [String] = [], modelPrefixes: [String] = []
    ) {
        self.name = name
        self.dialect = dialect
        self.endpoint = endpoint
        self.basePath = Array((basePath.hasSuffix("/") ? String(basePath.dropLast()) : basePath).utf8)
        self.authorization = authorization
        if case .bearer(let key) = authorization {
            bearer = key.withExposed { key in
                let value = ByteBuffer("Bearer ")
                value.append(key)
                return Secret(value.span)
            }
        } else {
            bearer = nil
        }
        self.extraFields = extraFields
        self.forwardsAuthorization = forwardsAuthorization
        self.takesOpenAIFields = takesOpenAIFields
        self.models = models
        self.modelPrefixes = modelPrefixes
    }

    /// Whether a model is the provider's by its configuration or the catalogue.
    package func knows(model: String) -> Bool {
        models.contains(model) || modelPrefixes.contains { model.hasPrefix($0) }
    }

    /// Adds the credential and the configured fields.
    package func authorize(_ fields: inout HeaderFields) {
        switch authorization {
        case .none: break
        case .bearer:
            bearer?.withExposed { fields.append(.authorization, $0) }
        case .header(let name, let secret):
            secret.withExposed { key in fields.append(name: name.utf8Span.span, value: key) }
        }
        for field in extraFields {
            field.value.withExposed { value in fields.append(name: field.name.utf8Span.span, value: value) }
        }
    }
}
