internal import SluiceConfig
internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceProviders
internal import SluiceUpstream

/// What a provider is asked in order to find out whether it is well.
enum ProbeQuestion {
    /// What costs nothing and needs a key: a list, most often.
    case get(path: String)
    /// A WebSocket that is opened and closed.
    case handshake
    /// A chat without messages, which is refused before a model sees it, but only after the key has been looked at.
    case emptyChat
    /// A chat of one word, with an answer of one token or two.
    case chat

    /// - Parameter spendsTokens: whether the provider may be asked for an answer, which costs a little. A provider of
    ///   which no model is known is asked for something else.
    init(_ provider: Provider, spendsTokens: Bool) {
        let adaptation = provider.adaptation
        if provider.chat.framing == .webSocketMessages {
            self = .handshake
        } else if spendsTokens, Self.model(provider) != nil {
            self = .chat
        } else if let health = adaptation.health, health.method == "GET" {
            self = .get(path: health.path)
        } else if adaptation.health == nil, adaptation.has(.models), provider.chat.hasModelList {
            self = .get(path: adaptation.path(.models))
        } else {
            self = .emptyChat
        }
    }

    var name: String {
        switch self {
        case .get(let path): "GET \(path)"
        case .handshake: "WebSocket handshake"
        case .emptyChat: "chat without messages"
        case .chat: "chat"
        }
    }

    var isGet: Bool { if case .get = self { true } else { false } }
    var isEmptyChat: Bool { if case .emptyChat = self { true } else { false } }

    // MARK: Requests

    /// - Throws: why the provider cannot be asked so.
    func request(_ provider: Provider, key: Int?) throws(EncodingRefusal) -> UpstreamRequest {
        let fields = ProviderClient.fields(provider, key: key)
        switch self {
        case .get(let path):
            let target = provider.basePath + provider.adaptation.target(path, model: Self.model(provider) ?? "")
            return UpstreamRequest(method: .get, target: target, fields: fields, body: .none)
        case .handshake:
            var request = try chat(provider, key, fields, model: Self.model(provider) ?? "")
            request.method = .get
            request.body = .none
            request.fields.remove(.contentType)
            request.webSocket = WebSocketHandshake(
                nonce: (0..<WebSocketHandshake.nonceByteCount).map { _ in .random(in: 0 ... .max) })
            return request
        case .emptyChat, .chat: return try chat(provider, key, fields, model: Self.model(provider) ?? "")
        }
    }

    /// The provider's own choice, if the configuration has not other models; else the first that has a name.
    private static func model(_ provider: Provider) -> String? {
        if case .string(let model)? = provider.adaptation.health?.body?["model"]?.kind,
            provider.models.isEmpty || provider.knows(model: model)
        {
            return model
        }
        return provider.models.first
    }

    private func chat(
        _ provider: Provider, _ key: Int?, _ fields: HeaderFields, model: String
    ) throws(EncodingRefusal) -> UpstreamRequest {
        let body = ByteBuffer(capacity: 256)
        var json = JSONWriter(into: body)
        json.object { json in
            json.key("model")
            json.string(model)
            json.key("messages")
            json.array { json in if !isEmptyChat { Self.writePing(&json) } }
            json.key("max_tokens")
            json.int(1)
        }
        let tape = JSONTape()
        do throws(JSONError) { try tape.scan(body.span) } catch { throw EncodingRefusal("model", "\(error)") }
        let request = ChatRequest(
            tape.root(over: body.span), model: model, isStream: false,
            applicationID: provider.signer(key)?.applicationID)
        var fields = fields
        fields.append(.contentType, "application/json")
        provider.chat.addFields(request, to: &fields)
        let encoded: ByteBuffer
        switch self {
        case .chat: encoded = try Self.encoded(request, provider)
        default: encoded = ByteBuffer("{}")
        }
        let target: [UInt8] =
            provider.dialect == .openai
            ? provider.adaptation.target(.chat, model: model, rest: [UInt8]().span)
            : Array(provider.chat.chatTarget(request).utf8)
        return UpstreamRequest(
            method: .post, target: provider.basePath + target, fields: fields,
            body: .parts([UpstreamRequest.Part(encoded, 0..<encoded.count)], byteCount: encoded.count))
    }

    private static func writePing(_ json: inout JSONWriter) {
        json.object { json in
            json.key("role")
            json.string("user")
            json.key("content")
            json.string("ping")
        }
    }

    /// As a request of an application would be written; where the adapter says how it is best asked, just that.
    private static func encoded(
        _ request: borrowing ChatRequest, _ provider: Provider
    ) throws(EncodingRefusal) -> ByteBuffer {
        var report = FieldReport()
        if provider.dialect != .openai {
            let encoded = ByteBuffer(capacity: 256)
            try provider.chat.encode(
                request, provider.adaptation.capabilities.row(for: request.model), into: encoded, &report)
            return encoded
        }
        if case .object(var members)? = provider.adaptation.health?.body?.kind {
            for index in members.indices where members[index].key == "model" {
                members[index].value = ConfigValue(.string(request.model))
            }
            return ByteBuffer(ConfigValue(.object(members)).json())
        }
        var edits = JSONEdits()
        provider.adaptation.request.apply(
            to: request.root, model: request.model, operation: .chat, isStream: false, &edits, &report)
        let encoded = ByteBuffer(capacity: 256)
        edits.splices(over: request.root).append(to: encoded, from: request.root.rawBytes)
        return encoded
    }
}
