package import SluiceCore

/// When the keys of an issuer are asked for again. It reads no clock and sends nothing.
package struct KeySourceState: Sendable {
    package struct Bounds: Sendable {
        /// Whatever the issuer says of its document, it is not asked for sooner, nor kept for longer, than this.
        package var freshMin = Duration.seconds(30)
        package var freshMax = Duration.seconds(3600)
        /// Where it says nothing.
        package var freshUsual = Duration.seconds(300)
        /// For so long after that keys are used while newer ones are on their way.
        package var grace = Duration.seconds(300)
        /// For so long after they came keys are used while the issuer does not answer.
        package var staleMax = Duration.seconds(86_400)
        /// A key that nobody knows has the document fetched once within such a time.
        package var unknownKeyInterval = Duration.seconds(30)

        package init() {}
    }

    package enum Action: Sendable, Equatable {
        /// The keys are good.
        case use
        /// They are good enough, and to be fetched again meanwhile.
        case useAndFetch
        /// They are to be fetched before anything is said.
        case fetch
        /// There are none, and there will not be any soon.
        case unavailable
    }

    package let bounds: Bounds
    package private(set) var keys: KeySet?
    /// Counts up with every set that differs from the one before.
    package private(set) var revision = 0
    package private(set) var fetchedAt: Instant?
    package private(set) var backoff = Backoff()
    package private(set) var lastFailure: String?
    private var freshUntil: Instant?
    private var unknownKeyAskedAt: Instant?

    package init(bounds: Bounds = Bounds()) { self.bounds = bounds }

    /// - Parameter lacksKey: a token names a key that is not among those there are.
    package mutating func want(lacksKey: Bool, at now: Instant) -> Action {
        guard keys != nil, let fetchedAt, let freshUntil, now < fetchedAt + bounds.staleMax else {
            return backoff.isOpen(at: now) ? .unavailable : .fetch
        }
        if lacksKey {
            // Somebody makes names up: others must not be asked for each of them.
            if let asked = unknownKeyAskedAt, now < asked + bounds.unknownKeyInterval { return .use }
            if backoff.isOpen(at: now) { return .use }
            unknownKeyAskedAt = now
            return .fetch
        }
        if now < freshUntil { return .use }
        if backoff.isOpen(at: now) { return .use }
        return now < freshUntil + bounds.grace ? .useAndFetch : .fetch
    }

    /// - Returns: whether what was known before does not hold any more.
    @discardableResult
    package mutating func arrived(_ fresh: KeySet, isSame: Bool, maxAge: Duration?, at now: Instant) -> Bool {
        let age = min(max(maxAge ?? bounds.freshUsual, bounds.freshMin), bounds.freshMax)
        freshUntil = now + age
        fetchedAt = now
        backoff.succeed()
        lastFailure = nil
        if isSame, keys != nil { return false }
        keys = fresh
        revision += 1
        return true
    }

    package mutating func failed(_ detail: String, at now: Instant) {
        lastFailure = detail
        backoff.fail(at: now)
    }

    /// Keys that came so long ago are worth nothing any more.
    package func hasKeys(at now: Instant) -> Bool {
        guard keys != nil, let fetchedAt else { return false }
        return now < fetchedAt + bounds.staleMax
    }
}
