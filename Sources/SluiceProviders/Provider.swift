package import SluiceCore
package import SluiceHTTP
package import SluiceUpstream
internal import Synchronization

/// An AI platform as the configuration describes it: where it is, which wire format it speaks, and how we prove who we are.
package final class Provider: Sendable {
    /// How a credential is shown. Of several keys each request shows the next one.
    package enum Authorization: Sendable {
        case none
        /// `authorization: Bearer KEY`; at least one key.
        case bearer([Secret])
        /// `NAME: KEY`; the name in lower case, at least one key.
        case header(name: String, [Secret])
    }

    package let name: String
    package let dialect: ProviderDialect
    /// How it varies the dialect.
    package let adaptation: Adaptation
    /// What speaks the dialect.
    package let chat: any ChatDialect
    package let endpoint: Endpoint
    /// The base URL's path without a trailing slash, for example `/v1`: what follows `/v1` in the application's path is put after it.
    package let basePath: [UInt8]
    package let authorization: Authorization
    /// The values of `authorization`, made once.
    private let bearers: [Secret]
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
    /// Counts the requests among which the keys take turns.
    private let turn = Atomic<UInt>(0)

    package init(
        name: String, dialect: ProviderDialect, adaptation: Adaptation = Adaptation(), endpoint: Endpoint, basePath: String, authorization: Authorization,
        extraFields: [(name: String, value: Secret)] = [], forwardsAuthorization: Bool = false,
        takesOpenAIFields: Bool = true, models: [String] = [], modelPrefixes: [String] = []
    ) {
        self.name = name
        self.dialect = dialect
        self.adaptation = adaptation
        chat = dialect == .openai ? OpenAIDialect(adaptation.reply) : dialect.chat
        self.endpoint = endpoint
        self.basePath = Array((basePath.hasSuffix("/") ? String(basePath.dropLast()) : basePath).utf8)
        self.authorization = authorization
        if case .bearer(let keys) = authorization { bearers = keys.map(Self.bearer) } else { bearers = [] }
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

    /// Overwrites our credentials wherever they stand in bytes that are to be shown to somebody.
    package func conceal(in buffer: ByteBuffer) {
        switch authorization {
        case .none: break
        case .bearer(let keys), .header(_, let keys): for key in keys { Self.conceal(key, in: buffer) }
        }
        for field in extraFields { Self.conceal(field.value, in: buffer) }
    }

    /// A shorter secret is none, and would be found by chance.
    private static let concealedBytesMin = 8

    private static func conceal(_ secret: Secret, in buffer: ByteBuffer) {
        secret.withExposed { key in
            if key.count < concealedBytesMin { return }
            let mask = ByteBuffer(capacity: key.count)
            for _ in key.indices { mask.append(UInt8(ascii: "*")) }
            var start = 0
            while let found = buffer.span.firstIndex(of: key[0], from: start) {
                start = found + 1
                if buffer.count - found < key.count { return }
                if !buffer.span.extracting(found..<found + key.count).elementsEqual(key) { continue }
                buffer.replace(at: found, with: mask.span)
                start = found + key.count
            }
        }
    }

    /// Adds the credential and the configured fields.
    ///
    /// - Parameter withKey: false for a request that brings the application's own credential.
    package func authorize(_ fields: inout HeaderFields, withKey: Bool = true) {
        if withKey { addKey(&fields) }
        for field in extraFields {
            field.value.withExposed { value in fields.append(name: field.name.utf8Span.span, value: value) }
        }
    }

    private func addKey(_ fields: inout HeaderFields) {
        switch authorization {
        case .none: break
        case .bearer:
            next(bearers).withExposed { fields.append(.authorization, $0) }
        case .header(let name, let keys):
            next(keys).withExposed { key in fields.append(name: name.utf8Span.span, value: key) }
        }
    }

    private static func bearer(_ key: Secret) -> Secret {
        key.withExposed { key in
            let value = ByteBuffer("Bearer ")
            value.append(key)
            return Secret(value.span)
        }
    }

    private func next(_ keys: [Secret]) -> Secret {
        if keys.count == 1 { return keys[0] }
        return keys[Int(turn.wrappingAdd(1, ordering: .relaxed).oldValue % UInt(keys.count))]
    }
}

extension Span where Element == UInt8 {
    fileprivate func elementsEqual(_ other: Span<UInt8>) -> Bool {
        if count != other.count { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }
}
