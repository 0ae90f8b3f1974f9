internal import SluiceCore
internal import SluiceProviders
internal import Synchronization

/// What a probe, or the last request for the list of models, found out about a provider.
struct ProbeResult: Sendable {
    /// From good to bad.
    enum Verdict: String, Sendable, CaseIterable {
        case reachable
        /// It answers that it is busy, or that it has troubles of its own.
        case degraded
        case quotaExhausted = "quota_exhausted"
        case keyRefused = "key_refused"
        /// No answer, or one that is not what it should be.
        case failed
    }

    var verdict: Verdict
    /// For people: what was answered, or what went wrong.
    var reason: String
    /// What was asked for: `GET /models`, `chat`.
    let question: String
    let latency: Duration
    /// When it ended, in seconds since 1970.
    let seconds: Int
    /// Why the key that was shown is left alone from now on.
    var keyReason: KeyRing.Reason?
}

/// The last result of each provider. Read and written from any thread.
final class ProbeResults: Sendable {
    private let results = Mutex<[String: ProbeResult]>([:])

    subscript(_ provider: String) -> ProbeResult? {
        get { results.withLock { $0[provider] } }
        set { results.withLock { $0[provider] = newValue } }
    }

    /// Forgets providers that the configuration has no more.
    func keep(only names: Dictionary<String, some Any>.Keys) {
        results.withLock { results in results = results.filter { names.contains($0.key) } }
    }
}
