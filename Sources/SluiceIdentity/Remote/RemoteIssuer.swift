internal import SluiceCore
internal import SluiceJSON
internal import SluiceNet
package import SluicePolicy
internal import SluiceTLS
internal import Synchronization

/// Where a token says that it is from, and whom it says that it is of.
struct ClaimedOrigin {
    var issuer: String?
    var subject: String?
}

/// Somebody who is asked about each token that is not known yet: an OAuth authorization server (RFC 7662), or
/// Kubernetes.
///
/// While he does not answer he is left alone, and whoever shows a token that only he knows is told so at once.
package final class RemoteIssuer: Sendable {
    package enum Kind: Sendable {
        case introspection(Introspection)
        case tokenReview(TokenReview)
    }

    package struct Bounds: Sendable {
        /// For how long an answer is believed, at most.
        package var fresh = Duration.seconds(30)
        /// The same for a token that is worth nothing.
        package var refusedFresh = Duration.seconds(10)
        /// Questions under way at one time.
        package var questionsMax = 64

        package init() {}
    }

    package let name: String
    package let kind: Kind
    package let bounds: Bounds
    private let url: String
    private let client: IdentityClient
    private let notices: IdentityNotices?
    private struct State: Sendable {
        /// One question may fail for a reason of its own: who shows a token chooses what is asked.
        var backoff = Backoff(tolerating: 2)
        var lastFailure: String?
        var questions = 0
    }
    private let state = Mutex(State())
    private let flights: SingleFlight<VerdictCache.Key, Answer>
    private static let replyByteCountMax = 65_536

    package init(
        _ kind: Kind, name: String, url: String, client: IdentityClient, bounds: Bounds = Bounds(),
        notices: IdentityNotices? = nil
    ) {
        self.notices = notices
        self.kind = kind
        self.name = name
        self.url = url
        self.client = client
        self.bounds = bounds
        flights = SingleFlight(countMax: bounds.questionsMax, waitersMax: 1024)
    }

    /// What he says.
    package enum Answer: Sendable {
        /// - Parameter until: seconds since 1970.
        case known(Principal, until: Int)
        case refused(TokenRefusal)
    }

    /// Whether it is worth asking, and no affair of somebody else's: what a token says of itself is not proved, but
    /// whom it is shown to is a matter of trust.
    func mayKnow(_ claimed: ClaimedOrigin) -> Bool {
        let isServiceAccount = claimed.subject?.hasPrefix("system:serviceaccount:") ?? false
        switch kind {
        case .tokenReview: return isServiceAccount
        case .introspection(let introspection):
            if isServiceAccount { return false }
            return introspection.rules.issuer == nil || claimed.issuer == nil
                || introspection.rules.issuer == claimed.issuer
        }
    }

    /// To be called on a loop.
    package func ask(
        about token: [UInt8], key: VerdictCache.Key, under policy: AccessPolicy, at now: Int
    ) async -> Answer {
        let unavailable = Answer.refused(TokenRefusal(.unavailable, "whoever knows the token does not answer"))
        let isLeftAlone = state.withLock { $0.backoff.isOpen(at: EventLoop.readClock()) }
        guard !isLeftAlone, let loop = EventLoop.current else { return unavailable }
        return await flights.value(for: key, on: loop, overflow: unavailable) { [self] in
            do throws(IdentityClient.Failure) {
                let answer = try await client.ask(try question(token))
                let verdict = try read(answer, policy, now)
                succeeded()
                return verdict
            } catch {
                failed(error.detail)
                return unavailable
            }
        }
    }

    private func succeeded() {
        let hadFailed = state.withLock { state in
            defer { state.backoff.succeed() }
            return state.backoff.until != nil
        }
        if hadFailed { notices?.tell(.recovered(name: name)) }
    }

    /// One who is left alone from now on is told of once.
    private func failed(_ reason: String) {
        let isFirst = state.withLock { state in
            let wasOpen = state.backoff.until != nil
            state.backoff.fail(at: EventLoop.readClock())
            state.lastFailure = reason
            return !wasOpen && state.backoff.until != nil
        }
        if isFirst { notices?.tell(.failing(name: name, reason: reason)) }
    }

    private func question(_ token: [UInt8]) throws(IdentityClient.Failure) -> IdentityClient.Question {
        state.withLock { $0.questions += 1 }
        var question = IdentityClient.Question(url: url)
        question.replyByteCountMax = Self.replyByteCountMax
        switch kind {
        case .introspection(let introspection): introspection.fill(&question, token)
        case .tokenReview(let review): try review.fill(&question, token)
        }
        return question
    }

    private func read(
        _ answer: IdentityClient.Answer, _ policy: AccessPolicy, _ now: Int
    ) throws(IdentityClient.Failure) -> Answer {
        switch answer.status {
        case 200, 201: break
        case 401, 403, 404, 405, 407, 408, 429: throw IdentityClient.Failure("it answered with status \(answer.status)")
        // What was asked about is nothing that it could know: that must not cost others their answers.
        case 400..<500: return .refused(TokenRefusal(.unknown, "it cannot be asked about"))
        default: throw IdentityClient.Failure("it answered with status \(answer.status)")
        }
        let tape = JSONTape()
        do throws(TokenRefusal) {
            try JSONWebToken.scan(answer.body.span, "answer", onto: tape)
        } catch {
            throw IdentityClient.Failure("its answer cannot be read: \(error.detail)")
        }
        let root = tape.root(over: answer.body.span)
        let usual = now + Int(bounds.fresh.nanoseconds / 1_000_000_000)
        do throws(TokenRefusal) {
            switch kind {
            case .introspection(let introspection):
                let (principal, end) = try introspection.read(root, under: policy, at: now)
                return .known(principal, until: min(end, usual))
            case .tokenReview(let review):
                return .known(try review.read(root, under: policy), until: usual)
            }
        } catch {
            return .refused(error)
        }
    }

    package struct Report: Sendable {
        package let questions: Int
        package let failures: Int
        package let lastFailure: String?
    }

    package var report: Report {
        state.withLock { Report(questions: $0.questions, failures: $0.backoff.failures, lastFailure: $0.lastFailure) }
    }
}
