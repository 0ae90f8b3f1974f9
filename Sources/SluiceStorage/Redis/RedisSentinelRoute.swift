internal import SluiceCore
internal import SluiceNet

/// The master that a set of sentinels names, followed through failovers (redis.io/docs/reference/sentinel-clients).
///
/// Sentinels are asked when there is no master, when the one there was cannot be reached, is no master any more or takes no writes; and
/// one of them is listened to, so that a failover is known as soon as it is decided.
final class RedisSentinelRoute: RedisRoute, TimerTarget {
    private let sentinels: [RedisAddress]
    private let master: String
    private let surroundings: RedisSurroundings
    private var link: RedisLink?
    /// The one that answered last.
    private var current = 0
    private var watcher: RedisSubscriber?
    private var timer: LoopTimer?
    private var isAsking = false
    private var isClosed = false

    /// The time from one round of questions to the next.
    private static let askEvery = Duration.milliseconds(250)

    init(_ sentinels: [RedisAddress], master: String, _ surroundings: RedisSurroundings) {
        self.sentinels = sentinels
        self.master = master
        self.surroundings = surroundings
    }

    var isAvailable: Bool { link?.isAvailable ?? false }
    var supportsScripts: Bool { link?.node.supportsScripts ?? true }
    var subscriptionAddress: RedisAddress? { link?.address }

    func start() {
        timer = LoopTimer(target: self)
        let watcher = RedisSubscriber(surroundings, credentials: surroundings.settings.sentinelCredentials) {
            [weak self] in self.map { $0.sentinels[$0.current] }
        }
        watcher.subscribe("+switch-master") { [weak self] in self?.switched(String(decoding: $0, as: UTF8.self)) }
        self.watcher = watcher
        ask()
    }

    // MARK: Commands

    func call(_ command: RedisCommand, within: Duration) async throws(RedisUnavailable) -> RedisReply {
        guard let link else { throw RedisUnavailable(.notConnected) }
        return checked(try await link.start(command, within: within).wait())
    }

    func start(_ command: RedisCommand, within: Duration) throws(RedisUnavailable) -> RedisCall? {
        guard let link else { throw RedisUnavailable(.notConnected) }
        return try link.start(command, within: within)
    }

    /// It is a replica now, and nobody has told us.
    func checked(_ reply: RedisReply) -> RedisReply {
        if reply.errorKind == "READONLY" { askSoon() }
        return reply
    }

    func post(_ command: RedisCommand, within: Duration) { link?.post(command, within: within) }

    // MARK: Sentinels

    private func askSoon() {
        guard let timer, !isAsking, !timer.isArmed else { return }
        surroundings.loop.arm(timer, after: Self.askEvery)
    }

    func timerFired(_ timer: LoopTimer) { ask() }

    private func ask() {
        if isAsking || isClosed { return }
        isAsking = true
        surroundings.loop.spawn { [self] in
            let found = await askAll()
            isAsking = false
            if isClosed { return }
            surroundings.health.asked("sentinels of \(master)", answered: found != nil, at: surroundings.loop.now)
            if let found { adopt(found) } else { askSoon() }
        }
    }

    /// Asks one after the other, the one that answered last first. One that names a master that cannot be used has perhaps been cut
    /// off from the others: they are asked too, and it is believed only if nobody knows of another.
    private func askAll() async -> RedisAddress? {
        let first = current
        var unusable: RedisAddress?
        for offset in sentinels.indices {
            let index = (first + offset) % sentinels.count
            if let address = await ask(sentinels[index]) {
                if let link, link.address == address, !link.isAvailable {
                    unusable = address
                } else {
                    current = index
                    watcher?.follow()
                    return address
                }
            }
            if isClosed { return nil }
        }
        return unusable
    }

    private func ask(_ sentinel: RedisAddress) async -> RedisAddress? {
        var command = RedisCommand("SENTINEL")
        command.append("GET-MASTER-ADDR-BY-NAME" as StaticString)
        command.append(master)
        do throws(RedisUnavailable) {
            let reply = try await RedisQuery.ask(
                sentinel, command, as: surroundings.settings.sentinelCredentials, surroundings)
            guard let parts = reply.array, parts.count == 2, let host = parts[0].text, let port = parts[1].text else {
                return nil
            }
            return Self.address(host, port)
        } catch {
            return nil
        }
    }

    /// `mymaster 10.0.0.1 6379 10.0.0.2 6379`: the name, the old address, the new one.
    private func switched(_ message: String) {
        let parts = message.split(separator: " ")
        guard parts.count == 5, parts[0] == master, let address = Self.address(String(parts[3]), String(parts[4]))
        else {
            return
        }
        adopt(address)
    }

    private static func address(_ host: String, _ port: String) -> RedisAddress? {
        guard let port = UInt16(port), port > 0, !host.isEmpty else { return nil }
        return .host(host, port)
    }

    private func adopt(_ address: RedisAddress) {
        if isClosed || link?.address == address { return }
        link?.close()
        surroundings.health.found(master: address, of: master)
        let fresh = surroundings.link(to: address, requiresMaster: true)
        fresh.onEvent = { [weak self] event in if event == .unreachable { self?.askSoon() } }
        link = fresh
        fresh.start()
    }

    func close() {
        isClosed = true
        watcher?.close()
        if let timer { surroundings.loop.remove(timer) }
        timer = nil
        link?.close()
    }
}
