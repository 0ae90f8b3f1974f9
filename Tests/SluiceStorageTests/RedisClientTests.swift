import NetTestSupport
import SluiceCore
import SluiceNet
import SluiceTLS
import TestSupport
import Testing

@testable import SluiceStorage

@Suite struct `A Redis server that works` {
    @Test func `commands are answered, errors are answers`() async throws {
        let server = try RedisProcess()
        try await RedisTest.run(RedisSettings(server)) { redis async throws in
            #expect(try await redis.set("k", "v") == .status("OK"))
            #expect(try await redis.get("k") == .bytes([UInt8(ascii: "v")]))
            #expect(try await redis.get("nothing") == .null)
            let wrong = try await redis.call(RedisCommand("LPOP", key: "k"))
            #expect(wrong.errorKind == "WRONGTYPE")
            #expect(redis.client.isAvailable)
            #expect(redis.heard.events.isEmpty)
            let node = try #require(redis.health.nodes.first)
            #expect(node.calls == 4)
            #expect(node.errors == 1)
            #expect(node.latencyCounts.reduce(0, +) == 4)
            #expect(redis.health.overall == .up)
        }
    }

    @Test func `a thousand commands at once get their own replies`() async throws {
        let server = try RedisProcess()
        try await RedisTest.run(RedisSettings(server)) { redis async throws in
            var left = 1000
            for number in 0..<1000 {
                redis.test.loop.spawn {
                    var command = RedisCommand("ECHO")
                    command.append(number)
                    let reply = try? await redis.call(command)
                    #expect(reply?.text == "\(number)")
                    left -= 1
                }
            }
            #expect(await eventually { left == 0 })
        }
    }

    @Test func `a value of several megabytes comes back as it was`() async throws {
        let server = try RedisProcess()
        try await RedisTest.run(RedisSettings(server)) { redis async throws in
            var random = SplitMix64(1)
            let value = (0..<3_000_000).map { _ in UInt8.random(in: 0...255, using: &random) }
            var command = RedisCommand("SET", key: "big")
            command.append(value.span)
            #expect(try await redis.call(command, within: .seconds(10)) == .status("OK"))
            #expect(try await redis.get("big", within: .seconds(10)) == .bytes(value))
        }
    }

    @Test func `what is posted arrives, and nobody waits`() async throws {
        let server = try RedisProcess()
        try await RedisTest.run(RedisSettings(server)) { redis async throws in
            for _ in 0..<10 { redis.client.post(RedisCommand("INCR", key: "n")) }
            #expect(try await redis.get("n") == .bytes(Array("10".utf8)))
        }
    }

    @Test func `a script is sent by its hash, and whole to a server that has forgotten it`() async throws {
        let server = try RedisProcess()
        try await RedisTest.run(RedisSettings(server)) { redis async throws in
            let script = RedisScript("return redis.call('INCRBY', KEYS[1], ARGV[1])")
            #expect(try await redis.run(script, key: "n", ["2"]) == .integer(2))
            #expect(try await redis.run(script, key: "n", ["2"]) == .integer(4))
            _ = try await off { server.ask("SCRIPT FLUSH SYNC") }
            #expect(try await redis.run(script, key: "n", ["2"]) == .integer(6))
            #expect(redis.health.nodes.first?.errors == 0)
        }
    }

    @Test func `a password, a user and a database number are used`() async throws {
        let server = try RedisProcess(password: "s3cret")
        server.ask("ACL SETUSER app on >p4ss ~* +@all")
        var settings = RedisSettings(server)
        settings.database = 3
        for (username, password) in [(nil, "s3cret"), ("app", "p4ss")] {
            settings.credentials = RedisSettings.Credentials(username: username, password: Secret(password))
            try await RedisTest.run(settings) { redis async throws in
                #expect(try await redis.set("k", "v") == .status("OK"))
            }
        }
        #expect(server.ask("INFO keyspace").contains("db3:keys=1"))
    }

    @Test func `a wrong password is told, once`() async throws {
        let server = try RedisProcess(password: "s3cret")
        var settings = RedisSettings(server)
        settings.credentials = RedisSettings.Credentials(password: Secret("wrong"))
        try await RedisTest.run(settings, waits: false) { redis async throws in
            #expect(await eventually { redis.heard.words == ["unavailable"] })
            #expect(redis.health.nodes.first?.lastError.hasPrefix("WRONGPASS") == true)
            #expect(redis.health.overall == .down)
            try await Task.sleep(for: .milliseconds(300))
            #expect(redis.heard.words == ["unavailable"])
            await #expect(throws: RedisUnavailable(.notConnected)) { try await redis.get("k") }
        }
    }

