import SluiceCore
import SluiceJSON
import SluiceTLS
import Synchronization
import TestSupport
import Testing

@testable import SluiceStorage

@Suite struct `The history of records` {
    private let test: RecordTest

    init() throws {
        test = try RecordTest()
        try test.write(0..<300) { number, record in
            if number % 7 == 0 {
                record.outcome = .providerError
                record.httpStatus = 502
                record.errorMessage = "Upstream \(number) is gone"
            }
        }
    }

    /// What a filter means, record by record.
    private func isMeant(_ number: Int, _ filter: HistoryFilter) -> Bool {
        let record = RecordTest.record(number)
        let isError = number % 7 == 0
        if let user = filter.user, user != record.userID { return false }
        if let principal = filter.principal, principal != record.principalID { return false }
        if let team = filter.team, team != record.team { return false }
        if let model = filter.model, model != record.modelID { return false }
        if let provider = filter.provider, provider != record.provider { return false }
        if let outcome = filter.outcome, outcome != (isError ? .providerError : .complete) { return false }
        if filter.isFailure, !isError { return false }
        if let status = filter.httpStatus, status != (isError ? 502 : 200) { return false }
        if let id = filter.requestID, id != record.requestID { return false }
        if let from = filter.from, record.endTime < from { return false }
        if let until = filter.until, record.endTime >= until { return false }
        return true
    }

