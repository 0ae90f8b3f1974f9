import Foundation
import SluiceCore
import SluiceTLS
import Synchronization
import Testing

@testable import SluiceStorage

/// Rows that others read and write while they are moved.
private final class FakeStore: Resealable {
    let sealedStoreName = "fake"
    let rows: Mutex<[String]>
    let batches = Atomic(0)
    let failures: Mutex<Int>

    init(_ rows: [String], failures: Int = 0) {
        self.rows = Mutex(rows)
        self.failures = Mutex(failures)
    }

    struct Locked: Error, CustomStringConvertible { let description = "database is locked" }

    func reseal(after cursor: String?, count: Int, with vault: SecretVault) throws -> ResealedBatch {
        batches.add(1, ordering: .relaxed)
        let fails = failures.withLock { left in
            left -= 1
            return left >= 0
        }
        if fails { throw Locked() }
        let start = cursor.flatMap(Int.init) ?? 0
        let slice = rows.withLock { Array($0[start..<min($0.count, start + count)]) }
        var batch = ResealedBatch()
        for (offset, text) in slice.enumerated() {
            batch.take(sealedBy: SecretVault.keyID(ofText: text), with: vault) { () throws(SecretError) in
                guard let fresh = try vault.resealed(text, purpose: "row") else { return }
                rows.withLock { rows in if rows[start + offset] == text { rows[start + offset] = fresh } }
            }
        }
        let end = start + slice.count
        batch.cursor = end < rows.withLock { $0.count } ? "\(end)" : nil
        return batch
    }
}

@Suite struct `Moving what is stored to another key` {
    private static func keys(_ seeds: UInt64...) -> MasterKeys {
        MasterKeys(
            seeds.map { seed in
                var random = SplitMix64(seed)
                var bytes: [UInt8] = []
                for _ in 0..<32 { bytes.append(UInt8(truncatingIfNeeded: random.next())) }
                return Secret(bytes.span)
            })
    }

    private static func wait(_ what: String, _ condition: () -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while !condition() {
            if .now > deadline { throw TimedOut(what: what) }
            usleep(1000)
        }
    }

    struct TimedOut: Error { let what: String }

    @Test func `goes on while others read and write, and loses nothing`() throws {
        let vault = SecretVault(Self.keys(1))
        let store = FakeStore(try (0..<2000).map { try vault.seal(Secret("\($0)"), purpose: "row") })
        let rotation = SecretRotation(vault)
        rotation.add(store)
        let isOver = Atomic(false)
        let wrong = Atomic(0)
        let done = DispatchGroup()
        for worker in 0..<2 {
            DispatchQueue.global().async(group: done) {
                var random = SplitMix64(UInt64(worker))
                while !isOver.load(ordering: .relaxed) {
                    let index = Int(random.next() % 2000)
                    let text = store.rows.withLock { $0[index] }
                    if (try? vault.open(text, purpose: "row"))?.exposedText != "\(index)" { wrong.add(1, ordering: .relaxed) }
                    if worker != 1 { continue }
                    // As in a transaction: what is sealed with the old key is there before the rotation looks.
                    store.rows.withLock { rows in
                        if let fresh = try? vault.seal(Secret("\(index)"), purpose: "row") { rows[index] = fresh }
                    }
                }
            }
        }
        vault.adopt(Self.keys(2, 1))
        rotation.start(perSecond: 20_000)
        try Self.wait("the end of the rotation") { !rotation.report.isRunning }
        isOver.store(true, ordering: .relaxed)
        done.wait()
        #expect(wrong.load(ordering: .relaxed) == 0)
        let current = vault.currentKeyID
        #expect(store.rows.withLock { $0 }.allSatisfy { SecretVault.keyID(ofText: $0) == current })
        let report = rotation.report
        #expect(report.key == current && report.stores[0].state == .done && report.stores[0].lookedAt == 2000)
        let old = try #require(Self.keys(1).currentID)
        #expect(report.stores[0].unreadable == 0 && report.isUnused(old))
        // Without the old key everything is still there.
        vault.adopt(Self.keys(2))
        for (index, text) in store.rows.withLock({ $0 }).enumerated() {
            #expect(try vault.open(text, purpose: "row").exposedText == "\(index)")
        }
    }

    @Test func `begun again it moves nothing twice`() throws {
        let vault = SecretVault(Self.keys(1))
        let store = FakeStore(try (0..<300).map { try vault.seal(Secret("\($0)"), purpose: "row") })
        vault.adopt(Self.keys(2, 1))
        let first = SecretRotation(vault)
        first.add(store)
        first.start(perSecond: 1_000_000)
        try Self.wait("the first pass") { !first.report.isRunning }
        let rows = store.rows.withLock { $0 }
        let second = SecretRotation(vault)
        second.add(store)
        second.start(perSecond: 1_000_000)
        try Self.wait("the second pass") { !second.report.isRunning }
        #expect(first.report.stores[0].moved == 300 && second.report.stores[0].moved == 0)
        #expect(store.rows.withLock { $0 } == rows)
    }

    @Test func `a value whose key is gone stays, is counted, and keeps every old key from being dropped`() throws {
        let lost = try SecretVault(Self.keys(9)).seal(Secret("lost"), purpose: "row")
        let vault = SecretVault(Self.keys(2, 1))
        let store = FakeStore([lost, "not sealed"])
        let rotation = SecretRotation(vault)
        rotation.add(store)
        let events = Mutex<[String]>([])
        rotation.onEvent { event in events.withLock { $0.append("\(event)") } }
        rotation.start(perSecond: 1_000_000)
        try Self.wait("the pass") { !rotation.report.isRunning }
        #expect(store.rows.withLock { $0 } == [lost, "not sealed"])
        #expect(rotation.report.stores[0].unreadable == 2)
        let old = try #require(Self.keys(1).currentID)
        #expect(!rotation.report.isUnused(old))
        #expect(events.withLock { $0 }.first?.contains("unreadable: 2") == true)
    }

    @Test func `a store that is busy for a moment is tried again`() throws {
        let vault = SecretVault(Self.keys(1))
        let store = FakeStore([try vault.seal(Secret("x"), purpose: "row")], failures: 1)
        vault.adopt(Self.keys(2, 1))
        let rotation = SecretRotation(vault)
        rotation.add(store)
        rotation.start(perSecond: 1_000_000)
        try Self.wait("the pass") { !rotation.report.isRunning }
        #expect(rotation.report.stores[0].state == .done && rotation.report.stores[0].moved == 1)
    }

    @Test func `is throttled`() throws {
        let vault = SecretVault(Self.keys(1))
        let store = FakeStore(try (0..<500).map { try vault.seal(Secret("\($0)"), purpose: "row") })
        let rotation = SecretRotation(vault)
        rotation.add(store)
        let begin = ContinuousClock.now
        rotation.start(perSecond: 1000)
        try Self.wait("the pass") { !rotation.report.isRunning }
        #expect(ContinuousClock.now - begin >= .milliseconds(400))
    }
}
