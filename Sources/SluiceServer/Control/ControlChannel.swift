internal import SluiceConfig
internal import SluiceCore
internal import SluiceNet
internal import SluiceStorage

/// What nodes have agreed upon, as it stands in Redis: one hash, everything in it sealed but the number of the latest
/// revision.
///
/// `head` is that number, `mark` a `ControlMark`, `r:N` the record of revision N (the latest few), `u:UNIT` what a unit
/// says.
final class ControlChannel {
    enum Trouble: Error, Equatable {
        /// There is no answer, or an error.
        case unavailable(String)
        /// Somebody else was faster.
        case conflict
        /// What is there was not written by a node that has the key, or not all of it at one time.
        case forged(String)
    }

    /// One unit with the revision that it was last changed by.
    typealias Row = (unit: ConfigUnit, revision: Int, value: ConfigValue)

    private let redis: RedisClient
    private let seal: ControlSeal
    private let key: String
    /// A node that is further behind reads everything.
    static let recordsKept = 256
    private static let patience = Duration.seconds(1)
    private static let scanCount = 500
    private static let rowsMax = 1_000_000
    /// A server that goes on without end is not believed.
    private static let scansMax = 4 * rowsMax / scanCount

    init(_ redis: RedisClient, _ seal: ControlSeal) {
        self.redis = redis
        self.seal = seal
        key = redis.key("control")
    }

    /// - Parameter handler: is called when somebody says that there is a newer revision. Anybody can say so.
    func onNotice(_ handler: @escaping () -> Void) { redis.subscribe(key) { _ in handler() } }

    // MARK: Reading

    /// The number of the latest revision, as it is said; 0 if there is none.
    func head() async throws(Trouble) -> Int {
        let reply = try await call(command("HGET", "head"))
        guard let text = reply.text else { return 0 }
        guard let number = Int(text), number >= 0 else { throw .forged("the head is not a number") }
        return number
    }

    /// The records of some revisions; `nil` if one of them is not there any more.
    func records(_ revisions: ClosedRange<Int>) async throws(Trouble) -> [ControlRecord]? {
        var command = command("HMGET")
        for revision in revisions { command.append("r:\(revision)") }
        let elements = try await call(command).array ?? []
        var records: [ControlRecord] = []
        for (revision, element) in zip(revisions, elements) {
            guard let text = element.bytes else { return nil }
            guard let opened = open(text, "control.record/\(revision)"), let record = ControlRecord(text: opened),
                record.revision == revision
            else { throw .forged("the record of revision \(revision) was not written by a node") }
            records.append(record)
        }
        return records.count == revisions.count ? records : nil
    }

    func mark() async throws(Trouble) -> ControlMark? {
        guard let text = try await call(command("HGET", "mark")).bytes else { return nil }
        guard let opened = open(text, "control.mark"), let mark = ControlMark(text: opened) else {
            throw .forged("the mark was not written by a node")
        }
        return mark
    }

    /// Everything, and the mark that it was checked against.
    func everything() async throws(Trouble) -> (mark: ControlMark, rows: [Row])? {
        var lastTrouble = Trouble.forged("the rows do not belong together")
        // Somebody may write meanwhile.
        for _ in 0..<3 {
            guard let mark = try await mark() else { return nil }
            do throws(Trouble) {
                let rows = try await rows()
                var sum = mark
                for row in rows { sum.toggle(row.unit, row.revision) }
                if sum.tag.allSatisfy({ $0 == 0 }) { return (mark, rows) }
            } catch {
                if case .unavailable = error { throw error }
                lastTrouble = error
            }
        }
        throw lastTrouble
    }

    private func rows() async throws(Trouble) -> [Row] {
        var rows: [String: Row] = [:]
        var cursor = "0"
        var scans = 0
        repeat {
            scans += 1
            if scans > Self.scansMax { throw .forged("a scan that does not end") }
            var command = command("HSCAN", cursor)
            command.append("MATCH" as StaticString)
            command.append("u:*" as StaticString)
            command.append("COUNT" as StaticString)
            command.append(Self.scanCount)
            guard let parts = try await call(command).array, parts.count == 2, let next = parts[0].text,
                let pairs = parts[1].array, pairs.count.isMultiple(of: 2)
            else { throw .forged("not a hash of rows") }
            for index in stride(from: 0, to: pairs.count, by: 2) {
                guard let name = pairs[index].text, name.hasPrefix("u:"), let text = pairs[index + 1].bytes else {
                    continue
                }
                rows[name] = try row(String(name.dropFirst(2)), text)
            }
            if rows.count > Self.rowsMax { throw .forged("more than \(Self.rowsMax) rows") }
            cursor = next
        } while cursor != "0"
        return Array(rows.values)
    }