    @Test func `any filter, in pages of any size, finds what it means and nothing else`() throws {
        let history = try test.history()
        for seed in SplitMix64.seeds(150) {
            var random = SplitMix64(seed)
            func pick(_ most: UInt64) -> Int { Int(random.next() % most) }
            var filter = HistoryFilter()
            if pick(3) == 0 { filter.user = "user \(pick(11))" }
            if pick(4) == 0 { filter.principal = "key:\(pick(4))" }
            if pick(4) == 0 { filter.team = pick(2) == 0 ? "red" : "blue" }
            if pick(3) == 0 { filter.model = "model \(pick(6))" }
            if pick(3) == 0 { filter.provider = "provider \(pick(5))" }
            if pick(4) == 0 { filter.outcome = pick(2) == 0 ? .providerError : .complete }
            if pick(6) == 0 { filter.isFailure = true }
            if pick(5) == 0 { filter.httpStatus = pick(2) == 0 ? 200 : 502 }
            if pick(8) == 0 { filter.requestID = "req_\(pick(310))" }
            if pick(4) == 0 { filter.from = RecordTest.record(pick(300)).endTime }
            if pick(4) == 0 { filter.until = RecordTest.record(pick(300)).endTime }
            let expected = (0..<300).reversed().filter { isMeant($0, filter) }.map { "req_\($0)" }
            var found: [String] = []
            var cursor: HistoryCursor?
            let size = pick(40) + 1
            repeat {
                let page = try history.page(filter, after: cursor, count: size)
                found += page.entries.map { $0.record.requestID }
                cursor = try page.next.map { try #require(HistoryCursor($0.text(for: filter), for: filter)) }
            } while cursor != nil
            #expect(found == expected, "seed \(seed): \(filter)")
        }
    }

    @Test func `a text is found in messages, whatever its case`() throws {
        let history = try test.history()
        var filter = HistoryFilter()
        filter.text = "upstream 70 IS"
        #expect(try history.whole(filter, count: 10).entries.map { $0.record.requestID } == ["req_70"])
        filter.text = "%"
        #expect(try history.whole(filter, count: 10).entries.isEmpty)
    }

    @Test func `a page that takes too long ends early, and goes on from there`() throws {
        let history = try test.history()
        var filter = HistoryFilter()
        filter.text = "upstream 7 is"
        var cursor: HistoryCursor?
        var found: [String] = []
        var pages = 0
        repeat {
            let page = try history.page(filter, after: cursor, count: 10, within: .zero)
            found += page.entries.map { $0.record.requestID }
            cursor = page.next
            pages += 1
        } while cursor != nil && pages < 1000
        #expect(found == ["req_7"])
        #expect(pages > 10)
    }

    @Test(arguments: [
        "'", "' OR '1'='1", "\"; DROP TABLE invocations; --", "1) UNION SELECT name FROM sqlite_schema --", "%", "_",
        "\u{0}", "user 1' --", "?1", ":a", "\\", "汉'字",
    ])
    func `hostile words are values, and nothing else`(word: String) throws {
        let history = try test.history()
        let changes: [(inout HistoryFilter) -> Void] = [
            { $0.user = word }, { $0.principal = word }, { $0.team = word }, { $0.model = word }, { $0.provider = word },
            { $0.requestID = word },
        ]
        for change in changes {
            var filter = HistoryFilter()
            change(&filter)
            #expect(try history.whole(filter, count: 10).entries.isEmpty)
        }
        var query = UsageQuery()
        query.user = word
        #expect(try history.usage(query).isEmpty)
        #expect(try history.whole(count: 1000).entries.count == 300)
    }

    @Test func `a cursor goes with its question alone`() throws {
        var filter = HistoryFilter()
        filter.user = "user 1"
        let cursor = HistoryCursor(key: 42)
        let text = cursor.text(for: filter)
        #expect(HistoryCursor(text, for: filter) == cursor)
        #expect(HistoryCursor(text, for: HistoryFilter()) == nil)
        for seed in SplitMix64.seeds(500) {
            var random = SplitMix64(seed)
            var bytes = Array(text.utf8)
            let place = Int(random.next() % UInt64(bytes.count))
            bytes[place] = UInt8(truncatingIfNeeded: random.next())
            let other = String(decoding: bytes, as: UTF8.self)
            if other.lowercased() != text { #expect(HistoryCursor(other, for: filter) == nil, "seed \(seed)") }
        }
    }

    @Test func `sums are those of the records`() throws {
        let history = try test.history()
        var query = UsageQuery()
        query.groups = [.team]
        let rows = try history.usage(query)
        #expect(Set(rows.map(\.names)) == [["red"], ["blue"]])
        #expect(rows.reduce(0) { $0 + $1.requests } == 300)
        #expect(rows.reduce(0) { $0 + $1.costMicros } == 2100)
        #expect(rows.reduce(0) { $0 + $1.errors } == 43)
        query.groups = [.model, .user]
        query.user = "user 3"
        #expect(try history.usage(query).map(\.names) == [["model 3", "user 3"]])
        query.principal = "key:none"
        #expect(try history.usage(query).isEmpty)
    }

    @Test func `one record is found by its id, by whom it belongs to`() throws {
        let history = try test.history()
        let entry = try #require(try history.whole(count: 1).entries.first)
        #expect(try history.record(entry.id)?.record == entry.record)
        #expect(try history.record(entry.id, for: entry.record.principalID) != nil)
        #expect(try history.record(entry.id, for: "key:other") == nil)
        #expect(try history.record(RecordID(high: 1, low: 2)) == nil)
    }

    @Test func `a record of another node is kept once, in its place`() throws {
        let history = try test.history()
        let entry = try #require(try history.whole(count: 1).entries.first)
        let buffer = ByteBuffer()
        var json = JSONWriter(into: buffer)
        let attempts = entry.attempts
        RecordJSON.write(entry.record, id: entry.id, origin: "node-1", attempts: attempts.span, parameters: nil, to: &json)
        let other = try RecordTest()
        other.open()
        let tape = JSONTape()
        try tape.scan(buffer.span)
        let read = RecordJSON.read(tape.root(over: buffer.span))
        let (id, origin, record) = try #require(read)
        let collected = CollectedRecord(id: id, origin: origin, record: record, parameters: [])
        for round in 1...2 {
            let store = other.store
            store.perform { session in
                _ = try? session?.inserter.unit { () throws(DatabaseError) in _ = try session?.inserter.collect(collected) }
                store.counters.collected.add(1, ordering: .relaxed)
            }
            try other.wait { other.store.snapshot.collected == round }
        }
        // By its clock it was before.
        try other.write(0..<1) { _, record in record.endTime = entry.record.endTime - 1000 }
        let page = try other.history().whole(count: 10)
        // What this node makes comes after what is there.
        #expect(page.entries.map(\.origin) == ["", "node-1"])
        #expect(page.entries.last?.id == entry.id && page.entries.last?.record == entry.record)
        #expect(try other.history().usage(UsageQuery()).reduce(0) { $0 + $1.requests } == 2)
    }
}

@Suite struct `Bodies of records` {
    private func content(_ request: String, _ response: String) -> RecordedContent {
        var content = RecordedContent()
        content.request = ByteBuffer(request)
        content.response = ByteBuffer(response)
        return content
    }

    private func bodies(_ test: RecordTest, _ content: RecordedContent) throws -> HistoryBodies? {
        test.open()
        test.append(RecordTest.record(1), content)
        try test.wait { test.store.snapshot.written == 1 }
        let history = try test.history()
        let entry = try #require(try history.whole(count: 1).entries.first)
        return try history.bodies(entry)
    }

    @Test func `are not kept as they are unless that was said`() throws {
        #expect(try bodies(RecordTest(), content("a", "b")) == nil)
        let plain = try bodies(RecordTest { $0.allowsPlainBodies = true }, content("a", "b"))
        #expect(plain?.request?.text == "a" && plain?.response?.text == "b")
    }

    @Test func `are redacted where that is wanted`() throws {
        let test = try RecordTest {
            $0.redactsBodies = true
            $0.allowsPlainBodies = true
        }
        let found = try bodies(test, content("write to ada@example.com", "key sk-abcdefghijklmnop"))
        #expect(found?.request?.text == "write to [redacted:email]")
        #expect(found?.response?.text == "key [redacted:credential]")
    }
}
