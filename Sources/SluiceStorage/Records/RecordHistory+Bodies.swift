package import SluiceCore
internal import SluiceTLS

/// What was kept of a request and its response.
package struct HistoryBodies {
    package var request: ByteBuffer?
    package var response: ByteBuffer?
    /// There was more.
    package var isRequestCut = false
    package var isResponseCut = false
    /// The key that it was sealed with is not here.
    package var isSealed = false
}

extension RecordHistory {
    /// - Returns: `nil` if no bodies were kept.
    package func bodies(_ entry: HistoryEntry) throws(DatabaseError) -> HistoryBodies? {
        var row = try connection.prepare("SELECT seal, flags, request, response FROM bodies WHERE key = ?")
        try row.bind(1, entry.key.number)
        guard try row.step() else { return nil }
        var bodies = HistoryBodies()
        bodies.isRequestCut = row.integer(1) & 1 != 0
        bodies.isResponseCut = row.integer(1) & 2 != 0
        let isSealed = row.integer(0) != 0
        for (column, part) in [(2, RecordBody.Part.request), (3, .response)] where !row.isNull(column) {
            let buffer = ByteBuffer(capacity: row.bytes(column).count)
            if !isSealed {
                buffer.append(row.bytes(column))
            } else if (try? vault.open(row.bytes(column), purpose: RecordBody.purpose(part, entry.id), into: buffer))
                == nil
            {
                bodies.isSealed = true
                continue
            }
            if part == .request { bodies.request = buffer } else { bodies.response = buffer }
        }
        return bodies
    }
}
