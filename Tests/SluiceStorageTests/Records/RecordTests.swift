import Foundation
import SluiceCore
import SluiceTLS
import TestSupport
import Testing

@testable import SluiceStorage

/// A store, what it is told and how it is read.
final class RecordTest {
    let scratch: ScratchDirectory
    let vault: SecretVault
    let store: RecordStore
    var settings: RecordStoreSettings

    init(_ vault: SecretVault = SecretVault(), _ change: (inout RecordStoreSettings) -> Void = { _ in }) throws {
        scratch = try ScratchDirectory()
        self.vault = vault
        store = RecordStore(vault: vault)
        settings = RecordStoreSettings(directory: scratch.path)
        settings.commitInterval = .milliseconds(20)
        change(&settings)
    }

    deinit { store.finish() }

    func open() { store.adopt(settings) }

    static func record(_ number: Int, _ change: (inout InvocationRecord) -> Void = { _ in }) -> InvocationRecord {
        var record = InvocationRecord()
        record.requestID = "req_\(number)"
        record.userID = "user \(number % 10)"
        record.principalID = "key:\(number % 3)"
        record.team = number % 2 == 0 ? "red" : "blue"
        record.modelID = "model \(number % 5)"
        record.upstreamModel = "upstream \(number % 5)"
        record.provider = "provider \(number % 4)"
        record.route = "/v1/chat/completions"
        record.httpStatus = 200
        record.startTime = 1_800_000_000_000 + number * 10
        record.endTime = record.startTime + 5
        record.durationMicros = 5000
        record.inputTokens = 10
        record.outputTokens = 20
        record.totalTokens = 30
        record.costMicros = 7
        record.usageSource = .provider
        var attempt = InvocationRecord.Attempt()
        attempt.provider = record.provider
        attempt.model = record.upstreamModel
        attempt.status = 200
        record.attempts = [attempt]
        change(&record)
        return record
    }

    func append(_ record: InvocationRecord, _ content: RecordedContent = RecordedContent()) {
        let buffer = ByteBuffer()
        RecordCoding.append(record, content, to: buffer)
        store.append(buffer.span, at: Instant(nanoseconds: 0))
    }

    /// Writes so many, and waits until they are on the disk.
    func write(_ numbers: Range<Int>, _ change: (Int, inout InvocationRecord) -> Void = { _, _ in }) throws {
        if !store.isOpen { open() }
        let before = store.snapshot.written
        for number in numbers { append(Self.record(number) { change(number, &$0) }) }
        try wait { store.snapshot.written == before + numbers.count }
    }

    func wait(_ condition: () -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while !condition() {
            if .now > deadline { throw Late(description: "\(store.snapshot)") }
            usleep(1000)
        }
    }

    struct Late: Error, CustomStringConvertible { let description: String }

    func history() throws -> RecordHistory { try RecordHistory(settings, vault: vault) }
}

extension RecordHistory {
    /// A page that is not cut, however little of the machine's time the test gets.
    func whole(_ filter: HistoryFilter = HistoryFilter(), count: Int) throws -> HistoryPage {
        try page(filter, count: count, within: .seconds(60))
    }
}

@Suite struct `A record in transit` {
    @Test func `comes out as it went in`() throws {
        var record = RecordTest.record(7) {
            $0.outcome = .truncated
            $0.errorMessage = "it's \u{0} over 汉"
            $0.isStream = true
            $0.costMicros = -1
        }
        record.attempts.append(record.attempts[0])
        var content = RecordedContent()
        content.request = ByteBuffer("a body")
        content.isResponseCut = true
        let buffer = ByteBuffer()
        RecordCoding.append(record, content, to: buffer)
        RecordCoding.append(RecordTest.record(8), RecordedContent(), to: buffer)
        let found = RecordCoding.byteCount(buffer.span)
        let count = try #require(found)
        let first = RecordCoding.decode(buffer.span.extracting(0..<count))
        let decoded = try #require(first)
        #expect(decoded.record == record)
        #expect(decoded.isResponseCut && !decoded.isRequestCut && decoded.response == nil)
        let range = try #require(decoded.request)
        let body = String(decoding: buffer.span.extracting(range))
        #expect(body == "a body")
        let second = RecordCoding.decode(buffer.span.extracting(count..<buffer.count))
        #expect(second?.record == RecordTest.record(8))
    }

