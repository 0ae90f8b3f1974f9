internal import SluiceCore
internal import SluiceTLS

/// Puts records into their tables. Belongs to the writer's thread, as its connection does.
final class RecordInserter {
    /// What is done with bodies on their way in.
    struct BodyRules {
        var redacts = false
        /// Whether a body may be stored as it is where there is no key to seal it with.
        var allowsPlain = false
    }

    private let database: Database
    private let vault: SecretVault
    var bodies = BodyRules()
    /// Bodies that were left out, as there was no key to seal them with.
    private(set) var bodiesLeftOut = 0
    private var names: NameTable
    private var usage = UsageLedger()
    private var lastKey = 0
    private var random = SystemRandomNumberGenerator()
    private let scratch = ByteBuffer(capacity: 4096)
    private let redacted = ByteBuffer(capacity: 256)

    init(_ database: Database, vault: SecretVault) {
        self.database = database
        self.vault = vault
        names = NameTable(database)
    }

    // MARK: Of this node

    /// Writes the records that workers have handed over, one after the other, in one transaction.
    ///
    /// - Returns: how many were written.
    /// - Throws: nothing of it is written then.
    func write(_ batch: Span<UInt8>) throws(DatabaseError) -> Int {
        try unit { () throws(DatabaseError) in
            lastKey = max(lastKey, try database.integer("SELECT coalesce(max(key), 0) FROM invocations"))
            var offset = 0
            var count = 0
            while offset < batch.count {
                let rest = batch.extracting(offset..<batch.count)
                guard let byteCount = RecordCoding.byteCount(rest) else { break }
                let bytes = rest.extracting(0..<byteCount)
                offset += byteCount
                guard let decoded = RecordCoding.decode(bytes) else { continue }
                let key = nextKey(decoded.record.endTime)
                let id = RecordID(milliseconds: key.milliseconds, random: (random.next(), random.next()))
                if try insert(decoded.record, key, id, origin: "") {
                    try insertDetails(decoded.record, key, bytes, decoded.parameters)
                    try insertBodies(decoded, key, id, bytes)
                    count += 1
                }
            }
            return count
        }
    }

    /// The clock may go back or stand still: the order of records does not.
    private func nextKey(_ milliseconds: Int) -> RecordKey {
        lastKey = max(lastKey + 1, RecordKey.first(ofMilliseconds: milliseconds))
        return RecordKey(lastKey)
    }

    // MARK: Of other nodes

    /// Writes a record that another node has made, where its time is.
    ///
    /// To be called within `unit`.
    ///
    /// - Returns: false if it was there already.
    func collect(_ remote: CollectedRecord) throws(DatabaseError) -> Bool {
        let milliseconds = remote.milliseconds
        let first = RecordKey.first(ofMilliseconds: milliseconds)
        var find = try database.prepare("SELECT max(key) FROM invocations WHERE key BETWEEN ? AND ?")
        try find.bind(1, first)
        try find.bind(2, RecordKey.first(ofMilliseconds: milliseconds + 1) - 1)
        let taken = try find.step() ? find.optionalInteger(0) : nil
        find.reset()
        let key = RecordKey(taken.map { $0 + 1 } ?? first)
        guard try insert(remote.record, key, remote.id, origin: remote.origin) else { return false }
        try insertDetails(
            remote.record, key, remote.parameters.span, remote.parameters.isEmpty ? nil : 0..<remote.parameters.count)
        return true
    }

    /// One transaction, with the sums of what was used.
    func unit<Value>(_ body: () throws(DatabaseError) -> Value) throws(DatabaseError) -> Value {
        do throws(DatabaseError) {
            let value = try database.transaction { () throws(DatabaseError) in
                let value = try body()
                try usage.write(to: database)
                return value
            }
            usage.removeAll()
            return value
        } catch {
            // Names that were new are not there any more.
            names.forget()
            usage.removeAll()
            throw error
        }
    }

    // MARK: Rows

