/// What a key table holds: records in an array, and where they are found by hash and by id.
struct KeyTableState: Sendable {
    /// A key as compactly as 100,000 of them want to be kept.
    private struct Entry: Sendable {
        /// With `key:` in front: as the principal has it.
        var name: String
        var user: String?
        var digest: KeyDigest
        var expiresAt: Int
        /// What the key stands for, made when it is used first under a policy.
        var principal: Principal?
        var policy: UInt32 = 0
        /// Where its grant is.
        var grant: UInt32
        var lastUsed: UInt32 = 0
        var isDisabled: Bool

        /// Stands for a key that is not there, so that the same is asked of it.
        static let nobody = Entry(name: "", digest: .none, expiresAt: 0, grant: 0, isDisabled: true)
    }

    private var entries: ContiguousArray<Entry> = []
    /// Places of keys that were removed.
    private var free: [Int] = []
    private var byDigest: IndexTable
    private var byID: IndexTable
    /// Keys as they were before they were rotated.
    private var previous: [KeyDigest: (position: Int, until: Int)] = [:]
    private var grants: ContiguousArray<KeyGrant> = []
    private var grantPositions: [KeyGrant: UInt32] = [:]

    init(_ records: [KeyRecord]) {
        byDigest = IndexTable(minimumCapacity: records.count)
        byID = IndexTable(minimumCapacity: records.count)
        entries.reserveCapacity(records.count)
        for record in records { insert(record) }
    }

    var count: Int { entries.count - free.count }

    // MARK: The question

    mutating func check(_ digest: KeyDigest, _ policy: AccessPolicy, _ now: Int) -> CredentialVerdict {
        var position = byDigest.find(digest.tableHash) { entries[$0].digest == digest }
        if position == nil, !previous.isEmpty, let old = previous[digest], now < old.until { position = old.position }
        return verdict(position, policy, now)
    }

    mutating func check(id: String, _ policy: AccessPolicy, _ now: Int) -> CredentialVerdict {
        verdict(position(of: id), policy, now)
    }

    /// What is not there is looked at as what is there and may not come in. Field by field: a whole entry holds references, each of
    /// which would be counted.
    private mutating func verdict(_ position: Int?, _ policy: AccessPolicy, _ now: Int) -> CredentialVerdict {
        let isDisabled = position.map { entries[$0].isDisabled } ?? Entry.nobody.isDisabled
        let isExpired = (position.map { entries[$0].expiresAt } ?? Entry.nobody.expiresAt) <= now
        guard !isDisabled, !isExpired, let position else {
            return .refused(
                position == nil ? .unknown : isDisabled ? .disabled : .expired,
                of: position.map { entries[$0].name })
        }
        entries[position].lastUsed = UInt32(clamping: now)
        if entries[position].policy == policy.number, let principal = entries[position].principal {
            return .principal(principal)
        }
        let principal = principal(of: entries[position], policy)
        entries[position].principal = principal
        entries[position].policy = policy.number
        return .principal(principal)
    }

    private static let namePrefix = "key:"

    private func principal(of entry: Entry, _ policy: AccessPolicy) -> Principal {
        let grant = grants[Int(entry.grant)]
        return policy.principal(
            id: entry.name, kind: .key, user: entry.user, team: grant.team,
            businessLine: grant.businessLine, roles: grant.roles, modelBound: grant.models, mayClaim: grant.mayClaim)
    }

    // MARK: Changes

    mutating func insert(_ record: KeyRecord) {
        let known = position(of: record.id)
        let lastUsed = known.map { entries[$0].lastUsed } ?? 0
        if known != nil { remove(record.id) }
        let position = free.popLast() ?? entries.count
        var entry = Entry(
            name: Self.namePrefix + record.id, user: record.user, digest: record.digest,
            expiresAt: record.expiresAt ?? .max,
            grant: self.position(of: KeyGrant(record)), isDisabled: record.isDisabled)
        entry.lastUsed = lastUsed
        if position == entries.count { entries.append(entry) } else { entries[position] = entry }
        byDigest.insert(position, entry.digest.tableHash) { [entries] in entries[$0].digest.tableHash }
        byID.insert(position, Self.hash(entry.name)) { [entries] in Self.hash(entries[$0].name) }
        if let old = record.previous { previous[old.digest] = (position, old.until) }
    }

    private mutating func position(of grant: KeyGrant) -> UInt32 {
        if let known = grantPositions[grant] { return known }
        let position = UInt32(grants.count)
        grants.append(grant)
        grantPositions[grant] = position
        return position
    }

    @discardableResult mutating func remove(_ id: String) -> Bool {
        guard let position = position(of: id) else { return false }
        byDigest.remove(position, entries[position].digest.tableHash) { [entries] in entries[$0].digest.tableHash }
        byID.remove(position, Self.hash(entries[position].name)) { [entries] in Self.hash(entries[$0].name) }
        for (digest, old) in previous where old.position == position { previous[digest] = nil }
        entries[position] = .nobody
        free.append(position)
        return true
    }

    /// Keeps when keys were used that were there before.
    mutating func takeTimes(from other: KeyTableState) {
        for position in entries.indices {
            guard let old = other.position(named: entries[position].name) else { continue }
            entries[position].lastUsed = other.entries[old].lastUsed
        }
    }

    private static let usesPerStep = 2000

    /// - Returns: whether there are more to look at, from `position` on.
    mutating func appendUses(since seconds: Int, from position: inout Int, to uses: inout [KeyUse]) -> Bool {
        let end = min(entries.count, position + Self.usesPerStep)
        while position < end {
            let entry = entries[position]
            position += 1
            if entry.lastUsed > 0, Int(entry.lastUsed) >= seconds {
                uses.append(
                    KeyUse(id: String(entry.name.dropFirst(Self.namePrefix.count)), seconds: Int(entry.lastUsed)))
            }
        }
        return position < entries.count
    }

    mutating func remember(_ use: KeyUse) {
        guard let position = position(of: use.id) else { return }
        entries[position].lastUsed = max(entries[position].lastUsed, UInt32(clamping: use.seconds))
    }

    // MARK: By id

    /// Ids are given by operators: nobody chooses them so that they collide.
    private static func hash(_ name: String) -> UInt64 { UInt64(truncatingIfNeeded: name.hashValue) }

    private func position(of id: String) -> Int? { position(named: Self.namePrefix + id) }

    private func position(named name: String) -> Int? { byID.find(Self.hash(name)) { entries[$0].name == name } }

    func record(_ id: String) -> KeyRecord? { position(of: id).map(record(at:)) }

    var records: [KeyRecord] {
        let unused = Set(free)
        return entries.indices.filter { !unused.contains($0) }.map(record(at:))
    }

    func lastUsed(_ id: String) -> Int? {
        guard let position = position(of: id), entries[position].lastUsed > 0 else { return nil }
        return Int(entries[position].lastUsed)
    }

    private func record(at position: Int) -> KeyRecord {
        let entry = entries[position]
        let grant = grants[Int(entry.grant)]
        var record = KeyRecord(id: String(entry.name.dropFirst(Self.namePrefix.count)), digest: entry.digest)
        record.isDisabled = entry.isDisabled
        record.expiresAt = entry.expiresAt == .max ? nil : entry.expiresAt
        record.user = entry.user
        record.team = grant.team
        record.businessLine = grant.businessLine
        record.roles = grant.roles
        record.models = grant.models
        record.mayClaim = grant.mayClaim
        if let old = previous.first(where: { $0.value.position == position }) {
            record.previous = KeyRecord.Previous(digest: old.key, until: old.value.until)
        }
        return record
    }
}
