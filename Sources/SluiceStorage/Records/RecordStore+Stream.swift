internal import SluiceCore
internal import SluiceJSON
internal import SluiceNet
internal import Synchronization

/// Records of this node that the stream has not got yet.
struct UnshippedRecords: Sendable {
    /// Each a JSON object.
    var texts: [[UInt8]] = []
    /// What is shipped when all of them are.
    var mark: Int
    /// There may be more.
    var isFull = false
}

extension RecordStore {
    static let shippedMark = "shipped"

    /// The oldest records that the stream has not got, as far as it is known. To be called on a loop, where it returns.
    ///
    /// - Returns: `nil` if they cannot be read at the moment.
    func unshipped(atMost count: Int, node: String) async -> UnshippedRecords? {
        await onWriter { session in
            var found: UnshippedRecords?
            try? session.readUnshipped(count, node, Self.shippedMark, &found)
            return found
        }
    }

    /// Remembers that the stream has everything up to this key.
    func noteShipped(_ key: Int) async {
        _ = await onWriter { session in
            try? session.inserter.unit { () throws(DatabaseError) in
                var row = try session.database.prepare(
                    "INSERT INTO marks VALUES (?, ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)")
                try row.bind(1, Self.shippedMark)
                try row.bind(2, key)
                try row.run()
            }
            return true
        }
    }

    /// Writes what other nodes have made; a record that is there already is skipped.
    ///
    /// - Returns: whether all of them are on the disk.
    func collect(_ records: [CollectedRecord]) async -> Bool {
        let count = await onWriter { session -> Int? in
            try? session.inserter.unit { () throws(DatabaseError) in
                var count = 0
                for record in records where try session.inserter.collect(record) { count += 1 }
                return count
            }
        }
        guard let count else { return false }
        counters.collected.add(count, ordering: .relaxed)
        return true
    }

    /// Has `work` done on the writer's thread, and returns on the loop that it was called on.
    private func onWriter<Value: Sendable>(
        _ work: @escaping @Sendable (RecordWriter.Session) -> Value?
    ) async -> Value? {
        guard let loop = EventLoop.current else { preconditionFailure("records are awaited off every loop") }
        let wait = Waiter<Value?>()
        nonisolated(unsafe) let confined = wait  // used on the loop alone: the value is carried there
        let isTaken = perform { session in
            let value = session.flatMap(work)
            loop.execute { unsafe confined.fulfil(value) }
        }
        return isTaken ? await wait.wait() : nil
    }
}

extension RecordWriter.Session {
    func readUnshipped(
        _ count: Int, _ node: String, _ mark: String, _ found: inout UnshippedRecords?
    ) throws(DatabaseError) {
        var find = try database.prepare("SELECT coalesce((SELECT value FROM marks WHERE name = ?), 0)")
        try find.bind(1, mark)
        let after = try find.step() ? find.integer(0) : 0
        var batch = UnshippedRecords(mark: after)
        var rows = try database.prepare("SELECT key, origin FROM invocations WHERE key > ? ORDER BY key LIMIT ?")
        try rows.bind(1, after)
        try rows.bind(2, count)
        var rowCount = 0
        while try rows.step() {
            rowCount += 1
            batch.mark = rows.integer(0)
            // Those of others are in the stream already: they came from there.
            guard rows.integer(1) == 0, let entry = try history.entry(RecordKey(rows.integer(0)), nil) else { continue }
            let buffer = ByteBuffer(capacity: 1024)
            var json = JSONWriter(into: buffer)
            let attempts = entry.attempts
            RecordJSON.write(
                entry.record, id: entry.id, origin: node, attempts: attempts.span, parameters: entry.parameters,
                to: &json)
            batch.texts.append(Array(copying: buffer.span))
        }
        batch.isFull = rowCount == count
        found = batch
    }
}

extension [UInt8] {
    fileprivate init(copying bytes: Span<UInt8>) {
        self = unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
    }
}
