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
    private var waiting: [ObjectIdentifier: [Waiter]] = [:]
    private static let replyBytesMax = 65_536
    /// A platform's refusal is remembered for so long: a wrong secret is not asked about with every request.
    private static let refusalLasts = Duration.seconds(5)
    private var refusals: [ObjectIdentifier: (until: Instant, error: UpstreamError)] = [:]

    private final class Waiter {
        var isDone = false
        var signal = TaskSignal()
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
            if waiting[id] != nil {
                await wait(for: id)
                continue
            }
            waiting[id] = []
            defer { release(id) }
            do throws(UpstreamError) {
                try await fetch(source, deadlines)
                refusals[id] = nil
            } catch {
                refusals[id] = (EventLoop.readClock() + Self.refusalLasts, error)
                throw error
            }
        }
    }

    private static var seconds: Int { Int(EventLoop.readWallClock() / 1_000_000_000) }

    private func wait(for id: ObjectIdentifier) async {
        let waiter = Waiter()
        waiting[id]?.append(waiter)
        while !waiter.isDone { unsafe await withUnsafeContinuation { unsafe waiter.signal.wait($0) } }
    }

    private func release(_ id: ObjectIdentifier) {
        for waiter in waiting.removeValue(forKey: id) ?? [] {
            waiter.isDone = true
            waiter.signal.give()
        }
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
            throw UpstreamError(
                error.isOfCredentials ? .tokenRefused : .token,
                "its token endpoint answered \(error.status.code) \(error.code): \(error.message)")
        }
    }
}
