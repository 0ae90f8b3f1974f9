internal import SluiceConfig
internal import SluiceCore
internal import SluiceHTTP
internal import SluiceStorage

/// What the management API keeps, with its history, in `sluice.db`. Values are sealed where there is a key for that.
///
/// `@unchecked Sendable`: used by one thread at a time, first by the one that starts the process, then by the clerk's.
final class ControlStore: @unchecked Sendable {
    struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    let database: Database
    private let seal: ControlSeal?
    static let fileName = "sluice.db"

    /// - Parameter directory: made if it is not there.
    init(directory: String, seal: ControlSeal?) throws(DatabaseError) {
        database = try Database(directory + "/" + Self.fileName)
        self.seal = seal
        self.directory = directory
        // A change that was answered is on the disk, whatever happens to the machine: there are few of them.
        try database.execute("PRAGMA synchronous = FULL")
        try ControlSchema.migrations.apply(to: database)
    }

    let directory: String
    /// Whether the vault's keys seal what is kept.
    var usesVault: Bool { seal?.usesVault == true }

    /// Whether what is kept is sealed: without a key for that, nothing may be kept that is a secret.
    var isSealing: Bool { seal != nil }

    // MARK: The present

    /// Everything but the API keys, which `forEachKey` gives.
    func state() throws -> ControlState {
        var state = ControlState()
        state.revision = try database.integer("SELECT coalesce(max(revision), 0) FROM control_revisions")
        var statement = try database.prepare(
            """
            SELECT unit, max(revision), value, is_sealed FROM control_units
            WHERE unit NOT LIKE 'access.keys/%' GROUP BY unit
            """)
        while try statement.step() {
            guard !statement.isNull(2), let unit = ConfigUnit(key: statement.string(0)) else { continue }
            let revision = statement.integer(1)
            state.units[unit] = try value(
                Array(copying: statement.bytes(2)), unit, revision, isSealed: statement.bool(3))
            state.unitRevisions[unit] = revision
        }
        return state
    }

    /// Calls `body` with every API key that is kept, in the order of their ids.
    ///
    /// - Parameter after: an id; only those that come after it.
    func forEachKey(
        after: String = "", atMost count: Int = .max, _ body: (_ id: String, _ revision: Int, ConfigValue) -> Void
    ) throws {
        var statement = try database.prepare(
            """
            SELECT unit, max(revision) AS latest, value, is_sealed FROM control_units
            WHERE unit > ?1 AND unit < 'access.keys0' GROUP BY unit HAVING value IS NOT NULL ORDER BY unit LIMIT ?2
            """)
        try statement.bind(1, "access.keys/" + after)
        try statement.bind(2, count)
        while try statement.step() {
            guard let unit = ConfigUnit(key: statement.string(0)), let id = unit.name else { continue }
            let revision = statement.integer(1)
            body(
                id, revision,
                try value(Array(copying: statement.bytes(2)), unit, revision, isSealed: statement.bool(3)))
        }
    }

    /// What a unit says, or said.
    ///
    /// - Returns: `nil` if there is no such unit then.
    func unit(
        _ unit: ConfigUnit, atRevision revision: Int = .max
    ) throws -> (revision: Int, value: ConfigValue)? {
        var statement = try database.prepare(
            """
            SELECT revision, value, is_sealed FROM control_units WHERE unit = ?1 AND revision <= ?2
            ORDER BY revision DESC LIMIT 1
            """)
        try statement.bind(1, unit.key)
        try statement.bind(2, revision)
        guard try statement.step(), !statement.isNull(1) else { return nil }
        let found = statement.integer(0)
        return (found, try value(Array(copying: statement.bytes(1)), unit, found, isSealed: statement.bool(2)))
    }

    private func value(
        _ bytes: [UInt8], _ unit: ConfigUnit, _ revision: Int, isSealed: Bool
    ) throws -> ConfigValue {
        var text = bytes
        if isSealed {
            guard let seal else {
                throw Unreadable(description: "\(unit.key) is sealed, and there is no key: set control.shared_secret")
            }
            guard let opened = seal.open(bytes, purpose: Self.purpose(unit, revision)) else {
                throw Unreadable(description: "\(unit.key) does not open: another key, or it was changed")
            }
            text = opened
        }
        do {
            return try ConfigText.parse(text)
        } catch {
            throw Unreadable(description: "\(unit.key) is damaged")
        }
    }

    static func purpose(_ unit: ConfigUnit, _ revision: Int) -> String { "control.unit/\(revision)/\(unit.key)" }

    // MARK: The past

    /// The latest first, without their values.
    func records(before revision: Int, atMost count: Int) throws -> [ControlRecord] {
        var statement = try database.prepare(
            """
            SELECT revision, at, author, reason, node, differences FROM control_revisions WHERE revision < ?1
            ORDER BY revision DESC LIMIT ?2
            """)
        try statement.bind(1, revision)
        try statement.bind(2, count)
        var records: [ControlRecord] = []
        while try statement.step() {
            let differences = try? ConfigText.parse(Array(copying: statement.bytes(5)))
            records.append(
                ControlRecord(
                    revision: statement.integer(0), at: statement.integer(1), author: statement.string(2),
                    reason: statement.string(3), node: statement.string(4), changes: [],
                    differences: differences.flatMap(ControlRecord.differences) ?? []))
        }
        return records
    }

