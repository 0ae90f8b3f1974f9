internal import SluiceHTTP

/// One provider's way to be asked and to answer, written from its fact sheet and from nothing else.
protocol Dialect: Sendable {
    /// Which model a request names; what follows the first `+` of it is a behaviour.
    func model(_ call: DialectCall) -> String?
    /// Whether the caller may ask.
    func authorize(_ call: DialectCall) throws(DialectFailure)
    func reply(_ call: DialectCall, _ turn: DialectTurn) throws(DialectFailure) -> Reply
    /// A failure, instead of an answer.
    func reply(_ failure: DialectFailure, _ call: DialectCall, _ turn: DialectTurn) -> Reply
    /// Whether errors say `retry-after`.
    var hasRetryAfter: Bool { get }
}

extension Dialect {
    func model(_ call: DialectCall) -> String? { call.json?["model"]?.text }
    func authorize(_ call: DialectCall) throws(DialectFailure) { try call.check(key: call.bearer) }
    var hasRetryAfter: Bool { true }
}

/// What an answer is made with.
struct DialectTurn {
    let identity: ReplyIdentity
    let behaviour: Behaviour
}

/// Which prefix is whose.
enum DialectTable {
    static func dialect(_ prefix: String) -> (any Dialect)? {
        switch prefix {
        case "anthropic": AnthropicDialect()
        case "gemini": GeminiDialect(isVertex: false)
        case "vertex": GeminiDialect(isVertex: true)
        case "bedrock": BedrockDialect()
        case "dashscope": DashScopeDialect()
        case "baidu-v1": WenxinDialect()
        case "hunyuan-native": HunyuanDialect()
        case "spark-ws": SparkSocketDialect()
        default: CompatibleTraits.of(prefix).map { CompatibleDialect(traits: $0) }
        }
    }

    static let prefixes =
        [
            "anthropic", "gemini", "vertex", "bedrock", "dashscope", "baidu-v1", "hunyuan-native", "spark-ws",
        ] + CompatibleTraits.prefixes
}
