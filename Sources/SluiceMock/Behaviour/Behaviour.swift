internal import SluiceCore

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
    /// From which share of the answer on each request gets another one; all get the same if `nil`.
    package var variance: Double?
    /// The number of the request, which is what an answer that varies says.
    var turn = 0
    /// What becomes of an assistant's message at the end of the request; `nil`: what the dialect does with it.
    package var prefill: Prefill?
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
    /// The body comes a few bytes at a time, one write in so long.
    package var drip: Duration?
    /// A keep-alive in so long while nothing else comes; without a wait or a stall nothing else comes at all.
    package var comments: Duration?
    /// Which requests the faults hit; all of them if `nil`.
    package var gate: FaultGate?

    package init() {}

    /// Bounds on what a name or a header may ask for.
    package static let tokensMax = 100_000
    package static let toolCallsMax = 64
    package static let requestsMax = 1_000_000_000
    package static let millisecondsMax = 3_600_000.0

    /// Whether the reply may go out at once and as it is.
    var isPlain: Bool { latency == .zero && fault == nil && defects.isEmpty && drip == nil && comments == nil }

    /// Whether keep-alives are all that ever comes.
    var isCommentsOnly: Bool { comments != nil && fault == nil && firstToken == .zero }

    /// The same content with the timing of `usual` and no fault: what a request gets that the gate lets pass.
    func passing(_ usual: Behaviour) -> Behaviour {
        var behaviour = self
        behaviour.latency = usual.latency
        behaviour.firstToken = usual.firstToken
        behaviour.fault = nil
        behaviour.defects = []
        behaviour.drip = nil
        behaviour.comments = nil
        behaviour.retry = RetryAdvice()
        behaviour.gate = nil
        return behaviour
    }
}

/// What becomes of an assistant's message at the end of a request.
package enum Prefill: String, Sendable {
    /// The answer goes on after it, and does not repeat it.
    case `continue`
    /// The answer begins anew.
    case ignore
    /// The request is refused with 400.
    case refuse
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
    /// All but the first so many.
    case after(Int)
    /// So many fail, so many pass, and again.
    case flapping(Int, passing: Int)
    /// This share of them, drawn from a seed.
    case chance(Double)

    /// - Parameters:
    ///   - number: of the model's requests, from 1.
    ///   - seed: what chance is drawn from.
    package func hits(request number: Int, seed: UInt64 = 1) -> Bool {
        switch self {
        case .first(let count): number <= count
        case .every(let count): (number - 1) % max(count, 1) == 0
        case .after(let count): number > count
        case .flapping(let failing, let passing):
            (number - 1) % max(failing + passing, 1) < failing
        case .chance(let share): Self.draw(number, seed) < share
        }
    }

    /// 0 to 1, the same for the same request of the same seed.
    private static func draw(_ number: Int, _ seed: UInt64) -> Double {
        var random = SplitMix64(seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(truncatingIfNeeded: number))
        return Double(random.next() >> 11) / Double(1 << 53)
    }
}
