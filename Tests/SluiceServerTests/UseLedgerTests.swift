import Foundation
import SluiceConfig
import SluiceCore
import SluiceNet
import SluicePipeline
import SluicePolicy
import SluiceStorage
import Testing

@testable import SluicePolicy
@testable import SluiceServer

/// When keys were used, and what targets have done: it is kept through a restart.
@Suite struct `What was used` {
    @Test func `goes to the disk again after a write that failed`() throws {
        let directory = NSTemporaryDirectory() + "sluice-uses-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let environment = ConfigEnvironment.fixed()
        let text = "{providers: {p: {base_url: 'http://127.0.0.1:1/v1'}}, models: {m: {provider: 'p'}}}"
        let configuration = try ServerConfiguration.load(text: Array(text.utf8), environment: environment).value
        let generation = try SnapshotBuilder.build(configuration, revision: 1, environment: environment)
        let shared = Shared(
            status: GatewayStatus(version: "test"), connectionsMax: 1, log: LogQueue(level: .error, wake: {}),
            generation: generation, seed: 1)
        let store = try ControlStore(directory: directory, seal: nil)
        let ledger = UseLedger(store, Clerk("uses"), shared, on: try EventLoop())

        let target = try #require(generation.snapshot.routes.routes["m"]?.targets.first).state
        target.load.begin()
        target.load.end(latency: .milliseconds(3), .success, isStream: false, at: EventLoop.readClock())
        try store.database.execute("ALTER TABLE target_totals RENAME TO elsewhere")
        ledger.finish()
        try store.database.execute("ALTER TABLE elsewhere RENAME TO target_totals")
        #expect(try store.targetTotals().isEmpty)
        ledger.finish()
        #expect(try store.targetTotals() == [target.id: target.load.totals])
        // What is on the disk does not go there again.
        try store.database.execute("DELETE FROM target_totals")
        ledger.finish()
        #expect(try store.targetTotals().isEmpty)
    }
}
