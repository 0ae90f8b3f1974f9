internal import SluiceCore
internal import SluiceJSON
internal import SluiceNet
internal import SluicePolicy
internal import SluiceTLS
internal import SluiceUpstream
internal import Synchronization

/// Where the keys of one issuer come from, and those there are. Shared by all workers; outlives a configuration that
/// says the same.
package final class KeySource: Sendable {
    package enum Place: Sendable, Equatable {
        /// They are in the configuration.
        case fixed
        /// A document of keys (RFC 7517).
        case keys(url: String)
        /// The issuer's own description says where they are (OpenID Connect Discovery 1.0 §4).
        case discovery(issuer: String)
        /// A Kubernetes API server: its description has to name the issuer, and its keys are where all of them have
        /// theirs.
        case cluster(server: String, issuer: String)

        /// Whom it is about, for a log: what follows the path of a URL may be a credential.
        var name: String {
            switch self {
            case .fixed: "fixed"
            case .keys(let url): String(url.prefix { $0 != "?" && $0 != "#" })
            case .discovery(let issuer), .cluster(_, let issuer): issuer
            }
        }
    }

    /// Which keys a verdict was made with; not current any more once there are others.
    package struct Revision: Sendable {
        let source: KeySource
        let number: Int
        package var isCurrent: Bool { source.revisionNumber.load(ordering: .acquiring) == number }
    }

    package let place: Place
    private let client: IdentityClient?
    /// A file whose text is shown as a bearer token when keys are fetched; read each time, for it changes.
    private let tokenFile: String?
    private let notices: IdentityNotices?
    private struct Held: Sendable {
        var state: KeySourceState
        var digest: Digest?
    }
    private let held: Mutex<Held>
    private let revisionNumber = Atomic<Int>(0)
    private let flights = SingleFlight<Int, Bool>(countMax: 1)
    private let fetches = Atomic<Int>(0)

    package init(
        _ place: Place, client: IdentityClient?, bounds: KeySourceState.Bounds = .init(), tokenFile: String? = nil,
        notices: IdentityNotices? = nil
    ) {
        self.place = place
        self.client = client
        self.tokenFile = tokenFile
        self.notices = notices
        held = Mutex(Held(state: KeySourceState(bounds: bounds)))
    }

    /// Keys that never change.
    package init(fixed keys: KeySet) {
        place = .fixed
        client = nil
        tokenFile = nil
        notices = nil
        var bounds = KeySourceState.Bounds()
        bounds.freshMax = .seconds(1 << 32)
        bounds.staleMax = .seconds(1 << 32)
        var state = KeySourceState(bounds: bounds)
        state.arrived(keys, isSame: false, maxAge: bounds.freshMax, at: EventLoop.readClock())
        held = Mutex(Held(state: state))
        revisionNumber.store(state.revision, ordering: .releasing)
    }

    /// Puts others in the place of fixed keys.
    func replace(_ keys: KeySet, at now: Instant) {
        let number = held.withLock { held in
            held.state.arrived(keys, isSame: false, maxAge: .seconds(1 << 32), at: now)
            return held.state.revision
        }
        revisionNumber.store(number, ordering: .releasing)
    }

    /// How often the issuer was asked.
    package var fetchCount: Int { fetches.load(ordering: .relaxed) }

    /// The keys, fetched first where that is needed. To be called on a loop.
    ///
    /// - Parameter lacksKey: those there are do not have the one that a token names.
    /// - Returns: `nil` if there are none, and the issuer does not answer.
    package func keys(lacksKey: Bool = false) async -> (keys: KeySet, revision: Revision)? {
        let now = EventLoop.readClock()
        let action = held.withLock { $0.state.want(lacksKey: lacksKey, at: now) }
        if place == .fixed { return current(at: now) }
        switch action {
        case .use: break
        case .unavailable: return nil
        case .useAndFetch:
            if let loop = EventLoop.current { flights.start(0, on: loop) { [self] in await fetch() } }
        case .fetch:
            guard let loop = EventLoop.current else { return nil }
            _ = await flights.value(for: 0, on: loop, overflow: false) { [self] in await fetch() }
        }
        return current(at: EventLoop.readClock())
    }

    private func current(at now: Instant) -> (keys: KeySet, revision: Revision)? {
        held.withLock { held in
            guard held.state.hasKeys(at: now), let keys = held.state.keys else { return nil }
            return (keys, Revision(source: self, number: held.state.revision))
        }
    }

    private func fetch() async -> Bool {
        fetches.wrappingAdd(1, ordering: .relaxed)
        do throws(IdentityClient.Failure) {
            let answer = try await document()
            try take(answer)
            return true
        } catch {
            let now = EventLoop.readClock()
            let isFirst = held.withLock { held in
                defer { held.state.failed(error.detail, at: now) }
                return held.state.backoff.failures == 0
            }
            if isFirst { notices?.tell(.failing(name: place.name, reason: error.detail)) }
            return false
        }
    }

    private func take(_ answer: IdentityClient.Answer) throws(IdentityClient.Failure) {
        let fresh: KeySet
        do throws(KeySet.Malformed) {
            fresh = try KeySet(answer.body.span, tape: JSONTape(), takesSecrets: false)
        } catch {
            throw IdentityClient.Failure("its keys cannot be read: \(error.message)")
        }
        if fresh.keys.isEmpty { throw IdentityClient.Failure("none of its keys can be used") }
        let digest = SHA256.hash(answer.body.span)
        let now = EventLoop.readClock()
        let (number, hadFailed) = held.withLock { held in
            let hadFailed = held.state.backoff.failures > 0
            held.state.arrived(fresh, isSame: held.digest == digest, maxAge: answer.maxAge, at: now)
            held.digest = digest
            return (held.state.revision, hadFailed)
        }
        revisionNumber.store(number, ordering: .releasing)
        if hadFailed { notices?.tell(.recovered(name: place.name)) }
    }

    private func document() async throws(IdentityClient.Failure) -> IdentityClient.Answer {
        guard let client else { throw IdentityClient.Failure("there is nobody to ask") }
        switch place {
        case .fixed: throw IdentityClient.Failure("there is nobody to ask")
        case .keys(let url): return try await get(url, client)
        case .discovery(let issuer):
            let described = try await get(OpenIDDiscovery.url(ofIssuer: issuer), client)
            let url = try OpenIDDiscovery.keysURL(in: described.body.span, issuer: issuer)
            let host = try IdentityClient.check(issuer, trustsNetwork: client.trustsNetwork).host
            return try await get(url, client, followedFrom: host)
        case .cluster(let server, let issuer):
            let described = try await get(OpenIDDiscovery.url(ofIssuer: server), client)
            _ = try OpenIDDiscovery.keysURL(in: described.body.span, issuer: issuer)
            return try await get(server + "/openid/v1/jwks", client)
        }
    }

    private func get(
        _ url: String, _ client: IdentityClient, followedFrom host: String? = nil
    ) async throws(IdentityClient.Failure) -> IdentityClient.Answer {
        var question = IdentityClient.Question(url: url)
        question.isFollowed = host != nil
        question.configuredHost = host
        if let tokenFile { question.authorization = try TokenFile.bearer(tokenFile) }
        let answer = try await client.ask(question)
        guard answer.status == 200 else { throw IdentityClient.Failure("it answered with status \(answer.status)") }
        return answer
    }

    /// For whoever operates Sluice.
    package struct Report: Sendable {
        package let keyIDs: [String]
        package let notes: [String]
        package let age: Duration?
        package let failures: Int
        package let lastFailure: String?
        package let fetches: Int
    }

    package var report: Report {
        let now = EventLoop.readClock()
        return held.withLock { held in
            Report(
                keyIDs: held.state.keys?.keys.map { $0.id ?? "" } ?? [], notes: held.state.keys?.notes ?? [],
                age: held.state.fetchedAt.map { now - $0 }, failures: held.state.backoff.failures,
                lastFailure: held.state.lastFailure, fetches: fetchCount)
        }
    }
}
