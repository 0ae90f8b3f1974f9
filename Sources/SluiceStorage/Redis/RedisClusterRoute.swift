internal import SluiceCore
internal import SluiceNet

/// The nodes of a cluster, each command to the one that has its key (Redis cluster specification).
///
/// The map of slots is asked for when it is found to be out of date, and not more often than it makes sense; redirections are followed
/// within the deadline of the command.
final class RedisClusterRoute: RedisRoute, TimerTarget {
    private let seeds: [RedisAddress]
    private let surroundings: RedisSurroundings
    private var map = RedisClusterMap()
    private var links: [RedisAddress: RedisLink] = [:]
    private var timer: LoopTimer?
    private var isRefreshing = false
    private var isClosed = false
    private var lastRefresh: Instant?

    /// The time from one look at the map to the next.
    private static let refreshEvery = Duration.milliseconds(500)
    /// How often one command is sent on.
    private static let redirectionsMax = 4
    /// Servers that may be connected to at once, also while the map changes.
    private static let linksMax = 4096

    init(_ seeds: [RedisAddress], _ surroundings: RedisSurroundings) {
        self.seeds = seeds
        self.surroundings = surroundings
    }

    var isAvailable: Bool { links.values.contains { $0.isAvailable } }
    var supportsScripts: Bool { links.values.allSatisfy { $0.node.supportsScripts } }
    var subscriptionAddress: RedisAddress? {
        links.values.first { $0.isAvailable }?.address ?? links.keys.randomElement(using: &surroundings.random)
    }

    func start() {
        timer = LoopTimer(target: self)
        refresh()
    }

    // MARK: Commands

    func call(_ command: RedisCommand, within: Duration) async throws(RedisUnavailable) -> RedisReply {
        var link = try link(for: command)
        let deadline = EventLoop.readClock() + within
        var isAsking = false
        var rest = within
        var redirections = 0
        while true {
            let reply = try await link.start(command, within: rest, isAsking: isAsking).wait()
            guard let redirection = RedisRedirection(reply, from: link.address), redirections < Self.redirectionsMax
            else {
                if reply.errorKind == "CLUSTERDOWN" { refreshSoon() }
                return reply
            }
            redirections += 1
            isAsking = redirection.isAsk
            link = try follow(redirection)
            if !(await link.becomesReady(by: deadline)) { throw RedisUnavailable(.notConnected) }
            rest = deadline - EventLoop.readClock()
            if rest <= .zero { throw RedisUnavailable(.timedOut) }
        }
    }

    private func follow(_ redirection: RedisRedirection) throws(RedisUnavailable) -> RedisLink {
        if !redirection.isAsk {
            map.set(redirection.slot, to: redirection.address)
            refreshSoon()
        }
        return try linkTo(redirection.address)
    }

    func post(_ command: RedisCommand, within: Duration) {
        if !isAvailable { return }
        // As a call: a redirection is followed here too.
        surroundings.loop.spawn { [self] in
            do throws(RedisUnavailable) {
                let reply = try await call(command, within: within)
                if reply.errorKind == "NOSCRIPT", let whole = command.whole {
                    _ = try await call(whole, within: within)
                }
            } catch {
                return
            }
        }
    }

    private func link(for command: RedisCommand) throws(RedisUnavailable) -> RedisLink {
        guard let slot = command.slot else {
            if let link = links.values.first(where: { $0.isAvailable }) { return link }
            refreshSoon()
            throw RedisUnavailable(.notConnected)
        }
        guard let address = map.owner(of: slot) else {
            refreshSoon()
            throw RedisUnavailable(.notConnected)
        }
        return try linkTo(address)
    }

    private func linkTo(_ address: RedisAddress) throws(RedisUnavailable) -> RedisLink {
        if let link = links[address] { return link }
        if isClosed || links.count >= Self.linksMax { throw RedisUnavailable(.notConnected) }
        let link = surroundings.link(to: address)
        link.onEvent = { [weak self] event in if event == .unreachable { self?.refreshSoon() } }
        links[address] = link
        link.start()
        return link
    }

    // MARK: The map

    private func refreshSoon() {
        guard let timer, !isRefreshing, !timer.isArmed else { return }
        let now = surroundings.loop.now
        surroundings.loop.arm(timer, at: max(now, (lastRefresh ?? now) + Self.refreshEvery))
    }

    func timerFired(_ timer: LoopTimer) { refresh() }

    private func refresh() {
        if isRefreshing || isClosed { return }
        isRefreshing = true
        surroundings.loop.spawn { [self] in
            let found = await ask()
            isRefreshing = false
            lastRefresh = surroundings.loop.now
            if isClosed { return }
            surroundings.health.asked("cluster", answered: found != nil, at: surroundings.loop.now)
            if let found { adopt(found) } else { refreshSoon() }
        }
    }

    /// Asks nodes that work first, then the others, then the seeds, until one knows.
    private func ask() async -> RedisClusterMap? {
        var command = RedisCommand("CLUSTER")
        command.append("SLOTS" as StaticString)
        let known = links.values.shuffled(using: &surroundings.random)
        let addresses =
            known.filter(\.isAvailable).map(\.address) + seeds + known.filter { !$0.isAvailable }.map(\.address)
        for address in addresses {
            do throws(RedisUnavailable) {
                let reply = try await RedisQuery.ask(
                    address, command, as: surroundings.settings.credentials, surroundings)
                if let map = RedisClusterMap(reply, from: address) { return map }
            } catch {
                if isClosed { return nil }
                continue
            }
        }
        return nil
    }

    private func adopt(_ map: RedisClusterMap) {
        self.map = map
        let kept = Set(map.nodes)
        for (address, link) in links where !kept.contains(address) {
            links[address] = nil
            link.close()
        }
        for address in map.nodes {
            do throws(RedisUnavailable) { _ = try linkTo(address) } catch { return }
        }
    }

    func close() {
        isClosed = true
        if let timer { surroundings.loop.remove(timer) }
        timer = nil
        for link in links.values { link.close() }
    }
}