    @Test func `whatever its bytes are, reading them ends`() {
        for seed in SplitMix64.seeds(2000) {
            var random = SplitMix64(seed)
            let buffer = ByteBuffer()
            RecordCoding.append(RecordTest.record(Int(seed)), RecordedContent(), to: buffer)
            var bytes = [UInt8]()
            for index in 0..<buffer.count { bytes.append(buffer[index]) }
            for _ in 0..<Int(random.next() % 6) + 1 {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            let cut = Int(random.next() % UInt64(bytes.count + 1))
            let part = [UInt8](bytes[..<cut])
            if let decoded = RecordCoding.decode(part.span) {
                for range in [decoded.parameters, decoded.request, decoded.response] {
                    #expect(range.map { $0.upperBound <= part.count } ?? true, "seed \(seed)")
                }
            }
            let byteCount = RecordCoding.byteCount(part.span) ?? 0
            #expect(byteCount <= part.count, "seed \(seed)")
        }
    }

    @Test func `its id is a UUID of version 7 that sorts by time`() throws {
        let early = RecordID(milliseconds: 1_700_000_000_000, random: (.max, .max))
        let late = RecordID(milliseconds: 1_700_000_000_001, random: (0, 0))
        #expect("\(early)" < "\(late)")
        #expect("\(early)".dropFirst(14).first == "7")
        #expect(RecordID("\(early)") == early)
        let bytes = early.bytes
        let again = RecordID(bytes: bytes.span)
        #expect(again == early)
        for text in ["", "x", "\(early)0", String("\(early)".dropLast()), "018f3f5e+7c5a-7b3e-9c5d-2f1e4a6b8c0d"] {
            #expect(RecordID(text) == nil)
        }
    }
}

@Suite struct `The store of records` {
    @Test func `keeps what it is given, in the order of its ids`() throws {
        let test = try RecordTest()
        try test.write(0..<100)
        let page = try test.history().whole(count: 200)
        #expect(page.entries.count == 100 && page.next == nil)
        #expect(page.entries.map { $0.record.requestID } == (0..<100).reversed().map { "req_\($0)" })
        var expected = RecordTest.record(99)
        expected.attempts = []
        #expect(page.entries.first?.record == expected)
        #expect(page.entries.first?.attempts.text.contains(#""result":"ok""#) == true)
        let ids = page.entries.map { "\($0.id)" }
        #expect(ids == ids.sorted(by: >))
        #expect(test.store.snapshot.commits >= 1)
    }

    @Test func `a clock that goes back does not change the order`() throws {
        let test = try RecordTest()
        try test.write(0..<20)
        try test.write(20..<40) { _, record in record.endTime -= 86_400_000 }
        try test.write(40..<60)
        let page = try test.history().whole(count: 100)
        #expect(page.entries.map { $0.record.requestID } == (0..<60).reversed().map { "req_\($0)" })
        // And after a restart it is still so.
        test.store.finish()
        let next = RecordStore(vault: test.vault)
        next.adopt(test.settings)
        let buffer = ByteBuffer()
        RecordCoding.append(RecordTest.record(0) { $0.requestID = "last"; $0.endTime = 1 }, RecordedContent(), to: buffer)
        next.append(buffer.span, at: Instant(nanoseconds: 0))
        try test.wait { next.snapshot.written == 1 }
        next.finish()
        #expect(try test.history().whole(count: 1).entries.first?.record.requestID == "last")
    }

    @Test func `what finds no room is dropped and counted`() throws {
        let test = try RecordTest { $0.queueMax = 100 }
        // Nothing writes yet.
        test.store.queue.limit(to: 100)
        for number in 0..<150 { test.append(RecordTest.record(number)) }
        #expect(test.store.snapshot.dropped == 50)
        #expect(test.store.snapshot.waiting == 100)
        test.open()
        try test.wait { test.store.snapshot.written == 100 }
    }

