import Foundation
import SluiceCore
import SluiceTLS
import Synchronization
import TestSupport
import Testing

@testable import SluiceStorage

/// A directory of its own for an audit log.
final class AuditDirectory {
    let path = NSTemporaryDirectory() + "sluice-audit-\(UUID().uuidString)"
    let key: AuditKey?

    init(authenticated: Bool = true) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        key = authenticated ? AuditKey(Secret("an audit key of the tests")) : nil
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var file: String { path + "/audit.jsonl" }

    /// Writes so many events, three to a batch.
    func fill(_ count: Int, limits: AuditWriter.Limits = .init()) throws {
        let writer = try AuditWriter(path, key: key, limits: limits)
        for start in stride(from: 0, to: count, by: 3) {
            let events = (start..<min(count, start + 3)).map { AuditEvent(.keyChanged, actor: "key:\($0)", subject: "s") }
            try writer.write(events, times: events.map { _ in 1_700_000_000_000_000_000 })
        }
    }

    func lines(_ name: String = "audit.jsonl") throws -> [String] {
        try String(contentsOfFile: path + "/" + name, encoding: .utf8).split(separator: "\n").map(String.init)
    }

    func rewrite(_ lines: [String]) throws {
        try (lines.joined(separator: "\n") + "\n").write(toFile: file, atomically: true, encoding: .utf8)
    }

    func verify(checkingMACs: Bool = true, anchor: AuditHead? = nil) throws -> AuditVerifier.Report {
        try AuditVerifier.verify(path, key: checkingMACs ? key : nil, anchor: anchor)
    }
}

@Suite struct `An audit log` {
    @Test(arguments: [true, false]) func `is whole when nobody has touched it, and is JSON, and its owner's alone`(
        isAuthenticated: Bool
    ) throws {
        let log = try AuditDirectory(authenticated: isAuthenticated)
        try log.fill(20)
        let report = try log.verify()
        #expect(report.breaks.isEmpty && report.lineCount == 20 && report.authenticated == (isAuthenticated ? 20 : 0))
        #expect(report.end?.number == 20)
        for (index, line) in try log.lines().enumerated() {
            let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            #expect(object?["seq"] as? Int == index + 1 && object?["event"] as? String == "key.changed")
            #expect(object?["actor"] as? String == "key:\(index)" && object?["time"] as? String == "2023-11-14T22:13:20.000Z")
        }
        for name in ["audit.jsonl", "audit.head"] {
            let mode = try FileManager.default.attributesOfItem(atPath: log.path + "/" + name)[.posixPermissions] as? Int
            #expect(mode == 0o600, "\(name)")
        }
    }

    @Test(arguments: [true, false]) func `shows every single change, removal, insertion, repetition and swap of lines`(
        isAuthenticated: Bool
    ) throws {
        let log = try AuditDirectory(authenticated: isAuthenticated)
        try log.fill(6)
        let good = try log.lines()
        var attacks: [(String, [String])] = []
        for index in 0..<good.count {
            var changed = good
            changed[index] = changed[index].replacing("key:\(index)", with: "key:x")
            attacks.append(("changed \(index)", changed))
            var removed = good
            removed.remove(at: index)
            attacks.append(("removed \(index)", removed))
            var repeated = good
            repeated.insert(good[index], at: index)
            attacks.append(("repeated \(index)", repeated))
            var garbage = good
            garbage.insert("{\"note\":\"nothing\"}", at: index)
            attacks.append(("garbage before \(index)", garbage))
            if index > 0 {
                var swapped = good
                swapped.swapAt(index, index - 1)
                attacks.append(("swapped \(index)", swapped))
            }
        }
        for (name, lines) in attacks {
            try log.rewrite(lines)
            #expect(try !log.verify().isSound, "\(name)")
        }
        try log.rewrite(good)
        #expect(try log.verify().isSound)
    }