    /// Everything but API keys as it was; what has been forgotten since is not in it.
    func units(atRevision revision: Int) throws -> ConfigUnits {
        var units: ConfigUnits = [:]
        var statement = try database.prepare(
            """
            SELECT unit, max(revision), value, is_sealed FROM control_units
            WHERE unit NOT LIKE 'access.keys/%' AND revision <= ?1 GROUP BY unit
            """)
        try statement.bind(1, revision)
        while try statement.step() {
            guard !statement.isNull(2), let unit = ConfigUnit(key: statement.string(0)) else { continue }
            units[unit] = try value(
                Array(copying: statement.bytes(2)), unit, statement.integer(1), isSealed: statement.bool(3))
        }
        return units
    }

    /// Units that were changed after a revision.
    func unitsChanged(after revision: Int) throws -> [ConfigUnit] {
        var statement = try database.prepare("SELECT DISTINCT unit FROM control_units WHERE revision > ?1")
        try statement.bind(1, revision)
        var units: [ConfigUnit] = []
        while try statement.step() { if let unit = ConfigUnit(key: statement.string(0)) { units.append(unit) } }
        return units
    }

    /// The first revision that can be gone back to.
    func oldestRevision() throws -> Int {
        try database.integer("SELECT coalesce(min(revision), 0) FROM control_revisions")
    }

    // MARK: Changing

    /// Keeps a revision, all of it or nothing, and forgets what is too long ago.
    func append(_ record: ControlRecord, keeping revisionsMax: Int) throws {
        var rows: [StoredRow] = []
        for change in record.changes { rows.append(try stored(change.unit, record.revision, change.value)) }
        try database.transaction { () throws(DatabaseError) in
            try insert(record)
            for row in rows { try insert(row) }
            try forget(before: record.revision - revisionsMax)
        }
    }

    /// Puts a whole state in the place of what is kept: nothing of the past is known about it.
    func replace(_ record: ControlRecord, _ units: [(unit: ConfigUnit, revision: Int, value: ConfigValue)]) throws {
        var rows: [StoredRow] = []
        for entry in units { rows.append(try stored(entry.unit, entry.revision, entry.value)) }
        try database.transaction { () throws(DatabaseError) in
            try database.execute("DELETE FROM control_units; DELETE FROM control_revisions")
            try insert(record)
            for row in rows { try insert(row) }
        }
    }

    private struct StoredRow {
        let unit: ConfigUnit
        let revision: Int
        /// `nil`: it is gone.
        let bytes: [UInt8]?
    }

    private func stored(_ unit: ConfigUnit, _ revision: Int, _ value: ConfigValue?) throws -> StoredRow {
        guard let text = value?.compactText else { return StoredRow(unit: unit, revision: revision, bytes: nil) }
        guard let seal else { return StoredRow(unit: unit, revision: revision, bytes: text) }
        guard let sealed = seal.seal(text.span, purpose: Self.purpose(unit, revision)) else {
            throw Unreadable(description: "there is no key to seal with")
        }
        return StoredRow(unit: unit, revision: revision, bytes: sealed)
    }

    private func insert(_ record: ControlRecord) throws(DatabaseError) {
        var statement = try database.prepare("INSERT INTO control_revisions VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        try statement.bind(1, record.revision)
        try statement.bind(2, record.at)
        try statement.bind(3, record.author)
        try statement.bind(4, record.reason)
        try statement.bind(5, record.node)
        let differences = ControlRecord.value(of: record.differences).compactText
        try statement.bind(6, text: differences.span)
        try statement.run()
    }

    private func insert(_ row: StoredRow) throws(DatabaseError) {
        var statement = try database.prepare("INSERT INTO control_units VALUES (?1, ?2, ?3, ?4)")
        try statement.bind(1, row.unit.key)
        try statement.bind(2, row.revision)
        if let bytes = row.bytes { try statement.bind(3, blob: bytes.span) } else { try statement.bindNull(3) }
        try statement.bind(4, seal != nil)
        try statement.run()
    }

    /// Forgets revisions, and what has been replaced or removed since.
    private func forget(before revision: Int) throws(DatabaseError) {
        if revision <= 0 { return }
        var statement = try database.prepare("DELETE FROM control_revisions WHERE revision < ?1")
        try statement.bind(1, revision)
        try statement.run()
        var units = try database.prepare(
            """
            DELETE FROM control_units AS old WHERE revision < ?1 AND EXISTS (SELECT 1 FROM control_units AS new
            WHERE new.unit = old.unit AND new.revision > old.revision AND new.revision <= ?1)
            """)
        try units.bind(1, revision)
        try units.run()
        // Only now: nothing older can come to light.
        var gone = try database.prepare("DELETE FROM control_units WHERE revision < ?1 AND value IS NULL")
        try gone.bind(1, revision)
        try gone.run()
    }

    // MARK: Notes

    /// The mark of what is kept; made of it where it is not of the same revision.
    func mark() throws -> ControlMark {
        let revision = try database.integer("SELECT coalesce(max(revision), 0) FROM control_revisions")
        if let text = try note(ControlMark.note), let mark = ControlMark(text: text), mark.revision == revision {
            return mark
        }
        var mark = ControlMark()
        mark.revision = revision
        for (unit, revision) in try state().unitRevisions { mark.toggle(unit, revision) }
        try forEachKey { id, revision, _ in mark.toggle(.key(id), revision) }
        return mark
    }

    func note(_ name: String) throws(DatabaseError) -> [UInt8]? {
        var statement = try database.prepare("SELECT value FROM control_notes WHERE name = ?1")
        try statement.bind(1, name)
        return try statement.step() ? Array(copying: statement.bytes(0)) : nil
    }

    func setNote(_ name: String, _ value: [UInt8]) throws(DatabaseError) {
        var statement = try database.prepare("INSERT OR REPLACE INTO control_notes VALUES (?1, ?2)")
        try statement.bind(1, name)
        try statement.bind(2, blob: value.span)
        try statement.run()
    }
}
