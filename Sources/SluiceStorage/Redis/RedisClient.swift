internal import SluiceCore
package import SluiceNet

/// One worker's Redis: a helper, never a boss. Every command has a deadline of milliseconds; when Redis is slow or gone, the answer is
/// an error at once, and the caller goes on without it.
///
/// Confined to its loop. Commands of one turn go out together, on connections that are made and kept in the background.
package final class RedisClient {
    package let settings: RedisSettings
    private let route: any RedisRoute
    private let health: RedisHealth
    private var isClosed = false
    private var subscriber: RedisSubscriber?
    private let makeSubscriber: () -> RedisSubscriber

    /// Begins to connect. To be called on `loop`; close it when it is not used any more.
    package init(_ settings: RedisSettings, health: RedisHealth, loop: EventLoop, resolver: Resolver, seed: UInt64) {
        self.settings = settings
        let surroundings = RedisSurroundings(
            settings: settings, health: health, loop: loop, resolver: resolver, random: SplitMix64(seed))
        let route: any RedisRoute =
            switch settings.topology {
            case .single(let address): RedisSingleRoute(address, surroundings)
            case .sentinel(let sentinels, let master): RedisSentinelRoute(sentinels, master: master, surroundings)
            case .cluster(let seeds): RedisClusterRoute(seeds, surroundings)
            }
        self.route = route
        self.health = health
        health.clientOpened()
        makeSubscriber = {
            RedisSubscriber(surroundings, credentials: settings.credentials) { route.subscriptionAddress }
        }
        route.start()
    }

    /// Whether a command would be sent now. `false`: go on without Redis at once.
    package var isAvailable: Bool { route.isAvailable }

    /// Whether scripts may be run; `true` until a server has said no.
    package var supportsScripts: Bool { route.supportsScripts }

    /// A key of ours: the prefix and the rest.
    package func key(_ rest: String) -> String { settings.prefix + rest }

    /// Sends a command and waits for its reply.
    ///
    /// - Parameter within: the time from when it is written; default: the configuration's.
    /// - Returns: what Redis said, which may be an error: a full memory, a replica that takes no writes.
    /// - Throws: when there is no reply. After `.timedOut` the command may have been carried out.
    package func call(
        _ command: RedisCommand, within: Duration? = nil
    ) async throws(RedisUnavailable) -> RedisReply {
        let within = within ?? settings.timeout
        if let call = try route.start(command, within: within) { return route.checked(try await call.wait()) }
        return try await route.call(command, within: within)
    }

    /// Runs a script on the node that has its key: by its hash, and whole if the server does not have it yet.
    package func run(_ script: RedisCommand, within: Duration? = nil) async throws(RedisUnavailable) -> RedisReply {
        if !supportsScripts { throw RedisUnavailable(.refused("this Redis does not run scripts")) }
        let deadline = EventLoop.readClock() + (within ?? settings.timeout)
        let reply = try await call(script, within: within)
        guard reply.errorKind == "NOSCRIPT", let whole = script.whole else { return reply }
        let rest = deadline - EventLoop.readClock()
        if rest <= .zero { throw RedisUnavailable(.timedOut) }
        return try await call(whole, within: rest)
    }

    /// The same for a script with one key.
    package func run(
        _ script: RedisScript, key: String, _ arguments: [String], within: Duration? = nil
    ) async throws(RedisUnavailable) -> RedisReply {
        var command = RedisCommand(script, keyCount: 1)
        command.append(key: key)
        for argument in arguments { command.append(argument) }
        return try await run(command, within: within)
    }

    /// Sends a command, or runs a script, whose reply nobody waits for. Dropped when Redis is not available.
    package func post(_ command: RedisCommand) { route.post(command, within: settings.timeout) }

    /// Calls `handler` with each message of a channel, on the loop. The subscription survives reconnects; what was published
    /// meanwhile is lost. The name is the channel's own: without the prefix.
    package func subscribe(_ channel: String, _ handler: @escaping ([UInt8]) -> Void) {
        if isClosed { return }
        let subscriber = subscriber ?? makeSubscriber()
        self.subscriber = subscriber
        subscriber.subscribe(channel, handler)
    }

    /// Closes its connections when the replies to what was asked have come, or are too late.
    package func close() {
        if isClosed { return }
        isClosed = true
        health.clientClosed()
        subscriber?.close()
        subscriber = nil
        route.close()
    }
}