    @Test func `says where it was changed`() throws {
        let log = try AuditDirectory()
        try log.fill(9)
        var lines = try log.lines()
        lines.removeSubrange(3...4)
        try log.rewrite(lines)
        #expect(try log.verify().breaks.map(\.description) == ["audit.jsonl:4: lines 4 to 5 are missing before line 6"])
    }

    @Test func `cannot be made anew without the key, but its chain alone can`() throws {
        let log = try AuditDirectory()
        try log.fill(5)
        let forged = try AuditDirectory(authenticated: false)
        try forged.fill(5)
        for name in ["audit.jsonl", "audit.head"] {
            try FileManager.default.removeItem(atPath: log.path + "/" + name)
            try FileManager.default.copyItem(atPath: forged.path + "/" + name, toPath: log.path + "/" + name)
        }
        #expect(try log.verify(checkingMACs: false).isSound)
        #expect(try log.verify().notes.contains { $0.message.contains("not written with this key") })
    }

    @Test func `in which a line without a MAC follows one that has one is not whole`() throws {
        let log = try AuditDirectory()
        try log.fill(3)
        let plain = try AuditWriter(log.path, key: nil, limits: .init())
        try plain.write([AuditEvent(.keyCreated)], times: [0])
        #expect(try log.verify().breaks.contains { $0.message.contains("line 4 has no MAC") })
    }

    @Test func `that was cut at its end is missed by its head, and by a head that was noted elsewhere`() throws {
        let log = try AuditDirectory()
        try log.fill(6)
        let end = try #require(try log.verify().end)
        let lines = try log.lines()
        try log.rewrite(Array(lines.dropLast(2)))
        #expect(try log.verify().breaks.first?.message.contains("lines are missing at the end") == true)
        // Whoever turns the head back too is not found by it: but by what was noted elsewhere.
        let shorter = try AuditDirectory()
        try shorter.fill(4)
        try FileManager.default.removeItem(atPath: log.path + "/audit.head")
        try FileManager.default.copyItem(atPath: shorter.path + "/audit.head", toPath: log.path + "/audit.head")
        #expect(try log.verify().isSound)
        #expect(try log.verify(anchor: end).breaks.first?.message.contains("ends before line 6") == true)
    }

    @Test func `an anchor that names another line than stands there is a break, and one that fits is not`() throws {
        let log = try AuditDirectory()
        try log.fill(6)
        let end = try #require(try log.verify().end)
        try log.fill(3)
        #expect(try log.verify(anchor: end).isSound)
        let wrong = AuditHead(number: 5, hash: end.hash)
        #expect(try log.verify(anchor: wrong).breaks.first?.message.contains("not the one that was noted") == true)
        #expect(AuditHead(text: "\(end)") == end)
        for text in ["", "1", "0:\(end.hash.hexadecimal)", "1:zz", "x:\(end.hash.hexadecimal)", "\(end)0"] {
            #expect(AuditHead(text: text) == nil, "\(text)")
        }
    }

    @Test func `whose files are put away goes on from one to the next`() throws {
        let log = try AuditDirectory()
        try log.fill(60, limits: .init(fileByteCountMax: 2048))
        let old = try AuditFiles.old(log.path)
        #expect(old.count > 3 && old.first == "audit-000000000000001.jsonl")
        let report = try log.verify()
        #expect(report.isSound && report.lineCount == 60 && report.notes.isEmpty)
        try FileManager.default.removeItem(atPath: log.path + "/" + old[1])
        #expect(try !log.verify().isSound)
    }

