internal import SluiceHTTP

/// Why a dialect does not answer; each dialect spells it in its own way.
struct DialectFailure: Error, Equatable {
    enum Kind: Equatable, Sendable {
        case invalid, noKey, wrongKey, expiredKey, forbidden, noModel, noPath, method, tooLarge
        case rateLimit, quota, contextLength, promptRefused, server, overloaded, timeout
    }

    let kind: Kind
    let message: String
    /// Which member of the request is wrong.
    var param: String?
    /// A code of the dialect's own, where the kind does not say enough.
    var code: String?
    /// When to try again.
    var waitSeconds: Int?
    /// The status that was asked for, where the dialect has one.
    var status: Status?

    init(_ kind: Kind, _ message: String, param: String? = nil, code: String? = nil) {
        self.kind = kind
        self.message = message
        self.param = param
        self.code = code
    }

    static func invalid(_ message: String, param: String? = nil, code: String? = nil) -> DialectFailure {
        DialectFailure(.invalid, message, param: param, code: code)
    }

    /// The status that most providers use.
    var usualStatus: Status {
        if let status { return status }
        switch kind {
        case .invalid, .contextLength, .promptRefused: return 400
        case .noKey, .wrongKey, .expiredKey: return 401
        case .forbidden: return 403
        case .noModel, .noPath: return 404
        case .method: return 405
        case .timeout: return 504
        case .tooLarge: return 413
        case .rateLimit, .quota: return 429
        case .server: return 500
        case .overloaded: return 503
        }
    }
}

extension DialectFailure {
    /// What a behaviour asks for; `nil` where an answer is wanted.
    init?(_ behaviour: Behaviour) {
        switch behaviour.fault {
        case .status(let status):
            self = DialectFailure(Self.kind(status), Self.message(status))
            self.status = status
        case .quota: self = DialectFailure(.quota, "You exceeded your current quota, please check your plan.")
        case .contextLength: self = DialectFailure(.contextLength, "prompt is too long: 210000 tokens > 200000 maximum")
        case .promptRefused: self = DialectFailure(.promptRefused, "The prompt was refused by the content policy.")
        case .errorIn200: self = .internalError
        default: return nil
        }
        waitSeconds = behaviour.retry.waitMilliseconds.map { max(1, ($0 + 999) / 1000) }
    }

    static let internalError = DialectFailure(.server, "Internal error encountered.")

    private static func kind(_ status: Status) -> Kind {
        switch status.code {
        case 401: .wrongKey
        case 402: .quota
        case 403: .forbidden
        case 404: .noModel
        case 405: .method
        case 408, 504: .timeout
        case 413: .tooLarge
        case 429: .rateLimit
        case 502, 503, 529: .overloaded
        case 400..<500: .invalid
        default: .server
        }
    }

    private static func message(_ status: Status) -> String {
        switch kind(status) {
        case .wrongKey: "The key is not valid."
        case .quota: "Insufficient balance."
        case .forbidden: "Access denied."
        case .noModel: "The model does not exist."
        case .timeout: "The request took too long."
        case .tooLarge: "The request is too large."
        case .rateLimit: "Too many requests, please wait before trying again."
        case .overloaded: "Overloaded"
        case .server: "Internal error encountered."
        default: "The request was refused with status \(status.code)."
        }
    }
}
