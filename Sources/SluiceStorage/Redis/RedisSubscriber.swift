internal import SluiceCore
internal import SluiceNet

/// Channels that are listened to, on a connection of their own that is made again whenever it ends.
final class RedisSubscriber: TimerTarget {
    private let surroundings: RedisSurroundings
    private let credentials: RedisSettings.Credentials?
    /// Where to listen now.
    private let address: () -> RedisAddress?
    private var handlers: [String: [([UInt8]) -> Void]] = [:]
    private var connection: RedisConnection?
    private var connectedTo: RedisAddress?
    private var timer: LoopTimer?
    private var isConnecting = false
    private var isClosed = false
    private var attempts = 0

    private static let backoff = (first: Duration.milliseconds(50), max: Duration.seconds(1))
    /// A silent connection is asked for a sign of life after this, and given up after three times as long.
    private static let quiet = Duration.seconds(2)

    init(
        _ surroundings: RedisSurroundings, credentials: RedisSettings.Credentials?,
        at address: @escaping () -> RedisAddress?
    ) {
        self.surroundings = surroundings
        self.credentials = credentials
        self.address = address
        timer = LoopTimer(target: self)
    }

    func subscribe(_ channel: String, _ handler: @escaping ([UInt8]) -> Void) {
        let isNew = handlers[channel] == nil
        handlers[channel, default: []].append(handler)
        if let connection, isNew { connection.sendUnanswered(Self.subscription([channel])) }
        connect()
    }

    /// Listens elsewhere, if `address` says so.
    func follow() {
        if let connection, connectedTo != address() { connection.close() }
    }

    func close() {
        isClosed = true
        handlers = [:]
        if let timer { surroundings.loop.remove(timer) }
        timer = nil
        connection?.close()
    }

    private func connect() {
        if isClosed || isConnecting || connection != nil { return }
        isConnecting = true
        surroundings.loop.spawn { [self] in
            await run()
            isConnecting = false
            if connection == nil { retry() }
        }
    }

    private func run() async {
        guard let address = address() else { return }
        do throws(RedisUnavailable) {
            let connection = try await RedisQuery.open(
                address, as: credentials, by: surroundings.loop.now + surroundings.settings.connect, surroundings
            ) { [weak self] _ in self?.ended() }
            if isClosed || !connection.isOpen { return connection.close() }
            self.connection = connection
            connectedTo = address
            connection.listen { [weak self] in self?.received($0) }
            connection.sendUnanswered(Self.subscription(handlers.keys.sorted()))
            arm(Self.quiet)
        } catch {
            // The server's own connections tell of it; here, it is tried again.
            return
        }
    }

    private func ended() {
        connection = nil
        if !isClosed, !isConnecting { retry() }
    }

    private func retry() {
        let base = min(Self.backoff.first * (1 << min(attempts, 10)), Self.backoff.max)
        attempts += 1
        arm(.nanoseconds(Int64.random(in: base.nanoseconds / 2...base.nanoseconds, using: &surroundings.random)))
    }

    private func arm(_ duration: Duration) {
        guard let timer else { return }
        timer.disarm()
        surroundings.loop.arm(timer, after: duration)
    }

    func timerFired(_ timer: LoopTimer) {
        guard let connection else { return connect() }
        let silence = surroundings.loop.now - connection.lastReply
        if silence > Self.quiet * 3 { return connection.close() }
        if silence >= Self.quiet { connection.sendUnanswered(RedisCommand("PING")) }
        arm(Self.quiet)
        follow()
    }

    private func received(_ reply: RedisReply) {
        if reply.error != nil {
            connection?.close()
            return
        }
        attempts = 0
        guard let parts = reply.array, parts.count == 3, parts[0].text == "message", let channel = parts[1].text,
            let payload = parts[2].bytes
        else { return }
        for handler in handlers[channel] ?? [] { handler(payload) }
    }

    private static func subscription(_ channels: [String]) -> RedisCommand {
        var command = RedisCommand("SUBSCRIBE")
        for channel in channels { command.append(channel) }
        return command
    }
}
