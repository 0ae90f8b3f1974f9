internal import SluiceCore
internal import SluiceHTTP

/// iFlytek's WebSocket form, under `/spark-ws`: a signed upgrade, one question, frames of the answer.
struct SparkSocketDialect: Dialect {
    var hasRetryAfter: Bool { false }

    /// Which domain belongs to which path.
    static let domains: [[String]: [String]] = [
        ["v1.1", "chat"]: ["lite", "general"], ["v2.1", "chat"]: ["generalv2"], ["v3.1", "chat"]: ["generalv3"],
        ["chat", "pro-128k"]: ["pro-128k"], ["v3.5", "chat"]: ["generalv3.5"], ["chat", "max-32k"]: ["max-32k"],
        ["v4.0", "chat"]: ["4.0Ultra"], ["v1", "x1"]: ["spark-x", "x1"], ["x2"]: ["spark-x"],
        ["v1.1", "chat_kjwx"]: ["kjwx"],
    ]

    func model(_ call: DialectCall) -> String? { nil }

    func authorize(_ call: DialectCall) throws(DialectFailure) {
        if Self.domains[call.path] == nil { throw DialectFailure(.noPath, "no Route matched with those values") }
        try SparkSignature.check(call)
    }

    /// What is no upgrade.
    func reply(_ call: DialectCall, _ turn: DialectTurn) throws(DialectFailure) -> Reply {
        throw .invalid("a WebSocket upgrade is required")
    }

    /// Of the upgrade: what goes wrong later is a frame.
    func reply(_ failure: DialectFailure, _ call: DialectCall, _ turn: DialectTurn) -> Reply {
        Reply(["message": .string(failure.message)], status: failure.usualStatus)
    }

    /// The answer's frames to the text of one question.
    func script(_ text: [UInt8], _ path: [String], _ turn: DialectTurn) throws(DialectFailure) -> Script {
        let request = try SparkFrameRequest(text, domains: Self.domains[path] ?? [])
        return SparkFrames(try Answer(request.question, turn.behaviour), turn).script()
    }

    static func error(_ failure: DialectFailure, _ turn: DialectTurn) -> MockJSON {
        [
            "header": [
                "code": .int(SparkCodes.code(failure)), "message": .string(failure.message),
                "sid": .string("cht\(turn.identity.hex.prefix(8))@dx"), "status": 2,
            ]
        ]
    }
}
