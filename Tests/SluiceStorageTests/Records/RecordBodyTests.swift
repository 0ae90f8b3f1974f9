import Foundation
import SluiceCore
import SluiceTLS
import TestSupport
import Testing

@testable import SluiceStorage

/// What was said, sealed, and moved to another key.
@Suite struct `Stored bodies` {
    private static func keys(_ seeds: UInt64...) -> MasterKeys {
        MasterKeys(
            seeds.map { seed in
                var random = SplitMix64(seed)
                var bytes: [UInt8] = []
                for _ in 0..<32 { bytes.append(UInt8(truncatingIfNeeded: random.next())) }
                return Secret(bytes.span)
            })
    }

    private func write(_ test: RecordTest, _ numbers: Range<Int>) throws {
        if !test.store.isOpen { test.open() }
        let before = test.store.snapshot.written
        for number in numbers {
            var content = RecordedContent()
            content.request = ByteBuffer("asked \(number)")
            // Some have no answer.
            if number % 5 != 0 { content.response = ByteBuffer("answered \(number)") }
            test.append(RecordTest.record(number), content)
        }
        try test.wait { test.store.snapshot.written == before + numbers.count }
    }

    /// What was said, by the numbers of requests; `nil` if it does not open.
    private func said(_ test: RecordTest, _ vault: SecretVault) throws -> [Int: String?] {
        let history = try RecordHistory(test.settings, vault: vault)
        var said: [Int: String?] = [:]
        for entry in try history.whole(count: 1000).entries {
            let bodies = try history.bodies(entry)
            let number = Int(entry.record.requestID.dropFirst(4)) ?? -1
            said[number] = bodies?.isSealed == true ? .some(nil) : bodies?.request?.text
        }
        return said
    }

    private func resealAll(_ test: RecordTest, count: Int = 7) throws -> ResealedBatch {
        var sum = ResealedBatch()
        var cursor: String?
        repeat {
            let batch = try test.store.reseal(after: cursor, count: count, with: test.vault)
            sum.lookedAt += batch.lookedAt
            sum.moved += batch.moved
            sum.unreadable += batch.unreadable
            sum.keys.merge(batch.keys, uniquingKeysWith: +)
            cursor = batch.cursor
        } while cursor != nil
        return sum
    }

    @Test func `are on the disk sealed, and open in their own place alone`() throws {
        let test = try RecordTest(SecretVault(Self.keys(1)))
        try write(test, 0..<20)
        #expect(try said(test, test.vault) == Dictionary(uniqueKeysWithValues: (0..<20).map { ($0, "asked \($0)") }))
        for name in try FileManager.default.contentsOfDirectory(atPath: test.scratch.path) {
            let data = try #require(FileManager.default.contents(atPath: test.scratch.path + "/" + name))
            #expect(data.range(of: Data("asked".utf8)) == nil, "\(name)")
        }
        // Moved to another record's row, a body stays shut.
        let database = try Database(test.settings.path)
        try database.execute(
            """
            UPDATE bodies SET request = (SELECT request FROM bodies ORDER BY key LIMIT 1)
            WHERE key = (SELECT max(key) FROM bodies)
            """)
        let said = try said(test, test.vault)
        #expect(said[19] == .some(nil) && said[0] == "asked 0")
        #expect(try self.said(test, SecretVault(Self.keys(2))).values.allSatisfy { $0 == nil })
    }

