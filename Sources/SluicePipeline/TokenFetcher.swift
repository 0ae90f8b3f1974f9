internal import SluiceCore
internal import SluiceHTTP
package import SluiceJSON
internal import SluiceNet
package import SluiceProviders
package import SluiceUpstream

/// Asks for tokens, one worker's requests at a time for each source: whoever comes while one is under way waits for it.
package final class TokenFetcher {
    private let pools: PoolTable
    private let tape: JSONTape
    /// Those who wait, by source.
    private var waiting: [ObjectIdentifier: [Wait]] = [:]
    private static let replyBytesMax = 65_536
    /// A platform's refusal is remembered for so long: a wrong secret is not asked about with every request.
    private static let refusalLasts = Duration.seconds(5)
    /// With the source, so that no other one takes its place in memory meanwhile.
    private var refusals: [ObjectIdentifier: (source: TokenSource, until: Instant, error: UpstreamError)] = [:]
    /// How long one request for a token may take. It is not only for the request that asks: others wait for it too.
    private static let patience = Duration.seconds(30)

    private final class Wait: TimerTarget {
        /// Whether it is worth looking again.
        let waiter = Waiter<Bool>()

        func timerFired(_ timer: LoopTimer) { waiter.fulfil(false) }
    }

    package init(pools: PoolTable, tape: JSONTape) {
        self.pools = pools
        self.tape = tape
    }

    /// Sees to it that the source has a token that is good for a while.
    package func refresh(_ source: TokenSource, _ deadlines: Deadlines) async throws(UpstreamError) {
        let id = ObjectIdentifier(source)
        while source.current(at: Self.seconds) == nil {
            if let refusal = refusals[id], EventLoop.readClock() < refusal.until { throw refusal.error }
            if waiting[id] == nil {
                waiting[id] = []
                pools.loop.spawn { [self] in await renew(source, id, Self.shared(deadlines)) }
            }
            try await wait(for: id, until: deadlines.total)
        }
    }

    private func renew(_ source: TokenSource, _ id: ObjectIdentifier, _ deadlines: Deadlines) async {
        defer { release(id) }
        do throws(UpstreamError) {
            try await fetch(source, deadlines)
            refusals[id] = nil
            // Asking again would give the same.
            guard source.current(at: Self.seconds) != nil else {
                throw UpstreamError(.token, "its token endpoint gave a token that has expired already")
            }
        } catch {
            let now = EventLoop.readClock()
            refusals = refusals.filter { now < $0.value.until }
            refusals[id] = (source, now + Self.refusalLasts, error)
        }
    }

    /// The time that the request has left is its own affair: what ends it early is no word about the platform.
    private static func shared(_ deadlines: Deadlines) -> Deadlines {
        Deadlines(
            connect: min(deadlines.connect, patience), head: min(deadlines.head, patience),
            idle: min(deadlines.idle, patience), total: EventLoop.readClock() + patience)
    }

    private static var seconds: Int { Int(EventLoop.readWallClock() / 1_000_000_000) }

    private func wait(for id: ObjectIdentifier, until deadline: Instant) async throws(UpstreamError) {
        let wait = Wait()
        waiting[id]?.append(wait)
        let timer = LoopTimer(target: wait)
        pools.loop.arm(timer, at: deadline)
        let isOver = await wait.waiter.wait()
        pools.loop.remove(timer)
        if !isOver { throw UpstreamError(.totalTimeout, "its token endpoint did not answer in time") }
    }

    private func release(_ id: ObjectIdentifier) {
        for wait in waiting.removeValue(forKey: id) ?? [] { wait.waiter.fulfil(true) }
    }

    private func fetch(_ source: TokenSource, _ deadlines: Deadlines) async throws(UpstreamError) {
        let request = try source.request(at: Self.seconds)
        let upstream = try await pools.pool(for: source.endpoint).send(request, deadlines: deadlines, fresh: false)
        let head = try await upstream.responseHead()
        guard let body = try await upstream.collect(atMost: Self.replyBytesMax) else {
            throw UpstreamError(.tooLarge, "its token endpoint's reply is longer than \(Self.replyBytesMax) bytes")
        }
        let tape = tape
        let isJSON = (try? tape.scan(body.span)) != nil
        do throws(TokenReply.Refusal) {
            if isJSON {
                try source.accept(tape.root(over: body.span), status: head.status, at: Self.seconds)
            } else {
                try source.accept(nil, status: head.status, at: Self.seconds)
            }
        } catch {
            // Servers that refuse a secret like to repeat it.
            let words = ByteBuffer("\(error.code): \(error.message)")
            source.conceal(in: words)
            throw UpstreamError(
                error.isOfCredentials ? .tokenRefused : .token,
                "its token endpoint answered \(error.status.code) \(words.text)")
        }
    }
}
