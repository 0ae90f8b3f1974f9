package import SluiceCore
package import SluicePolicy

/// An answer that is kept. Nothing of it ever changes, and its bytes go out as they are.
///
/// `@unchecked Sendable`: all stored properties are constants, and nobody writes to `body` after it was given here. It may be read, and
/// sent, from many threads.
package final class CacheEntry: @unchecked Sendable {
    /// What the body is.
    package enum Form: UInt8, Sendable, CaseIterable {
        /// A chat completion, as OpenAI has it.
        case chat = 1
        /// A message, as Anthropic has it.
        case message
        /// A response of the responses API.
        case response
        /// A text completion.
        case completion
        case embeddings
        /// A reply as it went out, whatever it is: for who asks again under an idempotency key.
        case verbatim
        /// An error: `{"error":{…}}`, as OpenAI has it.
        case failure
        /// There is none to share: whoever asks the same asks for itself.
        case nothing
    }

    /// What an operator may purge it by.
    package struct Labels: Sendable, Equatable {
        package var model: String
        package var scene: String
        package var tenant: String
        package var provider: String

        package init(model: String = "", scene: String = "", tenant: String = "", provider: String = "") {
            self.model = model
            self.scene = scene
            self.tenant = tenant
            self.provider = provider
        }
    }

    package let form: Form
    package let status: UInt16
    /// Whether some of it has no place in a stream: it is an answer to who wants it whole.
    package let isOnlyWhole: Bool
    /// Names and values of the reply's fields, where they are not the same for all: `content-type`.
    package let fields: [Field]
    package let labels: Labels
    /// What the request was about, where the key does not say it all.
    package let content: CacheKey?
    package let lifetime: Lifetime
    package let body: ByteBuffer

    package struct Field: Sendable, Equatable {
        package let name: String
        package let value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// - Parameter body: nobody may change it from here on.
    package init(
        _ form: Form, _ body: ByteBuffer, _ lifetime: Lifetime, status: UInt16 = 200, isOnlyWhole: Bool = false,
        fields: [Field] = [], labels: Labels = Labels(), content: CacheKey? = nil
    ) {
        self.form = form
        self.body = body
        self.lifetime = lifetime
        self.status = status
        self.isOnlyWhole = isOnlyWhole
        self.fields = fields
        self.labels = labels
        self.content = content
    }

    /// What it takes in memory, roughly.
    package var byteCount: Int {
        var byteCount = Self.overheadByteCount + body.capacity
        byteCount += labels.model.utf8.count + labels.scene.utf8.count + labels.tenant.utf8.count
        for field in fields { byteCount += field.name.utf8.count + field.value.utf8.count + 32 }
        return byteCount
    }

    /// The object, its strings' heads, its place in the tables, and the key in two of them.
    private static let overheadByteCount = 400
}