    @Test func `misses lines at the beginning of a file too`() throws {
        let log = try AuditDirectory()
        try log.fill(60, limits: .init(fileByteCountMax: 2048))
        let old = try AuditFiles.old(log.path)
        let file = log.path + "/" + old[0]
        let lines = try log.lines(old[0]).dropFirst(2).joined(separator: "\n") + "\n"
        try lines.write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try log.verify().breaks.first?.message.contains("lines are missing before it") == true)
        for name in old { try FileManager.default.removeItem(atPath: log.path + "/" + name) }
        #expect(try log.verify().isSound, "old files may be moved away")
        try log.rewrite(Array(try log.lines().dropFirst()))
        #expect(try log.verify().breaks.first?.message.contains("lines are missing before it") == true)
    }

    @Test func `keeps as many files as it is told, and says what it dropped`() throws {
        let log = try AuditDirectory()
        try log.fill(60, limits: .init(fileByteCountMax: 2048, filesMax: 2))
        #expect(try AuditFiles.old(log.path).count == 2)
        let report = try log.verify()
        #expect(report.isSound && report.notes.contains { $0.message.contains("earlier ones are not here") })
        let all = try AuditFiles.old(log.path).flatMap(log.lines) + log.lines()
        #expect(all.contains { $0.contains("audit.file_dropped") })
    }

    @Test func `a line torn at any byte is mended by the next writer, and the log is whole`() throws {
        let whole = try AuditDirectory()
        try whole.fill(4)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: whole.file))
        let lastStart = bytes.dropLast().lastIndex(of: 10)! + 1
        for cut in stride(from: lastStart + 1, to: bytes.count, by: 7) + [bytes.count - 1] {
            let log = try AuditDirectory()
            try bytes.prefix(cut).write(to: URL(fileURLWithPath: log.file))
            try log.fill(2)
            let report = try log.verify()
            #expect(report.isSound, "cut at \(cut): \(report.breaks)")
            let isWhole = cut == bytes.count - 1
            #expect(try log.lines().contains { $0.contains("audit.mended") } != isWhole, "cut at \(cut)")
        }
    }

    @Test func `a log that was shortened while nobody wrote says so when somebody writes again`() throws {
        let log = try AuditDirectory()
        try log.fill(6)
        try log.rewrite(Array(try log.lines().dropLast(3)))
        try log.fill(1)
        #expect(try log.lines().contains { $0.contains("audit.shortened") })
        #expect(try log.verify().breaks.contains { $0.message.contains("lines 4 to 6 are missing") })
    }

    @Test func `two processes write to it in turns, and it is whole`() throws {
        let log = try AuditDirectory()
        let one = try AuditWriter(log.path, key: log.key, limits: .init(fileByteCountMax: 4096))
        let other = try AuditWriter(log.path, key: log.key, limits: .init(fileByteCountMax: 4096))
        for number in 0..<40 {
            let writer = number % 3 == 0 ? one : other
            try writer.write([AuditEvent(.keyChanged, actor: "\(number)")], times: [0])
        }
        let report = try log.verify()
        #expect(report.isSound && report.lineCount == 40 && report.end?.number == 40)
    }

    @Test func `hostile lines are not lines, and verifying never traps`() throws {
        let log = try AuditDirectory()
        try log.fill(3)
        let valid = Array(try String(contentsOfFile: log.file, encoding: .utf8).utf8)
        for seed in SplitMix64.seeds(400) {
            var random = SplitMix64(seed)
            var text = valid
            for _ in 0...random.next() % 4 {
                let at = Int(random.next() % UInt64(text.count))
                switch random.next() % 3 {
                case 0: text[at] = UInt8(truncatingIfNeeded: random.next())
                case 1: text.remove(at: at)
                default: text.insert(UInt8(truncatingIfNeeded: random.next()), at: at)
                }
            }
            if text == valid { continue }
            try Data(text).write(to: URL(fileURLWithPath: log.file))
            #expect(try !log.verify().isSound, "seed \(seed)")
        }
    }

    @Test func `whatever an event says is one line of JSON of bounded length`() throws {
        for seed in SplitMix64.seeds(12) {
            var random = SplitMix64(seed)
            func text() -> String {
                String(decoding: (0..<random.next() % 4000).map { _ in UInt8(truncatingIfNeeded: random.next() % 200) }, as: UTF8.self)
            }
            let event = AuditEvent(
                .accessRefused, actor: text(), address: text(), subject: text(),
                details: (0..<random.next() % 100).map { _ in .init(text(), text()) })
            let buffer = ByteBuffer()
            let line = AuditLine.write(event, number: 7, previous: AuditLine.beginning, time: 0, key: nil, into: buffer)
            let bytes = (0..<buffer.count - 1).map { buffer[$0] }
            #expect(AuditLine.read(bytes.span) == line, "seed \(seed)")
            #expect(!bytes.contains(10) && bytes.count <= AuditLine.byteCountMax, "seed \(seed): \(bytes.count)")
            #expect(throws: Never.self, "seed \(seed)") { _ = try JSONSerialization.jsonObject(with: Data(bytes)) }
        }
    }
}

