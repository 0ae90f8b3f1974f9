/// What the mock does with one request. The initial values are those of a provider that is well and at once.
package struct Behaviour: Sendable, Equatable {
    // MARK: Time

    /// Before the response's head.
    package var latency = Duration.zero
    /// Between the first events of a stream, which carry no content, and the first content.
    package var firstToken = Duration.zero
    package var pace = Pace.eachTurn
    /// How far each gap between events may be off, as a share of it: 0 to 1.
    package var jitter = 0.0
    /// Whether the first gap of each stream is another share of the whole, so that many streams do not beat together.
    package var isSpread = false
    /// What jitter and identifiers are drawn from.
    package var seed: UInt64 = 1

    // MARK: Content

    /// So many tokens of filler instead of an echo.
    package var tokens: Int?
    /// This text instead of an echo.
    package var text: String?
    /// These arguments of every tool call, instead of some that fit the schema.
    package var arguments: String?
    /// These thoughts before the answer, in dialects that have them.
    package var reasoning: String?
    /// How many tools are called at once when a request has tools; 0 answers with text.
    package var toolCalls = 1
    package var usage = UsageOverride()
    /// Whether unknown members of a request are refused, as api.openai.com does.
    package var isStrict = false

    // MARK: Faults

    package var fault: Fault?
    package var defects: Defects = []
    /// What an error says about another attempt.
    package var retry = RetryAdvice()
    /// Which requests the faults hit; all of them if `nil`.
    package var gate: FaultGate?

    package init() {}

    /// Bounds on what a name or a header may ask for.
    package static let tokensMax = 100_000
    package static let toolCallsMax = 64
    package static let millisecondsMax = 3_600_000.0

    /// Whether the reply may go out at once and as it is.
    var isPlain: Bool { latency == .zero && fault == nil && defects.isEmpty }

    /// The same content with the timing of `usual` and no fault: what a request gets that the gate lets pass.
    func passing(_ usual: Behaviour) -> Behaviour {
        var behaviour = self
        behaviour.latency = usual.latency
        behaviour.firstToken = usual.firstToken
        behaviour.fault = nil
        behaviour.defects = []
        behaviour.retry = RetryAdvice()
        behaviour.gate = nil
        return behaviour
    }
}

/// How a stream's content comes.
package enum Pace: Sendable, Equatable {
    /// As fast as the peer takes it, many events in one write.
    case burst
    /// As fast as it goes, every event in a write of its own.
    case eachTurn
    /// One event in so long.
    case every(Duration)
}

/// Token counts to report instead of those that the mock counts.
package struct UsageOverride: Sendable, Equatable {
    package var prompt: Int?
    package var completion: Int?
    package var cached = 0
    package var reasoning = 0
    /// Whether usage is left out even where it was asked for.
    package var isOmitted = false
}

/// What an error response tells its reader about trying again.
package struct RetryAdvice: Sendable, Equatable {
    /// `retry-after`, in seconds.
    package var seconds: Int?
    /// `retry-after` as a date, so many seconds from now.
    package var dateSeconds: Int?
    /// `retry-after-ms`.
    package var milliseconds: Int?
    /// `x-should-retry`.
    package var shouldRetry: Bool?

    /// The wait that the advice comes to, in milliseconds.
    var waitMilliseconds: Int? {
        milliseconds ?? (seconds ?? dateSeconds).map { $0.multipliedReportingOverflow(by: 1000).partialValue }
    }
}

/// Which of a model's requests are hit by its faults. Requests are counted from 1, over all workers.
package enum FaultGate: Sendable, Equatable {
    /// The first so many.
    case first(Int)
    /// The first one of every so many: with 2 the provider fails every other time.
    case every(Int)
    /// So many fail, as many succeed, and again.
    case flapping(Int)

    package func hits(request number: Int) -> Bool {
        switch self {
        case .first(let count): number <= count
        case .every(let count): (number - 1) % max(count, 1) == 0
        case .flapping(let count): (number - 1) / max(count, 1) % 2 == 0
        }
    }
}
