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
        let said = try say(on: connection, within: max(.milliseconds(1), deadline - now))
        do throws(RedisUnavailable) {
            return try await hear(said)
        } catch {
            // One that does not want us says so in place of its first reply, and goes.
            if error.reason == .notConnected, let first = said.naming.reply?.error {
                throw RedisUnavailable(.refused(first))
            }
            throw error
        }
    }

    private struct Said {
        var authentication: RedisCall?
        var selection: RedisCall?
        let naming: RedisCall
        let scripting: RedisCall
        var role: RedisCall?
        let ping: RedisCall
    }

    /// Everything in one go: one round trip.
    private func say(on connection: RedisConnection, within: Duration) throws(RedisUnavailable) -> Said {
        var authentication: RedisCall?
        if let credentials = settings.credentials {
            authentication = try Self.send(Self.authentication(credentials), connection, within)
        }
        // An operator finds our connections by their name; a server that does not allow naming them is none the worse.
        let naming = try Self.send(Self.command("CLIENT", "SETNAME", "sluice"), connection, within)
        var selection: RedisCall?
        if settings.database != 0 {
            var command = RedisCommand("SELECT")
            command.append(settings.database)
            selection = try Self.send(command, connection, within)
        }
        return Said(
            authentication: authentication, selection: selection, naming: naming,
            scripting: try Self.send(Self.command("EVAL", "return 1", "0"), connection, within),
            role: requiresMaster ? try Self.send(RedisCommand("ROLE"), connection, within) : nil,
            ping: try Self.send(RedisCommand("PING"), connection, within))
    }

    private func hear(_ said: Said) async throws(RedisUnavailable) -> Findings {
        if let authentication = said.authentication { try Self.requireAccess(try await authentication.wait()) }
        if let selection = said.selection { try Self.require(try await selection.wait()) }
        var findings = Findings()
        findings.scriptsRefusal = Self.refusal(of: try await said.scripting.wait())
        if let role = said.role { try Self.requireMaster(try await role.wait()) }
        try Self.require(try await said.ping.wait())
        return findings
    }

    private static func command(_ name: StaticString, _ arguments: StaticString...) -> RedisCommand {
        var command = RedisCommand(name)
        for argument in arguments { command.append(argument) }
        return command
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

    /// What does not know the command repeats it, and the password with it: only what is known to say nothing of it is told whole.
    static func requireAccess(_ reply: RedisReply) throws(RedisUnavailable) {
        guard let error = reply.error, let kind = reply.errorKind else { return }
        let isHarmless = ["WRONGPASS ", "NOPERM ", "ERR Client sent AUTH", "ERR AUTH ", "ERR invalid password"].contains {
            error.hasPrefix($0)
        }
        throw RedisUnavailable(.refused(isHarmless ? error : "AUTH was refused: \(kind.prefix(32))"))
    }

    /// A server that is full, busy or not ready says nothing about scripts.
    private static func refusal(of reply: RedisReply) -> String? {
        switch reply.errorKind {
        case nil, "OOM", "BUSY", "LOADING", "MASTERDOWN", "CLUSTERDOWN", "READONLY", "NOAUTH", "MISCONF", "NOREPLICAS":
            nil
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