    private func row(_ name: String, _ text: [UInt8]) throws(Trouble) -> Row {
        guard let unit = ConfigUnit(key: name), let opened = open(text, "control.row/\(name)"),
            let document = try? ConfigText.parse(opened), case .integer(let revision)? = document["revision"]?.kind,
            let value = document["value"]
        else { throw .forged("the row of \(ConfigPath.quoted(name)) was not written by a node") }
        return (unit, revision, value)
    }

    // MARK: Writing

    private static let commitScript = RedisScript(
        """
        local head = redis.call('HGET', KEYS[1], 'head') or '0'
        if head ~= ARGV[1] then return 0 end
        redis.call('HSET', KEYS[1], 'head', ARGV[2], 'mark', ARGV[3])
        if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'r:' .. ARGV[2], ARGV[4]) end
        redis.call('HDEL', KEYS[1], 'r:' .. ARGV[5])
        for i = 6, #ARGV, 2 do
            if ARGV[i + 1] == '' then
                redis.call('HDEL', KEYS[1], ARGV[i])
            else
                redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
            end
        end
        redis.call('PUBLISH', KEYS[1], ARGV[2])
        return 1
        """)

    private static let clearScript = RedisScript(
        """
        local head = redis.call('HGET', KEYS[1], 'head') or '0'
        if head ~= ARGV[1] then return 0 end
        redis.call('DEL', KEYS[1])
        return 1
        """)

    /// Adds a record, if `expected` is still the latest revision.
    func commit(_ record: ControlRecord, _ mark: ControlMark, expected: Int) async throws(Trouble) {
        var arguments = [
            "\(expected)", "\(record.revision)", try sealed(mark.text, "control.mark"),
            try sealed(record.text, "control.record/\(record.revision)"), "\(record.revision - Self.recordsKept)",
        ]
        for change in record.changes {
            arguments.append("u:\(change.unit.key)")
            if let value = change.value {
                arguments.append(try sealedRow((change.unit, record.revision, value)))
            } else {
                arguments.append("")
            }
        }
        try await run(Self.commitScript, arguments)
    }

    /// Puts everything there, if `expected` is what is said to be the latest revision: Redis has lost something.
    func fill(_ mark: ControlMark, _ rows: [Row], expected: Int) async throws(Trouble) {
        try await run(Self.clearScript, ["\(expected)"])
        for start in stride(from: 0, to: rows.count, by: Self.scanCount) {
            var command = command("HSET")
            for row in rows[start..<min(start + Self.scanCount, rows.count)] {
                command.append("u:\(row.unit.key)")
                command.append(try sealedRow(row))
            }
            _ = try await call(command)
        }
        try await run(Self.commitScript, ["0", "\(mark.revision)", try sealed(mark.text, "control.mark"), "", "0"])
    }

    // MARK: Bytes

    private func sealedRow(_ row: Row) throws(Trouble) -> String {
        let document = ConfigValue(
            .object([
                ConfigMember("revision", ConfigValue(.integer(row.revision))), ConfigMember("value", row.value),
            ]))
        return try sealed(document.compactText, "control.row/\(row.unit.key)")
    }

    private func sealed(_ text: [UInt8], _ purpose: String) throws(Trouble) -> String {
        guard let bytes = seal.seal(text.span, purpose: purpose) else {
            throw .unavailable("there is no key to seal with")
        }
        return Base64.encode(bytes.span)
    }

    private func open(_ text: [UInt8], _ purpose: String) -> [UInt8]? {
        Base64.decode(text.span).flatMap { seal.open($0, purpose: purpose) }
    }

    private func command(_ name: StaticString, _ argument: String? = nil) -> RedisCommand {
        var command = RedisCommand(name, key: key)
        if let argument { command.append(argument) }
        return command
    }

    private func call(_ command: RedisCommand) async throws(Trouble) -> RedisReply {
        let reply: RedisReply
        do throws(RedisUnavailable) {
            reply = try await redis.call(command, within: Self.patience)
        } catch {
            throw .unavailable("\(error)")
        }
        if let error = reply.error { throw .unavailable(error) }
        return reply
    }

    private func run(_ script: RedisScript, _ arguments: [String]) async throws(Trouble) {
        let reply: RedisReply
        do throws(RedisUnavailable) {
            reply = try await redis.run(script, key: key, arguments, within: Self.patience)
        } catch {
            throw .unavailable("\(error)")
        }
        if let error = reply.error { throw .unavailable(error) }
        if reply.integer != 1 { throw .conflict }
    }
}
