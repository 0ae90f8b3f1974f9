package import SluiceCore

/// What is kept of one exchange: who asked for what, who answered, what it cost. Made once, when the exchange is over.
package struct InvocationRecord: Sendable, Equatable {
    /// As it was when the log line says the same words.
    package enum Outcome: UInt8, Sendable, CaseIterable {
        case complete, rejected, providerError, truncated, clientGone, degraded

        package var name: StaticString {
            switch self {
            case .complete: "complete"
            case .rejected: "rejected"
            case .providerError: "provider_error"
            case .truncated: "truncated"
            case .clientGone: "client_gone"
            case .degraded: "degraded"
            }
        }

        package init?(_ name: String) {
            guard let found = Self.allCases.first(where: { "\($0.name)" == name }) else { return nil }
            self = found
        }
    }

    /// How well the tokens are known.
    package enum UsageSource: UInt8, Sendable, CaseIterable {
        /// Nothing was used.
        case none
        /// The provider said so.
        case provider
        /// The provider said so when the application had gone.
        case drained
        /// Counted by us, roughly.
        case estimated
        /// Something was used, and nobody knows how much.
        case unknown
        /// A kept answer.
        case cache

        package var name: StaticString {
            switch self {
            case .none: "none"
            case .provider: "provider"
            case .drained: "drained"
            case .estimated: "estimated"
            case .unknown: "unknown"
            case .cache: "cache"
            }
        }

        package init?(_ name: String) {
            guard let found = Self.allCases.first(where: { "\($0.name)" == name }) else { return nil }
            self = found
        }
    }

    /// One try at one target.
    package struct Attempt: Sendable, Equatable {
        package var provider = ""
        /// As the provider spells it.
        package var model = ""
        /// `ok`, or why it failed: one of the closed set that the log has.
        package var result = "ok"
        /// 0: no reply came.
        package var status = 0
        package var durationMicros = 0
        package var inputTokens = 0
        package var outputTokens = 0
        /// In millionths of the currency; -1: not known.
        package var costMicros = -1

        package init() {}
    }

    package var requestID = ""
    package var userID = ""
    /// Who asked, as far as that is proved: `key:billing`, `local`.
    package var principalID = ""
    package var team = ""
    package var businessLine = ""
    /// What stands for the credential that was shown: the beginning of its digest.
    package var key = ""
    package var scene = ""
    /// As the application asked for it.
    package var modelID = ""
    /// As the provider spells it.
    package var upstreamModel = ""
    package var provider = ""
    /// The path as a template.
    package var route = ""
    package var outcome = Outcome.complete
    /// What the application was sent; 499: it has gone.
    package var httpStatus = 0
    package var errorCode = ""
    package var errorMessage = ""
    /// Whose fault: caller, policy, provider, gateway.
    package var errorOwner = ""
    package var cacheState = ""
    /// Milliseconds since 1970.
    package var startTime = 0
    package var endTime = 0
    package var durationMicros = 0
    /// -1: nothing was sent.
    package var firstByteMicros = -1
    package var inputTokens = 0
    package var outputTokens = 0
    package var cachedTokens = 0
    package var reasoningTokens = 0
    package var totalTokens = 0
    /// Of all attempts, in millionths of the currency; -1: not known.
    package var costMicros = -1
    package var usageSource = UsageSource.none
    package var isStream = false
    package var attempts: [Attempt] = []

    package init() {}
}

/// What an exchange said, as far as that is kept. Confined to the worker that made it.
package struct RecordedContent {
    /// The request's parameters without its texts: a JSON object.
    package var parameters: ByteBuffer?
    package var request: ByteBuffer?
    package var response: ByteBuffer?
    /// There was more than is kept.
    package var isRequestCut = false
    package var isResponseCut = false

    package init() {}
}