    @Test func `a full file stops recording loudly, and it goes on when there is room`() throws {
        let events = Heard()
        let test = try RecordTest {
            $0.fileByteCountMax = 400_000
            $0.queueMax = 1000
        }
        test.store.onEvent { events.add($0) }
        test.open()
        for number in 0..<1000 { test.append(RecordTest.record(number) { $0.errorMessage = String(repeating: "x", count: 900) }) }
        try test.wait { test.store.snapshot.stopped != nil }
        #expect(test.store.snapshot.stopped?.contains("full") == true)
        for number in 0..<1500 { test.append(RecordTest.record(number)) }
        #expect(test.store.snapshot.dropped > 0)
        // Somebody makes room.
        let other = try Database(test.settings.path)
        test.store.perform { try? $0?.database.limit(byteCount: 100 << 20) }
        try test.wait { test.store.snapshot.stopped == nil }
        // What the writer has taken does not wait any more, and is not written yet.
        try test.wait { test.store.snapshot.written + test.store.snapshot.dropped == 2500 }
        #expect(test.store.snapshot.written >= 1000)
        #expect(try other.integer("SELECT count(*) FROM invocations") == test.store.snapshot.written)
        #expect(events.words == ["opened", "stopped full", "resumed"])
    }

    @Test func `a later version's file is left alone, and nothing is recorded`() throws {
        let test = try RecordTest()
        do {
            let database = try Database(test.settings.path)
            try RecordSchema.migrations.apply(to: database)
            try database.execute("PRAGMA user_version = 99")
        }
        test.open()
        try test.wait { test.store.snapshot.stopped != nil }
        #expect(test.store.snapshot.stopped?.contains("later version") == true)
    }

    @Test func `old records go, and their sums stay`() throws {
        let test = try RecordTest { $0.retention = .seconds(86_400) }
        // Long ago by any clock.
        try test.write(0..<1200) { number, record in
            record.endTime = number < 1190 ? 1_000_000_000_000 : Int(Date.now.timeIntervalSince1970 * 1000)
        }
        try test.wait { test.store.snapshot.expired == 1190 }
        let database = try Database(test.settings.path)
        for table in ["invocations", "details"] {
            #expect(try database.integer("SELECT count(*) FROM \(table)") == 10)
        }
    }

    @Test func `the oldest records go when the file is too large`() throws {
        let test = try RecordTest { $0.byteCountMax = 300_000 }
        try test.write(0..<3000) { number, record in record.endTime = Int(Date.now.timeIntervalSince1970 * 1000) + number }
        try test.wait { test.store.snapshot.expired > 0 }
        let newest = try test.history().whole(count: 1).entries.first
        #expect(newest?.record.requestID == "req_2999")
    }

    @Test func `two processes may write one after the other`() throws {
        let test = try RecordTest()
        try test.write(0..<10)
        let successor = RecordStore(vault: test.vault)
        successor.adopt(test.settings)
        let buffer = ByteBuffer()
        RecordCoding.append(RecordTest.record(10), RecordedContent(), to: buffer)
        successor.append(buffer.span, at: Instant(nanoseconds: 0))
        try test.write(11..<12)
        try test.wait { successor.snapshot.written == 1 }
        successor.finish()
        #expect(try test.history().whole(count: 50).entries.count == 12)
    }

    final class Heard: @unchecked Sendable {
        private let lock = NSLock()
        private var heard: [String] = []
        var words: [String] { lock.withLock { heard } }

        func add(_ event: RecordStore.Event) {
            lock.withLock {
                switch event {
                case .opened: heard.append("opened")
                case .stopped(let error): heard.append("stopped \(error.kind.rawValue)")
                case .resumed: heard.append("resumed")
                case .lost: heard.append("lost")
                }
            }
        }
    }
}