    private func insert(
        _ record: InvocationRecord, _ key: RecordKey, _ id: RecordID, origin: String
    ) throws(DatabaseError) -> Bool {
        var row = try database.prepare(
            """
            INSERT INTO invocations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO NOTHING
            """)
        let who = UsageLedger.Key(
            day: key.milliseconds / 86_400_000, principal: try names.id(of: record.principalID),
            user: try names.id(of: record.userID), team: try names.id(of: record.team),
            model: try names.id(of: record.modelID), provider: try names.id(of: record.provider))
        let bytes = id.bytes
        try row.bind(1, key.number)
        try row.bind(2, blob: bytes.span)
        let numbers = [
            try names.id(of: origin), who.user, who.principal, who.team, who.model, who.provider,
            Int(record.outcome.rawValue), record.httpStatus, Self.hash(record.requestID), record.startTime,
            record.endTime, record.durationMicros, record.firstByteMicros, record.inputTokens, record.outputTokens,
            record.cachedTokens, record.reasoningTokens, record.totalTokens, record.costMicros,
            Int(record.usageSource.rawValue), record.isStream ? 1 : 0,
        ]
        for (index, number) in numbers.enumerated() { try row.bind(index + 3, number) }
        try row.run()
        if database.changeCount == 0 { return false }
        usage.add(record, to: who)
        return true
    }

    private func insertDetails(
        _ record: InvocationRecord, _ key: RecordKey, _ bytes: Span<UInt8>, _ parameters: Range<Int>?
    ) throws(DatabaseError) {
        var row = try database.prepare("INSERT INTO details VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        try row.bind(1, key.number)
        try row.bind(2, record.requestID)
        let texts = [
            record.businessLine, record.key, record.scene, record.upstreamModel, record.route, record.cacheState,
            record.errorCode, record.errorOwner,
        ]
        for (index, text) in texts.enumerated() { try row.bind(index + 3, try names.id(of: text)) }
        if record.errorMessage.isEmpty { try row.bindNull(11) } else { try row.bind(11, record.errorMessage) }
        let scratch = scratch
        scratch.removeAll()
        RecordJSON.write(record.attempts, to: scratch)
        try row.bind(12, text: scratch.span)
        if let parameters { try row.bind(13, text: bytes.extracting(parameters)) } else { try row.bindNull(13) }
        try row.run()
    }

    private func insertBodies(
        _ decoded: RecordCoding.Decoded, _ key: RecordKey, _ id: RecordID, _ bytes: Span<UInt8>
    ) throws(DatabaseError) {
        if decoded.request == nil && decoded.response == nil { return }
        let scratch = scratch
        if !vault.hasKey, !bodies.allowsPlain {
            bodiesLeftOut += 1
            return
        }
        var row = try database.prepare("INSERT INTO bodies VALUES (?, ?, ?, ?, ?)")
        try row.bind(1, key.number)
        let seal = vault.currentKeyID.map { "\($0)" } ?? ""
        try row.bind(2, try names.id(of: seal))
        try row.bind(3, (decoded.isRequestCut ? 1 : 0) | (decoded.isResponseCut ? 2 : 0))
        for (parameter, part, range) in [
            (4, RecordBody.Part.request, decoded.request), (5, .response, decoded.response),
        ] {
            guard let range, prepare(bytes.extracting(range), RecordBody.purpose(part, id), seals: !seal.isEmpty) else {
                try row.bindNull(parameter)
                continue
            }
            try row.bind(parameter, blob: scratch.span)
        }
        try row.run()
    }

    /// Fills `scratch` with a body as it is stored.
    private func prepare(_ body: Span<UInt8>, _ purpose: String, seals: Bool) -> Bool {
        let (scratch, redacted) = (scratch, redacted)
        scratch.removeAll()
        redacted.removeAll()
        if bodies.redacts { Redactor.redact(body, into: redacted) } else { redacted.append(body) }
        if !seals {
            scratch.append(redacted.span)
            return true
        }
        return (try? vault.seal(redacted.span, purpose: purpose, into: scratch)) != nil
    }

    /// FNV-1a, for the index: what it finds is compared.
    static func hash(_ text: String) -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return Int(truncatingIfNeeded: hash)
    }
}

/// How bodies are bound to their place: sealed for one, they do not open in another.
enum RecordBody {
    enum Part: String { case request, response }

    static func purpose(_ part: Part, _ id: RecordID) -> String { "records.\(part.rawValue).\(id)" }
}

/// A record of another node, as a collector has read it.
package struct CollectedRecord: Sendable {
    package var id: RecordID
    /// Which node made it.
    package var origin: String
    package var record: InvocationRecord
    /// JSON; empty for none.
    package var parameters: [UInt8]

    /// When it was made: what orders it among others.
    var milliseconds: Int { Int(id.high >> 16) }
}