@Suite struct `Reading an audit log` {
    @Test func `pages through all of it, the latest first, through files that were put away`() throws {
        let log = try AuditDirectory()
        try log.fill(100, limits: .init(fileByteCountMax: 3000))
        var numbers: [Int] = []
        var query = AuditReader.Query()
        query.limit = 7
        while true {
            let page = try AuditReader.read(log.path, query)
            #expect(page.lines.count <= 7)
            numbers += page.lines.compactMap(\.lineNumber)
            guard let next = page.next else { break }
            query.before = next
        }
        #expect(numbers == Array((1...100).reversed()))
    }

    @Test func `finds events of a kind and of an actor, and passes over what is no line`() throws {
        let log = try AuditDirectory()
        try log.fill(9)
        try log.rewrite(try log.lines() + ["{\"seq\":10,", "nothing"])
        let writer = try AuditWriter(log.path, key: log.key, limits: .init())
        try writer.write([AuditEvent(.accessRefused, actor: "key:3")], times: [0])
        var query = AuditReader.Query()
        query.actor = "key:3"
        #expect(try AuditReader.read(log.path, query).lines.count == 2)
        query.event = "access.refused"
        #expect(try AuditReader.read(log.path, query).lines.count == 1)
        query.actor = "key:4"
        #expect(try AuditReader.read(log.path, query).lines.isEmpty)
    }
}

@Suite struct `The audit log's thread` {
    private static func started(_ directory: AuditDirectory, refusedPerSecond: Int = 10) throws -> AuditLog {
        let log = AuditLog()
        var settings = AuditLog.Settings(directory: directory.path)
        settings.refusedPerSecond = refusedPerSecond
        try log.start(settings, SecretVault())
        return log
    }

