/// Names as numbers: what is written again and again is stored once. Belongs to the thread of its connection.
struct NameTable {
    private let database: Database
    private var known: [String: Int] = ["": 0]
    /// Callers choose some of the names: those that are not kept are looked up.
    private static let knownMax = 50_000

    init(_ database: Database) { self.database = database }

    /// The number of a name, which gets one if it has none.
    mutating func id(of name: String) throws(DatabaseError) -> Int {
        if let id = known[name] { return id }
        let id: Int
        if let found = try find(name) { id = found } else { id = try add(name) }
        if known.count >= Self.knownMax { forget() }
        known[name] = id
        return id
    }

    /// - Returns: `nil` if no record has the name.
    func find(_ name: String) throws(DatabaseError) -> Int? {
        if name.isEmpty { return 0 }
        var query = try database.prepare("SELECT id FROM names WHERE name = ?")
        try query.bind(1, name)
        return try query.step() ? query.integer(0) : nil
    }

    private func add(_ name: String) throws(DatabaseError) -> Int {
        var row = try database.prepare("INSERT INTO names (name) VALUES (?)")
        try row.bind(1, name)
        try row.run()
        return database.lastRowID
    }

    /// Trusts nothing it remembers: what was written was taken back.
    mutating func forget() { known = ["": 0] }
}

/// Numbers as names again, on a connection that reads.
final class NameReader {
    private let database: Database
    private var known: [Int: String] = [0: ""]
    private static let knownMax = 50_000

    init(_ database: Database) { self.database = database }

    func name(_ id: Int) throws(DatabaseError) -> String {
        if let name = known[id] { return name }
        var query = try database.prepare("SELECT name FROM names WHERE id = ?")
        try query.bind(1, id)
        let name = try query.step() ? query.string(0) : ""
        if known.count >= Self.knownMax { known = [0: ""] }
        known[id] = name
        return name
    }
}