    @Test func `where scripts are forbidden, that is told and seen`() async throws {
        let server = try RedisProcess(password: "s3cret")
        server.ask("ACL SETUSER app on >p4ss ~* +@all -@scripting")
        var settings = RedisSettings(server)
        settings.credentials = RedisSettings.Credentials(username: "app", password: Secret("p4ss"))
        try await RedisTest.run(settings) { redis async throws in
            #expect(!redis.client.supportsScripts)
            #expect(redis.heard.words == ["scripts refused"])
            await #expect(throws: RedisUnavailable.self) {
                try await redis.run(RedisScript("return 1"), key: "k", [])
            }
            #expect(try await redis.set("k", "v") == .status("OK"))
        }
    }

    @Test func `TLS is spoken, with a certificate of our own`() async throws {
        let identity = TestIdentity.shared
        let port = FreePort.next()
        let server = try RedisProcess([
            "--tls-port", "\(port)", "--tls-cert-file", identity.certificate, "--tls-key-file", identity.key,
            "--tls-ca-cert-file", identity.authority, "--tls-auth-clients", "yes",
        ])
        var tls = UpstreamTLSConfiguration()
        tls.authoritiesFile = identity.authority
        tls.identity = TLSIdentityFiles(certificateFile: identity.certificate, privateKeyFile: identity.key)
        tls.applicationProtocols = []
        var settings = RedisSettings(server)
        settings.topology = .single(.host("localhost", port))
        settings.tls = RedisSettings.TLS(context: try TLSContext(upstream: tls))
        try await RedisTest.run(settings) { redis async throws in
            #expect(try await redis.set("k", "v") == .status("OK"))
            let value = String(repeating: "v", count: 200_000)
            #expect(try await redis.set("long", value) == .status("OK"))
            #expect(try await redis.get("long").text == value)
        }
        // Without a certificate we are turned away, and say why.
        tls.identity = nil
        settings.tls = RedisSettings.TLS(context: try TLSContext(upstream: tls))
        try await RedisTest.run(settings, waits: false) { redis async throws in
            #expect(await eventually { redis.heard.words == ["unavailable"] })
        }
    }

    @Test func `a unix socket will do`() async throws {
        let server = try RedisProcess()
        let path = server.directory + "/redis.sock"
        let other = try RedisProcess(["--unixsocket", path])
        var settings = RedisSettings(server)
        settings.topology = .single(.unix(path))
        try await RedisTest.run(settings) { redis async throws in
            #expect(try await redis.set("k", "v") == .status("OK"))
        }
        #expect(other.ask("GET k").contains("v"))
    }

    @Test func `messages of a channel arrive, also after the server was gone`() async throws {
        let server = try RedisProcess()
        try await RedisTest.run(RedisSettings(server)) { redis async throws in
            var messages: [String] = []
            redis.client.subscribe("news") { messages.append(String(decoding: $0, as: UTF8.self)) }
            redis.client.subscribe("other") { messages.append("other " + String(decoding: $0, as: UTF8.self)) }
            try await Self.publish(server, "PUBLISH news one", until: { messages.contains("one") })
            try await Self.publish(server, "PUBLISH other two", until: { messages.contains("other two") })
            try await off {
                server.kill()
                try server.start()
            }
            try await Self.publish(server, "PUBLISH news three", until: { messages.contains("three") })
        }
    }

    private static func publish(_ server: RedisProcess, _ command: String, until arrived: () -> Bool) async throws {
        for _ in 0..<500 where !arrived() {
            _ = try await off { server.ask(command) }
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(arrived(), "\(command)")
    }

    @Test func `what was asked before the client was closed is answered`() async throws {
        let server = try RedisProcess()
        try await RedisTest.run(RedisSettings(server)) { redis async throws in
            var reply: RedisReply?
            redis.test.loop.spawn { reply = try? await redis.call(RedisCommand("PING")) }
            await redis.test.settle()
            redis.client.close()
            #expect(await eventually { reply == .status("PONG") })
            await #expect(throws: RedisUnavailable(.notConnected)) { try await redis.get("k") }
            #expect(await eventually { redis.health.overall == .off })
        }
    }
}
