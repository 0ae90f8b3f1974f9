package import SluiceHTTP

/// The one thing that goes wrong with a response.
package enum Fault: Sendable, Equatable {
    // Instead of an answer.

    /// An error with this status, 400 to 599, and the body that goes with it.
    case status(Status)
    /// 429 `insufficient_quota`: trying again is of no use.
    case quota
    /// 400 `context_length_exceeded`.
    case contextLength
    /// 400 `content_filter`: the prompt is refused.
    case promptRefused
    /// A redirect to another path.
    case redirect
    /// An error object with status 200.
    case errorIn200
    /// The connection is reset before the head.
    case reset
    /// The connection is closed before the head.
    case close
    /// Nothing at all, for ever.
    case silence
    /// Bytes that are not HTTP.
    case garbage

    // In the answer. A share is of the content, 0 to 1.

    /// The connection is closed after this share: no finish reason, no proper end of the body.
    case cut(Double)
    /// The body ends properly after this share, without finish reason and `[DONE]`.
    case cutClean(Double)
    /// Nothing more comes after this share, and the connection stays.
    case stall(Double)
    /// An error event comes after this share; as the very first event if `nil`.
    case errorEvent(Double?)
    /// The body is shorter than its content-length.
    case badLength
    /// The answer stops half-way with the finish reason `content_filter`.
    case contentFiltered

    var name: StaticString {
        switch self {
        case .status: "status"
        case .quota: "quota"
        case .contextLength: "context-length"
        case .promptRefused, .contentFiltered: "content-filter"
        case .redirect: "redirect"
        case .errorIn200: "error-in-200"
        case .reset: "reset"
        case .close: "close"
        case .silence: "silence"
        case .garbage: "garbage"
        case .cut: "cut"
        case .cutClean: "cut-clean"
        case .stall: "stall"
        case .errorEvent: "error-event"
        case .badLength: "bad-length"
        }
    }
}

/// What is wrong with a response beside that: any of them together.
package struct Defects: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The head drips, a few bytes at a time.
    package static let slowHead = Defects(rawValue: 1)
    /// The head has a quarter of a megabyte of fields.
    package static let hugeHead = Defects(rawValue: 2)
    /// A body that is no stream drips.
    package static let slowBody = Defects(rawValue: 4)
    /// One event in the middle, or the body, is not JSON.
    package static let malformed = Defects(rawValue: 8)
    /// A stream ends after its finish reason, without `[DONE]`.
    package static let noDone = Defects(rawValue: 16)
    /// A stream ends with `[DONE]`, without a finish reason.
    package static let noFinish = Defects(rawValue: 32)
}