    @Test func `writes what many threads say, and whoever waits for the disk has waited for it`() async throws {
        let directory = try AuditDirectory(authenticated: false)
        let log = try Self.started(directory)
        await withTaskGroup(of: Bool.self) { group in
            for task in 0..<8 {
                group.addTask {
                    var isWritten = true
                    for number in 0..<20 {
                        log.append(AuditEvent(.keyChanged, actor: "\(task)"))
                        if await !log.record([AuditEvent(.keyCreated, actor: "\(task)/\(number)")]) { isWritten = false }
                    }
                    return isWritten
                }
            }
            for await isWritten in group { #expect(isWritten) }
        }
        log.finish()
        let report = try directory.verify()
        #expect(report.isSound && report.lineCount == 320)
        #expect(log.snapshot.head == report.end && log.snapshot.queued == 0)
    }

    @Test func `refusals beyond so many a second are counted, and the count is written`() throws {
        let directory = try AuditDirectory(authenticated: false)
        let log = try Self.started(directory, refusedPerSecond: 5)
        let begin = ContinuousClock.now
        for number in 0..<5000 { log.refused(AuditEvent(.accessRefused, actor: "a\(number)")) }
        let seconds = Int((ContinuousClock.now - begin).components.seconds) + 2
        let deadline = ContinuousClock.now + .seconds(30)
        var (single, counted) = (0, 0)
        // The file is made by the log's thread, and what several seconds have counted may be written in several parts.
        while single + counted < 5000, .now < deadline {
            usleep(20_000)
            let lines = (try? directory.lines()) ?? []
            single = lines.filter { $0.contains("\"access.refused\"") }.count
            counted = lines.compactMap(Self.refusedOften).reduce(0, +)
        }
        log.finish()
        #expect(5...(5 * seconds) ~= single && single + counted == 5000, "\(single) and \(counted)")
    }

    /// How many refusals a line counts; `nil` for any other.
    private static func refusedOften(_ line: String) -> Int? {
        guard line.contains("refused_often"), let start = line.range(of: "\"count\":\"") else { return nil }
        return Int(line[start.upperBound...].prefix(while: \.isNumber))
    }

    @Test func `a key that does not open is an error at the start, not a log without MACs`() throws {
        let directory = try AuditDirectory()
        func vault(_ seed: UInt64) -> SecretVault {
            var random = SplitMix64(seed)
            var bytes: [UInt8] = []
            for _ in 0..<32 { bytes.append(UInt8(truncatingIfNeeded: random.next())) }
            return SecretVault(MasterKeys([Secret(bytes.span)]))
        }
        let (one, two) = (vault(1), vault(2))
        try AuditLog().start(.init(directory: directory.path), one)
        #expect(throws: AuditKey.Unusable.self) { try AuditLog().start(.init(directory: directory.path), two) }
        #expect(throws: AuditKey.Unusable.self) { try AuditLog().start(.init(directory: directory.path), SecretVault()) }
        let again = AuditLog()
        try again.start(.init(directory: directory.path), one)
        #expect(again.snapshot.isAuthenticated)
    }

    @Test func `the audit key moves with a rotation and stays what it was`() async throws {
        let directory = try AuditDirectory()
        func key(_ seed: UInt64) -> Secret {
            var random = SplitMix64(seed)
            var bytes: [UInt8] = []
            for _ in 0..<32 { bytes.append(UInt8(truncatingIfNeeded: random.next())) }
            return Secret(bytes.span)
        }
        let vault = SecretVault(MasterKeys([key(1)]))
        let log = AuditLog()
        try log.start(.init(directory: directory.path), vault)
        #expect(await log.record([AuditEvent(.keyCreated)]))
        vault.adopt(MasterKeys([key(2), key(1)]))
        let batch = try AuditKey.Store(directory.path).reseal(after: nil, count: 10, with: vault)
        #expect(batch.moved == 1 && batch.cursor == nil)
        let new = SecretVault(MasterKeys([key(2)]))
        let opened = try #require(try AuditKey.existing(directory.path, new))
        #expect(try AuditVerifier.verify(directory.path, key: opened).authenticated == 1)
    }

    @Test func `while nothing can be written changes fail, refusals are lost and counted, and it goes on by itself`() async throws {
        let directory = try AuditDirectory(authenticated: false)
        let log = try Self.started(directory, refusedPerSecond: 1_000_000)
        let notices = Mutex<[String]>([])
        log.onNotice { notice in notices.withLock { $0.append("\(notice)") } }
        // A directory in the file's place: nothing can be written, whoever asks.
        try FileManager.default.createDirectory(atPath: directory.file, withIntermediateDirectories: false)
        let begin = ContinuousClock.now
        async let change = log.record([AuditEvent(.keyRevoked, actor: "waits in vain"), AuditEvent(.keyRevoked, actor: "waits in vain too")])
        for number in 0..<6000 { log.refused(AuditEvent(.accessRefused, actor: "\(number)")) }
        log.append(AuditEvent(.configurationReloaded, actor: "stays"))
        #expect(await !change)
        #expect(ContinuousClock.now - begin < AuditLog.patience + .seconds(10))
        #expect(log.snapshot.failure != nil && log.snapshot.lost > 0)
        try FileManager.default.removeItem(atPath: directory.file)
        let deadline = ContinuousClock.now + .seconds(30)
        while log.snapshot.failure != nil || log.snapshot.queued > 0, .now < deadline { usleep(20_000) }
        log.finish()
        let lines = try directory.lines()
        #expect(lines.contains { $0.contains("stays") } && !lines.contains { $0.contains("waits in vain") })
        #expect(lines.contains { $0.contains("audit.lost") })
        #expect(try directory.verify().isSound)
        let said = notices.withLock { $0.map { $0.prefix(9) } }
        #expect(said.contains("failing(r") && said.contains("recovered"))
    }
}
