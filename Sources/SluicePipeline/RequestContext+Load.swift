internal import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceNet
internal import SluicePolicy
internal import SluiceProviders

/// What an attempt says of its target to those who choose the next one.
extension RequestContext {
    /// The attempt's request goes out; further calls change nothing.
    func attemptBegins() {
        guard let target = attempt.target, !attempt.isCounted else { return }
        attempt.isCounted = true
        target.load.begin()
    }

    /// The attempt is over, however it went; further calls change nothing.
    func attemptEnds() {
        guard let target = attempt.target, attempt.isCounted else { return }
        attempt.isCounted = false
        var latency: Duration?
        if let sent = attempt.sentUpstreamAt, let head = attempt.headAt { latency = head - sent }
        target.load.end(latency: latency, outcomeOfAttempt, isStream: isStream, at: EventLoop.readClock())
    }

    /// Client errors say nothing of a target.
    private var outcomeOfAttempt: TargetLoad.Outcome {
        if exchange.isAbandoned { return .neutral }
        if let fault = attempt.fault { return Self.outcome(fault.status.code) }
        if let status = attempt.upstreamStatus, status.code >= 400 { return Self.outcome(status.code) }
        switch rejection?.owner {
        case .caller, .policy, .gateway: return .neutral
        case .provider: return .failure
        case nil: return attempt.headAt == nil || outcome == .truncated ? .failure : .success
        }
    }

    private static func outcome(_ status: UInt16) -> TargetLoad.Outcome {
        switch status {
        case 500..., 401, 402, 403, 408, 429: .failure
        default: .neutral
        }
    }
}
