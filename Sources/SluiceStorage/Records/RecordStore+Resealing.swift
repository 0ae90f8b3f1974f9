internal import SluiceCore
package import SluiceTLS

/// Bodies follow the vault's key.
extension RecordStore: Resealable {
    package var sealedStoreName: String { "records.bodies" }

    package func reseal(after cursor: String?, count: Int, with vault: SecretVault) throws -> ResealedBatch {
        guard let settings else { return ResealedBatch() }
        let database = try Database(settings.path)
        try RecordSchema.migrations.apply(to: database)
        // What the writer has sealed with the key of before is in the file once its transaction is over.
        if cursor == nil { try database.transaction {} }
        var batch = ResealedBatch()
        var names = NameTable(database)
        var rows = try database.prepare(
            """
            SELECT b.key, i.id, b.request, b.response FROM bodies b JOIN invocations i ON i.key = b.key
            WHERE b.seal <> 0 AND b.key > ? ORDER BY b.key LIMIT ?
            """)
        try rows.bind(1, cursor.flatMap { Int($0) } ?? -1)
        try rows.bind(2, max(1, count / 2))
        var moves: [(key: Int, parts: [RecordBody.Part: [UInt8]])] = []
        var rowCount = 0
        while try rows.step() {
            rowCount += 1
            let key = rows.integer(0)
            batch.cursor = "\(key)"
            guard let id = RecordID(bytes: rows.bytes(1)) else { continue }
            var parts: [RecordBody.Part: [UInt8]] = [:]
            for (column, part) in [(2, RecordBody.Part.request), (3, .response)] where !rows.isNull(column) {
                let sealed = ByteBuffer(copying: rows.bytes(column))
                let buffer = ByteBuffer(capacity: sealed.count)
                batch.take(sealedBy: SecretVault.keyID(ofBytes: sealed.span), with: vault) { () throws(SecretError) in
                    let purpose = RecordBody.purpose(part, id)
                    if try vault.reseal(sealed.span, purpose: purpose, into: buffer) {
                        parts[part] = Array(decoding: buffer)
                    }
                }
            }
            if !parts.isEmpty { moves.append((key, parts)) }
        }
        if rowCount < max(1, count / 2) { batch.cursor = nil }
        if !moves.isEmpty { try store(moves, vault, database, &names) }
        return batch
    }

    private func store(
        _ moves: [(key: Int, parts: [RecordBody.Part: [UInt8]])], _ vault: SecretVault, _ database: Database,
        _ names: inout NameTable
    ) throws(DatabaseError) {
        try database.transaction { () throws(DatabaseError) in
            let seal = try names.id(of: vault.currentKeyID.map { "\($0)" } ?? "")
            for (key, parts) in moves {
                var update = try database.prepare(
                    "UPDATE bodies SET seal = ?, request = coalesce(?, request), response = coalesce(?, response) WHERE key = ?"
                )
                try update.bind(1, seal)
                for (parameter, part) in [(2, RecordBody.Part.request), (3, .response)] {
                    if let bytes = parts[part] {
                        try update.bind(parameter, blob: bytes.span)
                    } else {
                        try update.bindNull(parameter)
                    }
                }
                try update.bind(4, key)
                try update.run()
            }
        }
    }
}

extension [UInt8] {
    fileprivate init(decoding buffer: ByteBuffer) {
        let bytes = buffer.span
        self = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
    }
}
