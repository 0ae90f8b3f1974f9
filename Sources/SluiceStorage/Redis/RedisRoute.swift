internal import SluiceCore
internal import SluiceNet

/// What decides which server gets a command: one server, the master that sentinels name, or the node of a cluster.
protocol RedisRoute: AnyObject {
    var isAvailable: Bool { get }
    var supportsScripts: Bool { get }
    /// A server to subscribe at; `nil`: not known yet.
    var subscriptionAddress: RedisAddress? { get }

    func start()
    /// Sends a command if one look tells where to, and no answer leads elsewhere: `nil` if that takes a `call`.
    func start(_ command: RedisCommand, within: Duration) throws(RedisUnavailable) -> RedisCall?
    /// Sees the reply to what was started.
    func checked(_ reply: RedisReply) -> RedisReply
    func call(_ command: RedisCommand, within: Duration) async throws(RedisUnavailable) -> RedisReply
    func post(_ command: RedisCommand, within: Duration)
    func close()
}

extension RedisRoute {
    func start(_ command: RedisCommand, within: Duration) throws(RedisUnavailable) -> RedisCall? { nil }
    func checked(_ reply: RedisReply) -> RedisReply { reply }
}

/// What all parts of one client use.
final class RedisSurroundings {
    let settings: RedisSettings
    let health: RedisHealth
    let loop: EventLoop
    let resolver: Resolver
    var random: SplitMix64

    init(settings: RedisSettings, health: RedisHealth, loop: EventLoop, resolver: Resolver, random: SplitMix64) {
        self.settings = settings
        self.health = health
        self.loop = loop
        self.resolver = resolver
        self.random = random
    }

    func link(to address: RedisAddress, requiresMaster: Bool = false) -> RedisLink {
        RedisLink(
            address, node: health.node(address, at: loop.now), settings, loop: loop, resolver: resolver,
            seed: random.next(), requiresMaster: requiresMaster)
    }
}

/// One server, always the same.
final class RedisSingleRoute: RedisRoute {
    private let link: RedisLink

    init(_ address: RedisAddress, _ surroundings: RedisSurroundings) { link = surroundings.link(to: address) }

    var isAvailable: Bool { link.isAvailable }
    var supportsScripts: Bool { link.node.supportsScripts }
    var subscriptionAddress: RedisAddress? { link.address }

    func start() { link.start() }

    func start(_ command: RedisCommand, within: Duration) throws(RedisUnavailable) -> RedisCall? {
        try link.start(command, within: within)
    }

    func call(_ command: RedisCommand, within: Duration) async throws(RedisUnavailable) -> RedisReply {
        try await link.start(command, within: within).wait()
    }

    func post(_ command: RedisCommand, within: Duration) { link.post(command, within: within) }
    func close() { link.close() }
}
