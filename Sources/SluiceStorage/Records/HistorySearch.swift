internal import SluiceCore

/// A question in the numbers of the tables.
struct HistorySearch {
    /// One way to the records: an index, and what it has to say.
    struct Index {
        let name: StaticString
        let column: StaticString
        let value: Int
        /// Of an index over some records only: what makes them those.
        var condition: StaticString = ""
    }

    private(set) var indexes: [Index] = []
    /// Keys below this, and from this on.
    private var below = Int.max
    private var from = 0
    /// `nil`: any. In the order of the statement's columns from 1 on.
    private var wanted: [Int?] = []
    private let isFailure: Bool
    private let requestID: String?
    private(set) var text: ByteBuffer?

    /// - Returns: `nil` if no record can be meant: it names what no record has.
    init?(_ filter: HistoryFilter, after cursor: HistoryCursor?, _ names: NameTable) throws(DatabaseError) {
        isFailure = filter.isFailure
        requestID = filter.requestID
        if let text = filter.text, !text.isEmpty { self.text = ByteBuffer(text.lowercasedASCII) }
        if let until = filter.until { below = RecordKey.first(ofMilliseconds: until) }
        if let from = filter.from { self.from = RecordKey.first(ofMilliseconds: from) }
        if let cursor { below = min(below, cursor.key) }
        var values: [Int?] = []
        for name in [filter.user, filter.principal, filter.team, filter.model, filter.provider] {
            guard let name else {
                values.append(nil)
                continue
            }
            guard let id = try names.find(name) else { return nil }
            values.append(id)
        }
        let hash = filter.requestID.map(RecordInserter.hash)
        wanted = values + [filter.outcome.map { Int($0.rawValue) }, filter.httpStatus, hash]
        if let hash { indexes.append(Index(name: "invocations_by_request", column: "request_hash", value: hash)) }
        // What is rare first: of two that have many, it is the better one.
        if let outcome = filter.outcome, outcome != .complete {
            indexes.append(
                Index(
                    name: "invocations_by_outcome", column: "outcome", value: Int(outcome.rawValue),
                    condition: "AND outcome <> 0"))
        }
        if let status = filter.httpStatus, status != 200 {
            indexes.append(
                Index(
                    name: "invocations_by_http_status", column: "http_status", value: status,
                    condition: "AND http_status <> 200"))
        }
        let columns: [(StaticString, StaticString)] = [
            ("invocations_by_user", "user"), ("invocations_by_principal", "principal"), ("invocations_by_team", "team"),
            ("invocations_by_model", "model"), ("invocations_by_provider", "provider"),
        ]
        for (value, (name, column)) in zip(values, columns) {
            if let value { indexes.append(Index(name: name, column: column, value: value)) }
        }
        // A request's id says it all.
        if hash != nil { indexes = [indexes[0]] }
    }

    // MARK: Statements: made of literals of this file alone

    func statement(_ index: Index?) -> String {
        "SELECT key, user, principal, team, model, provider, outcome, http_status, request_hash FROM invocations \(clause(index)) ORDER BY key DESC"
    }

    func countStatement(_ index: Index) -> String {
        "SELECT count(*) FROM (SELECT 1 FROM invocations \(clause(index)) LIMIT ?4)"
    }

    private func clause(_ index: Index?) -> String {
        guard let index else { return "NOT INDEXED WHERE key < ?2 AND key >= ?3" }
        return "INDEXED BY \(index.name) WHERE \(index.column) = ?1 \(index.condition) AND key < ?2 AND key >= ?3"
    }

    func bind(_ index: Index?, to statement: inout Statement) throws(DatabaseError) {
        if let index { try statement.bind(1, index.value) }
        try statement.bind(2, below)
        try statement.bind(3, from)
    }

    // MARK: Matching

    func matches(_ row: borrowing Statement) -> Bool {
        for (position, value) in wanted.enumerated() {
            if let value, row.integer(position + 1) != value { return false }
        }
        return !isFailure || row.integer(6) != 0
    }

    /// What the narrow table does not say.
    func matches(_ entry: HistoryEntry, _ history: RecordHistory) throws(DatabaseError) -> Bool {
        if let requestID, entry.record.requestID != requestID { return false }
        guard let text else { return true }
        let record = entry.record
        for part in [
            record.errorMessage, record.errorCode, record.requestID, record.userID, record.modelID,
            record.upstreamModel,
            record.provider, record.scene, record.team,
        ] where part.utf8Span.span.containsIgnoringCase(text.span) { return true }
        if let parameters = entry.parameters, parameters.span.containsIgnoringCase(text.span) { return true }
        guard entry.hasBodies, let bodies = try history.bodies(entry) else { return false }
        if let request = bodies.request, request.span.containsIgnoringCase(text.span) { return true }
        if let response = bodies.response, response.span.containsIgnoringCase(text.span) { return true }
        return false
    }
}

extension String {
    fileprivate var lowercasedASCII: String {
        String(decoding: utf8.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}

extension Span<UInt8> {
    /// - Parameter lowercase: without capital letters of ASCII.
    func containsIgnoringCase(_ lowercase: Span<UInt8>) -> Bool {
        if lowercase.isEmpty { return true }
        if count < lowercase.count { return false }
        let first = lowercase[0]
        for start in 0...(count - lowercase.count) {
            if Self.folded(self[start]) != first { continue }
            var offset = 1
            while offset < lowercase.count, Self.folded(self[start + offset]) == lowercase[offset] { offset += 1 }
            if offset == lowercase.count { return true }
        }
        return false
    }

    private static func folded(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }
}
