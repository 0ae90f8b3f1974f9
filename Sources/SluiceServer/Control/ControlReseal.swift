internal import SluiceCore
internal import SluiceHTTP
internal import SluiceStorage
internal import SluiceTLS

/// Has what the management API keeps sealed with the vault's current key, after a rotation. Has a connection of its
/// own.
final class ControlReseal: Resealable {
    let sealedStoreName = "control"
    private let path: String

    init(_ store: ControlStore) { path = store.directory + "/" + ControlStore.fileName }

    func reseal(after cursor: String?, count: Int, with vault: SecretVault) throws -> ResealedBatch {
        let database = try Database(path)
        var batch = ResealedBatch()
        var rows = try database.prepare(
            """
            SELECT unit, revision, value FROM control_units WHERE is_sealed = 1 AND value IS NOT NULL
            AND substr(value, 1, 1) <> ?4 AND (unit, revision) > (?1, ?2) ORDER BY unit, revision LIMIT ?3
            """)
        // `REVISION UNIT`: a unit's name may have spaces.
        let parts = cursor?.split(separator: " ", maxSplits: 1) ?? []
        try rows.bind(1, parts.count == 2 ? String(parts[1]) : "")
        try rows.bind(2, parts.count == 2 ? Int(parts[0]) ?? 0 : 0)
        try rows.bind(3, count)
        // What the shared secret has sealed is no affair of the vault's keys.
        let shared = [ControlSeal.version]
        try rows.bind(4, blob: shared.span)
        var found: [(unit: String, revision: Int, value: [UInt8])] = []
        while try rows.step() { found.append((rows.string(0), rows.integer(1), Array(copying: rows.bytes(2)))) }
        for row in found {
            var failure: (any Error)?
            batch.take(sealedBy: SecretVault.keyID(ofBytes: row.value.span), with: vault) { () throws(SecretError) in
                let buffer = ByteBuffer(capacity: row.value.count)
                let purpose = "control.unit/\(row.revision)/\(row.unit)"
                guard try vault.reseal(row.value.span, purpose: purpose, into: buffer) else { return }
                do {
                    var update = try database.prepare(
                        "UPDATE control_units SET value = ?1 WHERE unit = ?2 AND revision = ?3 AND value = ?4")
                    try update.bind(1, blob: buffer.span)
                    try update.bind(2, row.unit)
                    try update.bind(3, row.revision)
                    try update.bind(4, blob: row.value.span)
                    try update.run()
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
        }
        if found.count == count, let last = found.last { batch.cursor = "\(last.revision) \(last.unit)" }
        return batch
    }
}