    @Test func `are moved to the current key, and the old one opens nothing any more`() throws {
        let test = try RecordTest(SecretVault(Self.keys(1)))
        try write(test, 0..<40)
        let old = try #require(test.vault.currentKeyID)
        test.vault.adopt(Self.keys(2, 1))
        try write(test, 40..<50)
        let current = try #require(test.vault.currentKeyID)
        let sum = try resealAll(test)
        // 40 requests, and 32 answers; of the ten later ones 10 and 8.
        #expect(sum.moved == 72 && sum.lookedAt == 90 && sum.unreadable == 0)
        #expect(sum.keys == [current: 90] && sum.keys[old] == nil)
        #expect(try resealAll(test).moved == 0)
        let all = Dictionary(uniqueKeysWithValues: (0..<50).map { ($0, Optional("asked \($0)")) })
        #expect(try said(test, SecretVault(Self.keys(2))) == all)
        #expect(try said(test, SecretVault(Self.keys(1))).values.allSatisfy { $0 == nil })
    }

    @Test func `whose key is lost are counted, and left as they are`() throws {
        let test = try RecordTest(SecretVault(Self.keys(1)))
        try write(test, 1..<4)
        test.vault.adopt(Self.keys(3))
        let sum = try resealAll(test)
        #expect(sum.unreadable == 6 && sum.moved == 0)
        #expect(try said(test, SecretVault(Self.keys(1)))[2] == "asked 2")
    }

    /// What a transaction has sealed with the old key when the keys change has to be moved too.
    @Test func `that are being written when the key changes are waited for`() throws {
        let test = try RecordTest(SecretVault(Self.keys(1)))
        try write(test, 0..<3)
        let other = try Database(test.settings.path)
        try other.execute("BEGIN IMMEDIATE")
        test.vault.adopt(Self.keys(2, 1))
        let isOver = Mutexed(false)
        let pass = Background {
            let sum = try resealAll(test)
            #expect(isOver.value)
            return sum.moved
        }
        usleep(100_000)
        isOver.value = true
        try other.execute("COMMIT")
        #expect(try pass.value() == 5)
    }

    @Test func `go with their records, and not before a stream has these`() throws {
        let test = try RecordTest {
            $0.retention = .seconds(86_400)
            $0.isShipped = true
            $0.allowsPlainBodies = true
        }
        try write(test, 0..<30)
        let database = try Database(test.settings.path)
        try database.execute("UPDATE invocations SET key = key - \(RecordKey.first(ofMilliseconds: 900_000_000_000))")
        try database.execute("UPDATE details SET key = key - \(RecordKey.first(ofMilliseconds: 900_000_000_000))")
        try database.execute("UPDATE bodies SET key = key - \(RecordKey.first(ofMilliseconds: 900_000_000_000))")
        usleep(1_500_000)
        #expect(test.store.snapshot.expired == 0)
        let half = try database.integer("SELECT key FROM invocations ORDER BY key LIMIT 1 OFFSET 14")
        try database.execute("INSERT INTO marks VALUES ('shipped', \(half))")
        try test.wait { test.store.snapshot.expired == 15 }
        #expect(test.store.snapshot.expiredUnshipped == 0)
        #expect(try database.integer("SELECT count(*) FROM bodies") == 15)
        // There is no room for the rest: it goes, and is counted.
        test.settings.byteCountMax = 1
        test.open()
        try test.wait { test.store.snapshot.expired == 30 }
        #expect(test.store.snapshot.expiredUnshipped == 15)
        #expect(try database.integer("SELECT count(*) FROM bodies") == 0)
    }
}

/// A value that two threads of a test share.
private final class Mutexed: @unchecked Sendable {
    private let lock = NSLock()
    private var inner: Bool
    init(_ value: Bool) { inner = value }
    var value: Bool {
        get { lock.withLock { inner } }
        set { lock.withLock { inner = newValue } }
    }
}

/// Work on a thread of its own.
private final class Background<Value: Sendable>: @unchecked Sendable {
    private let done = DispatchSemaphore(value: 0)
    private var outcome: Result<Value, any Error>?

    init(_ work: @escaping () throws -> Value) {
        nonisolated(unsafe) let work = work
        Thread.detachNewThread { [self] in
            outcome = Result { unsafe try work() }
            done.signal()
        }
    }

    func value() throws -> Value {
        done.wait()
        return try outcome!.get()
    }
}
