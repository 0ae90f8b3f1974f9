/// A chat request as the official Python client sends it, and what a whole answer to it looks like.
///
/// The model's name tells the upstream what to do (see `Behaviour`): a name passes through every proxy.
struct ChatRequest {
    static let path = "/v1/chat/completions"
    /// The digits that tell requests apart.
    static let numberDigits = 10
    /// What the application shows, for proxies that want to see something.
    static let key = "sk-proj-benchmark-0123456789abcdef0123456789abcdef"
    /// What openai-python sends with every call, besides `Host`, `Connection` and `Content-Length`.
    static let clientHeaders: [(name: String, value: String)] = [
        ("accept-encoding", "gzip, deflate"),
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("user-agent", "OpenAI/Python 3.52.0"),
        ("x-stainless-lang", "python"),
        ("x-stainless-package-version", "3.52.0"),
        ("x-stainless-os", "Linux"),
        ("x-stainless-arch", "x64"),
        ("x-stainless-runtime", "CPython"),
        ("x-stainless-runtime-version", "3.13.5"),
        ("authorization", "Bearer \(key)"),
        ("x-stainless-async", "false"),
        ("x-stainless-retry-count", "0"),
        ("x-stainless-read-timeout", "600"),
    ]

    /// What one request of a load has that another has not.
    enum Variation: Equatable {
        /// All are the same.
        case none
        /// No two are the same.
        case each
        /// So many take turns.
        case among(Int)
        /// This share of them was asked before.
        case repeats(Double)
    }

    let body: [UInt8]
    let variation: Variation
    /// Where in the body the digits are that tell requests apart; `nil` if all are the same.
    let numberOffset: Int?
    /// Bytes of the whole reply's body, once the upstream was asked for it: a proxy must not change them. Streams are counted in
    /// events instead.
    var replyByteCount: Int?
    /// Events of the whole reply, `[DONE]` among them.
    var replyEventCount: Int?

    /// A chat request whose body has about this many bytes, at least 300.
    ///
    /// - Parameter translated: to a provider that speaks Anthropic's Messages.
    init(
        _ behaviour: Behaviour, bodyByteCount: Int = 300, translated: Bool = false, variation: Variation = .none
    ) {
        let model = translated ? "claude/\(behaviour.modelName)\(Behaviour.messagesSuffix)" : behaviour.modelName
        let stream = behaviour.isStream ? #","stream":true,"stream_options":{"include_usage":true}"# : ""
        let opening =
            #"{"model":"\#(model)","messages":[{"role":"system","content":"You are a helpful "#
            + #"assistant of a software company. Answer in one short paragraph."},{"role":"user","content":""#
        let number = variation == .none ? "" : String(repeating: "0", count: Self.numberDigits)
        let start = opening + number
        let end = #""}],"temperature":0.2,"max_completion_tokens":4096\#(stream)}"#
        let missing = max(0, bodyByteCount - start.utf8.count - end.utf8.count)
        body = Array((start + Self.prompt(byteCount: missing) + end).utf8)
        replyEventCount = behaviour.eventCount
        self.variation = variation
        numberOffset = variation == .none ? nil : opening.utf8.count
    }

    /// The request's bytes over HTTP/1.1.
    func http1(port: UInt16) -> [UInt8] {
        var head = "POST \(Self.path) HTTP/1.1\r\nhost: 127.0.0.1:\(port)\r\nconnection: keep-alive\r\n"
        for header in Self.clientHeaders { head += "\(header.name): \(header.value)\r\n" }
        return Array("\(head)content-length: \(body.count)\r\n\r\n".utf8) + body
    }

    /// Prose with what JSON must escape in it, as real prompts have: quotes, line ends, letters beyond ASCII.
    private static func prompt(byteCount: Int) -> String {
        let sentence = #"The customer wrote: \"The invoice of the café is wrong.\"\nWhat should we tell her? "#
        let whole = String(repeating: sentence, count: byteCount / sentence.utf8.count)
        return whole + String(repeating: "x", count: byteCount - whole.utf8.count)
    }
}
