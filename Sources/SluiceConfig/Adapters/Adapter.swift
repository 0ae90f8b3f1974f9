/// How one platform varies a wire format that is known: a file of data, built in or the user's own.
package struct Adapter: Sendable {
    /// What an application may ask for.
    package enum Operation: String, Sendable, CaseIterable {
        case chat, completions, embeddings, responses, images, audio, moderations, models, passage
    }

    /// How a probe finds out whether the platform is well.
    package struct Health: Sendable, Equatable {
        package var method: String
        /// After the base URL's path.
        package var path: String
        /// Sent with a POST.
        package var body: ConfigValue?
        /// Statuses that mean well.
        package var statuses: [Int]
        /// A member that the reply must have; `nil`: none.
        package var member: String?
    }

    package var name: String
    /// For people.
    package var title: String
    package var dialect: ProviderConfiguration.Dialect
    /// What paths are appended to; `nil` where every customer has another.
    package var baseURL: BaseURL?
    /// The first that is set holds the key.
    package var keyVariables: [String]
    /// The first that is set replaces `baseURL`.
    package var baseURLVariables: [String]
    /// Whether a base URL alone is enough: self-hosted servers often want no key.
    package var isUsableWithoutKey: Bool
    package var auth: Authentication
    /// What the recipe of `auth` needs beside the provider's own settings: no secrets.
    package var authSettings: [Named<String>]
    /// Whether fields that only OpenAI knows are passed on (`openai-organization`, `x-stainless-*`).
    package var takesOpenAIFields: Bool
    /// Where each operation is, after the base URL's path; one that is missing does not exist. `nil`: everything, where OpenAI has it.
    package var paths: [Operation: String]?
    /// Constants of the query.
    package var query: [Named<String>]
    package var headers: [ProviderConfiguration.Header]
    package var request: [RequestRules]
    package var reply: ReplyRules
    package var errors: ErrorRules
    /// Names, and beginnings of names that end in `*`.
    package var models: [String]
    package var capabilities: [CapabilityRules]
    package var health: Health?
    /// What here no document confirmed.
    package var unverified: [String]
    /// What who uses the platform has to know, a sentence or two each.
    package var notes: [String]
    /// The file it came from; `nil`: built in.
    package var file: String?
    /// As it is written.
    package var text: [UInt8] = []
}

extension Adapter: Equatable {
    package static func == (a: Adapter, b: Adapter) -> Bool { a.file == b.file && a.text == b.text }
}

/// A value and what it is called, in the order of the text.
package struct Named<Value: Sendable & Equatable>: Sendable, Equatable {
    package var name: String
    package var value: Value

    package init(_ name: String, _ value: Value) {
        self.name = name
        self.value = value
    }
}

/// Names of models: whole ones, and beginnings that end in `*`.
package enum ModelPattern {
    package static func matches(_ pattern: String, _ model: String) -> Bool {
        pattern.hasSuffix("*") ? model.hasPrefix(pattern.dropLast()) : pattern == model
    }
}
