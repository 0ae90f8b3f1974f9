internal import SluiceCore
internal import SluiceNet

/// What is said on a new connection before the first command: who we are, which database, and what the server can do.
struct RedisSetup {
    struct Findings {
        /// Why scripts may not be run; `nil`: they may.
        var scriptsRefusal: String?
    }

    private let settings: RedisSettings
    private let requiresMaster: Bool

    init(_ settings: RedisSettings, requiresMaster: Bool) {
        self.settings = settings
        self.requiresMaster = requiresMaster
    }

    /// - Throws: `.refused` with what Redis said, `.timedOut`, or `.notConnected` if the connection ended.
    func run(
        on connection: RedisConnection, by deadline: Instant, now: Instant
    ) async throws(RedisUnavailable) -> Findings {
        let within = max(.milliseconds(1), deadline - now)
        let authentication = try settings.credentials.map { credentials throws(RedisUnavailable) in
            try Self.send(Self.authentication(credentials), connection, within)
        }
        var selection: RedisCall?
        if settings.database != 0 {
            var command = RedisCommand("SELECT")
            command.append(settings.database)
            selection = try Self.send(command, connection, within)
        }
        // An operator finds our connections by their name; a server that does not allow naming them is none the worse.
        var naming = RedisCommand("CLIENT")
        naming.append("SETNAME" as StaticString)
        naming.append("sluice" as StaticString)
        _ = try Self.send(naming, connection, within)
        var script = RedisCommand("EVAL")
        script.append("return 1" as StaticString)
        script.append(0)
        let scripting = try Self.send(script, connection, within)
        let role = requiresMaster ? try Self.send(RedisCommand("ROLE"), connection, within) : nil
        let ping = try Self.send(RedisCommand("PING"), connection, within)

        if let authentication { try Self.require(try await authentication.wait()) }
        if let selection { try Self.require(try await selection.wait()) }
        var findings = Findings()
        findings.scriptsRefusal = Self.refusal(of: try await scripting.wait())
        if let role { try Self.requireMaster(try await role.wait()) }
        try Self.require(try await ping.wait())
        return findings
    }

    static func authentication(_ credentials: RedisSettings.Credentials) -> RedisCommand {
        var command = RedisCommand("AUTH")
        if let username = credentials.username { command.append(username) }
        credentials.password.withExposed { command.append($0) }
        return command
    }

    private static func send(
        _ command: RedisCommand, _ connection: RedisConnection, _ within: Duration
    ) throws(RedisUnavailable) -> RedisCall {
        let call = RedisCall()
        try connection.send(command, call, within: within, isCounted: false)
        return call
    }

    static func require(_ reply: RedisReply) throws(RedisUnavailable) {
        if let error = reply.error { throw RedisUnavailable(.refused(error)) }
    }

    /// A server that is full, busy or not ready says nothing about scripts.
    private static func refusal(of reply: RedisReply) -> String? {
        switch reply.errorKind {
        case nil, "OOM", "BUSY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "READONLY", "NOAUTH", "MISCONF", "NOREPLICAS": nil
        default: reply.error
        }
    }

    /// A server that may not be asked for its role is believed.
    private static func requireMaster(_ reply: RedisReply) throws(RedisUnavailable) {
        if let role = reply.array?.first?.text, role != "master" {
            throw RedisUnavailable(.refused("it is a \(role), not the master"))
        }
    }
}
