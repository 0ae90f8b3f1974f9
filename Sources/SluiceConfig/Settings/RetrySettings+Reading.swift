internal import SluiceCore
package import SluicePolicy

/// What `retries` of a configuration says.
extension RetrySettings {
    package static func read(_ section: ConfigSection) -> Self {
        var retries = Self()
        retries.readBounds(section)
        retries.readWaits(section)
        retries.afterSent = section.boolean(
            "after_sent", default: retries.afterSent,
            doc:
                "Whether chat, completions, embeddings, responses, moderations and counts of tokens may be sent again after the provider had the request: an answer may then be paid twice. Images, audio, files and batches never are."
        )
        retries.contextLength = section.choice(
            "context_length", default: retries.contextLength,
            doc:
                "What is tried when the prompt is too long for a model: the next target whose context is known to be larger (`larger`), the next target with another model (`next`), or nothing (`never`)."
        )
        retries.contentPolicy = section.choice(
            "content_policy", default: retries.contentPolicy,
            doc:
                "What is tried when a provider refuses a request for what it says: the next target with another model (`next`), or nothing (`never`)."
        )
        return retries
    }

    private mutating func readBounds(_ section: ConfigSection) {
        attemptsMax = section.integer(
            "attempts_max", default: attemptsMax, in: 1...10,
            doc:
                "Attempts of one request in all, the first one, fallbacks and hedges included. 1: nothing is tried again."
        )
        sameTargetMax = section.integer(
            "same_target_max", default: sameTargetMax, in: 0...9,
            doc: "How often the same target is asked again, when there is no other one to ask.")
        budgetRatio = section.number(
            "budget_ratio", default: budgetRatio, in: 0...1,
            doc:
                "Repeats at a target as a share of the requests to it within ten seconds. A spent budget does not keep a request from another target."
        )
        budgetPerSecond = Double(
            section.integer(
                "budget_per_second", default: Int(budgetPerSecond), in: 0...1000,
                doc: "So many repeats a second are allowed whatever the traffic."))
    }

    private mutating func readWaits(_ section: ConfigSection) {
        backoffBase = section.duration(
            "backoff_base_ms", default: backoffBase, in: 0...60_000,
            doc:
                "The wait before the same target is asked again is random up to this, the next one up to twice as much."
        )
        backoffMax = section.duration(
            "backoff_max_ms", default: backoffMax, in: 0...600_000, doc: "No such wait is longer.")
        if backoffMax < backoffBase {
            section.mistake(
                "backoff_max_ms", "at least backoff_base_ms, found \(section.written("backoff_max_ms"))")
        }
        attemptMin = section.duration(
            "attempt_min_ms", default: attemptMin, in: 0...600_000,
            doc: "No attempt begins that would have less time than this before `timeouts.total_ms` ends.")
        waitMax = section.duration(
            "wait_max_ms", default: waitMax, in: 0...600_000,
            doc:
                "A request waits so long for a target that is closed until a known time; if it were longer, it is refused at once."
        )
        closedDefault = section.duration(
            "closed_default_ms", default: closedDefault, in: 0...3_600_000,
            doc: "How long a 429 closes a key for a model, if it does not say so itself (Retry-After).")
        closedMax = section.duration(
            "closed_max_ms", default: closedMax, in: 0...86_400_000,
            doc: "No answer of a provider closes a key for longer.")
        if closedMax < closedDefault {
            section.mistake("closed_max_ms", "at least closed_default_ms, found \(section.written("closed_max_ms"))")
        }
    }
}
