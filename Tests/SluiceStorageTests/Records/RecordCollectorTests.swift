import NetTestSupport
import SluiceCore
import SluiceNet
import SluiceTLS
import TestSupport
import Testing

@testable import SluiceStorage

@Suite struct `A collector of records` {
    private static func permit(_ rule: String, _ test: RedisTest) async throws {
        var command = RedisCommand("ACL")
        command.append("SETUSER")
        command.append("default")
        command.append(rule)
        #expect(try await test.call(command).error == nil)
    }

    /// How many entries of the stream were read and not acknowledged.
    private static func pending(_ test: RedisTest) async throws -> Int? {
        var command = RedisCommand("XPENDING", key: test.client.key("records"))
        command.append("sluice-collectors")
        return try await test.call(command).array?.first?.integer
    }

    @Test func `tries again what Redis does not let it acknowledge, a round later each time, and once it does all is done`()
        async throws
    {
        let process = try RedisProcess()
        defer { process.remove() }
        try await RedisTest.run(RedisSettings(process)) { test in
            try await Self.permit("-xack", test)
            let store = RecordStore(vault: SecretVault())
            var settings = RecordStreamSettings()
            settings.claimAfter = .seconds(3600)
            let collector = RecordCollector(store, test.client, settings, consumer: "one", on: test.test.loop)
            defer { collector.close() }
            var command = RedisCommand("XADD", key: test.client.key("records"))
            for word in ["*", "record", "no record"] { command.append(word) }
            #expect(try await test.call(command).error == nil)
            let began = EventLoop.readClock()
            try #require(await eventually { store.snapshot.unreadable >= 4 }, "\(store.snapshot.unreadable)")
            #expect(EventLoop.readClock() - began > .milliseconds(500), "there is a pause between rounds")
            #expect(try await Self.pending(test) == 1)
            try await Self.permit("+xack", test)
            let deadline = EventLoop.readClock() + .seconds(15)
            while try await Self.pending(test) != 0 { try #require(EventLoop.readClock() < deadline) }
        }
    }
}
