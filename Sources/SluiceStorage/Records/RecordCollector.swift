internal import SluiceCore
internal import SluiceJSON
package import SluiceNet
internal import Synchronization

/// Takes the records of all nodes from the stream and keeps them here.
///
/// What was read is acknowledged when it is on the disk, and not before. What a collector had read when it died is
/// another's to take after a while, or its own when it comes back; a record that comes twice is kept once, by its id.
///
/// Confined to its loop.
package final class RecordCollector {
    private let store: RecordStore
    private let client: RedisClient
    private let settings: RecordStreamSettings
    private let consumer: String
    private let rounds: RecordRounds
    private let tape = JSONTape()
    private var hasGroup = false
    /// What was read and could not be kept is read again before anything new.
    private var hasLeftovers = false
    private var nextClaim = Instant(nanoseconds: 0)

    private static let group: StaticString = "sluice-collectors"
    private static let claimEvery = Duration.seconds(5)

    /// Begins at once.
    ///
    /// - Parameter consumer: tells this collector from others.
    package init(
        _ store: RecordStore, _ client: RedisClient, _ settings: RecordStreamSettings, consumer: String,
        on loop: EventLoop
    ) {
        self.store = store
        self.client = client
        self.settings = settings
        self.consumer = consumer
        rounds = RecordRounds(on: loop)
        rounds.begin { [weak self] in await self?.collect() }
    }

    package func close() { rounds.close() }

    private func collect() async {
        guard client.isAvailable, await prepare() else { return }
        if rounds.loop.now >= nextClaim, await claim() {
            nextClaim = rounds.loop.now + min(Self.claimEvery, settings.claimAfter)
        }
        while !rounds.isClosed, await read() {}
    }

    // MARK: Talking to Redis

    private func prepare() async -> Bool {
        if hasGroup { return true }
        var command = RedisCommand("XGROUP")
        command.append("CREATE" as StaticString)
        command.append(key: client.key(settings.key))
        command.append(Self.group)
        command.append("0" as StaticString)
        command.append("MKSTREAM" as StaticString)
        guard let reply = await ask(command) else { return false }
        hasGroup = reply.text != nil || reply.errorKind == "BUSYGROUP"
        return hasGroup
    }

    /// - Returns: whether there may be more.
    private func read() async -> Bool {
        var command = RedisCommand("XREADGROUP")
        command.append("GROUP" as StaticString)
        command.append(Self.group)
        command.append(consumer)
        command.append("COUNT" as StaticString)
        command.append(RecordRounds.batchMax)
        command.append("STREAMS" as StaticString)
        command.append(key: client.key(settings.key))
        let wasLeftover = hasLeftovers
        command.append(wasLeftover ? "0" : ">")
        guard let reply = await ask(command) else { return false }
        if reply.errorKind == "NOGROUP" { hasGroup = false }
        let entries = reply.array?.first?.array?.last?.array ?? []
        guard await keep(entries) else {
            hasLeftovers = true
            return false
        }
        if wasLeftover, entries.isEmpty { hasLeftovers = false }
        return wasLeftover || entries.count == RecordRounds.batchMax
    }

    /// Takes over what other collectors have read and left lying.
    ///
    /// - Returns: whether there was nothing more of it.
    private func claim() async -> Bool {
        var command = RedisCommand("XAUTOCLAIM", key: client.key(settings.key))
        command.append(Self.group)
        command.append(consumer)
        command.append(Int(settings.claimAfter.nanoseconds / 1_000_000))
        command.append("0-0" as StaticString)
        command.append("COUNT" as StaticString)
        command.append(RecordRounds.batchMax)
        guard let reply = await ask(command), let parts = reply.array, parts.count > 1 else { return true }
        let entries = parts[1].array ?? []
        if !(await keep(entries)) { hasLeftovers = true }
        return entries.count < RecordRounds.batchMax
    }

    private func ask(_ command: RedisCommand) async -> RedisReply? {
        try? await client.call(command, within: RecordRounds.patience)
    }

    // MARK: Keeping

    /// Writes what the entries hold, and acknowledges them then.
    ///
    /// - Returns: whether that is done. What is not acknowledged comes again, in the next round.
    private func keep(_ entries: [RedisReply]) async -> Bool {
        if entries.isEmpty { return true }
        var records: [CollectedRecord] = []
        var acknowledgement = RedisCommand("XACK", key: client.key(settings.key))
        acknowledgement.append(Self.group)
        for entry in entries {
            guard let parts = entry.array, let id = parts.first?.text else { continue }
            acknowledgement.append(id)
            // An entry that was trimmed away has no fields; one that is no record is of no use later either.
            if let text = Self.text(parts.last), let record = decode(text) {
                records.append(record)
            } else {
                store.counters.unreadable.add(1, ordering: .relaxed)
            }
        }
        if !records.isEmpty, !(await store.collect(records)) { return false }
        return await ask(acknowledgement)?.integer != nil
    }

    private static func text(_ fields: RedisReply?) -> [UInt8]? {
        guard let fields = fields?.array else { return nil }
        for index in stride(from: 0, to: fields.count - 1, by: 2) where fields[index].text == "record" {
            return fields[index + 1].bytes
        }
        return nil
    }

    private func decode(_ text: [UInt8]) -> CollectedRecord? {
        let span = text.span
        let tape = tape
        guard (try? tape.scan(span)) != nil else { return nil }
        let root = tape.root(over: span)
        guard let (id, origin, record) = RecordJSON.read(root) else { return nil }
        var parameters: [UInt8] = []
        if let value = root["request_params"], value.isObject {
            parameters = Array(text[value.range])
        }
        return CollectedRecord(id: id, origin: origin.isEmpty ? "?" : origin, record: record, parameters: parameters)
    }
}
