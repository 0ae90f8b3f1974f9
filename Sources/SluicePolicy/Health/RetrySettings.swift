/// How a request goes on after an attempt that failed.
package struct RetrySettings: Sendable, Equatable {
    /// What is tried after an answer that the prompt is too long.
    package enum ContextLength: String, Sendable, CaseIterable {
        /// The next target whose context is known to be larger.
        case larger
        /// The next target with another model.
        case next
        case never
    }

    /// What is tried after a refusal for what the request says.
    package enum ContentPolicy: String, Sendable, CaseIterable {
        /// The next target with another model.
        case next
        case never
    }

    /// Of one request in all, the first one and hedges included. 1: none is repeated.
    package var attemptsMax = 3
    /// How often the same target is asked again, when there is no other one.
    package var sameTargetMax = 2
    /// The first wait before the same target is asked again is random up to this, the next up to twice as much …
    package var backoffBase = Duration.milliseconds(250)
    /// … and none is longer than this.
    package var backoffMax = Duration.seconds(5)
    /// Repeats at a target, as a share of the requests to it within ten seconds …
    package var budgetRatio = 0.2
    /// … but so many a second are allowed whatever the traffic.
    package var budgetPerSecond = 3.0
    /// An attempt that would have less time than this is not begun.
    package var attemptMin = Duration.milliseconds(500)
    /// Whether chat, completions, embeddings, responses, moderations and counts of tokens may be sent again after the provider has
    /// had the request: the answer may then be paid twice.
    package var afterSent = true
    /// How long a request waits for a key or target that is closed until a known time.
    package var waitMax = Duration.seconds(3)
    /// How long 429 closes a key and model if it does not say so itself.
    package var closedDefault = Duration.seconds(1)
    /// No provider closes itself for longer.
    package var closedMax = Duration.seconds(300)
    package var contextLength = ContextLength.larger
    package var contentPolicy = ContentPolicy.never

    package init() {}
}
