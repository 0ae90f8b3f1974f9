import Foundation
import Glibc
import SluiceCore
import SluiceStorage
import TestSupport
import Testing

/// A directory of the test's own, removed with it.
final class ScratchDirectory {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "sluice-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func mode(of name: String) -> Int {
        (try? FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")[.posixPermissions] as? Int) ?? -1
    }
}

@Suite struct `An embedded database` {
    private let scratch: ScratchDirectory
    private var path: String { scratch.path + "/made/records.db" }

    init() throws { scratch = try ScratchDirectory() }

    @Test func `its files and its directory are its owner's alone`() throws {
        let database = try Database(path)
        try database.execute("CREATE TABLE t (a)")
        #expect(scratch.mode(of: "made") == 0o700)
        #expect(scratch.mode(of: "made/records.db") == 0o600)
        #expect(scratch.mode(of: "made/records.db-wal") == 0o600)
        #expect(scratch.mode(of: "made/records.db-shm") == 0o600)
    }

    @Test func `a file that others could read is closed to them`() throws {
        do { _ = try Database(path) }
        unsafe #expect(chmod(path, 0o644) == 0)
        _ = try Database(path)
        #expect(scratch.mode(of: "made/records.db") == 0o600)
    }

    @Test func `a link is not followed`() throws {
        unsafe symlink("/etc/passwd", scratch.path + "/records.db")
        let error = #expect(throws: DatabaseError.self) { _ = try Database(scratch.path + "/records.db") }
        #expect(error?.kind == .unopenable)
    }

    @Test func `values come back as they went in`() throws {
        let database = try Database(path)
        try database.execute("CREATE TABLE t (a, b, c, d, e)")
        do {
            var insert = try database.prepare("INSERT INTO t VALUES (?, ?, ?, ?, ?)")
            try insert.bind(1, Int.min)
            try insert.bind(2, "it's \u{0}; DROP TABLE t; -- 汉")
            try insert.bind(3, blob: [0, 255, 39].span)
            try insert.bind(4, nil as String?)
            try insert.bind(5, "")
            try insert.run()
        }
        var select = try database.prepare("SELECT * FROM t")
        #expect(try select.step())
        let values = (select.integer(0), select.string(1), Array(copying: select.bytes(2)), select.isNull(3))
        #expect(values == (Int.min, "it's \u{0}; DROP TABLE t; -- 汉", [0, 255, 39], true))
        let (isNull, text) = (select.isNull(4), select.string(4))
        #expect(!isNull && text.isEmpty)
        let isOver = try !select.step()
        #expect(isOver)
    }

    @Test func `a statement that was used comes back with nothing bound`() throws {
        let database = try Database(path)
        do {
            var first = try database.prepare("SELECT ?")
            try first.bind(1, 7)
            _ = try first.step()
        }
        var second = try database.prepare("SELECT ?")
        _ = try second.step()
        let isNull = second.isNull(0)
        #expect(isNull)
        // And one that is in use is not given twice.
        var third = try database.prepare("SELECT ?")
        try third.bind(1, 9)
        #expect(try third.step())
        let isStillNull = second.isNull(0)
        #expect(isStillNull)
    }

    @Test func `a transaction that fails leaves nothing behind`() throws {
        let database = try Database(path)
        try database.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
        #expect(throws: DatabaseError.self) {
            try database.transaction { () throws(DatabaseError) in
                try database.execute("INSERT INTO t VALUES (1)")
                try database.execute("INSERT INTO t VALUES (1)")
            }
        }
        #expect(try database.integer("SELECT count(*) FROM t") == 0)
        try database.transaction { () throws(DatabaseError) in try database.execute("INSERT INTO t VALUES (1)") }
        #expect(try database.integer("SELECT count(*) FROM t") == 1)
    }

    @Test func `a statement ends when its time is over, and the connection goes on`() throws {
        let database = try Database(path)
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        let start = ThreadTime.now
        let error = #expect(throws: DatabaseError.self) {
            try database.within(.milliseconds(30)) { () throws(DatabaseError) in _ = try database.integer(endless) }
        }
        #expect(error?.kind == .timeout)
        // Without a limit it would not end.
        #expect(ThreadTime.now - start < .seconds(2))
        #expect(try database.integer("SELECT 1") == 1)
    }

    @Test func `a file that may not grow says that it is full`() throws {
        var options = Database.Options()
        options.byteCountMax = 64 << 10
        let database = try Database(path, options)
        try database.execute("CREATE TABLE t (a)")
        let error = #expect(throws: DatabaseError.self) {
            for _ in 0..<100 { try database.execute("INSERT INTO t VALUES (zeroblob(4000))") }
        }
        #expect(error?.kind == .full)
        #expect(error?.mayPass == true)
        try database.limit(byteCount: 1 << 20)
        try database.execute("INSERT INTO t VALUES (zeroblob(4000))")
    }

    @Test func `what is not a database is refused with what to do`() throws {
        try Data(repeating: 65, count: 8192).write(to: URL(fileURLWithPath: scratch.path + "/records.db"))
        let error = #expect(throws: DatabaseError.self) { _ = try Database(scratch.path + "/records.db") }
        #expect(error?.kind == .corrupt)
        #expect(error?.description.contains("move the file away") == true)
    }

    @Test func `who only reads cannot write`() throws {
        let writer = try Database(path)
        try writer.execute("CREATE TABLE t (a)")
        var options = Database.Options()
        options.isReadOnly = true
        let reader = try Database(path, options)
        #expect(try reader.integer("SELECT count(*) FROM t") == 0)
        let error = #expect(throws: DatabaseError.self) { try reader.execute("INSERT INTO t VALUES (1)") }
        #expect(error?.kind == .readOnly)
    }

    @Test func `one process at a time holds a lock`() throws {
        let lockPath = scratch.path + "/records.lock"
        do {
            let first = try DirectoryLock(lockPath)
            #expect(first != nil)
            let second = try DirectoryLock.wait(for: lockPath, atMost: .milliseconds(150))
            #expect(second == nil)
        }
        let third = try DirectoryLock(lockPath)
        #expect(third != nil)
    }
}

@Suite struct `The schema of a database` {
    private let scratch: ScratchDirectory
    private var path: String { scratch.path + "/a.db" }
    private let first = Migration(1, "CREATE TABLE a (x); CREATE TABLE b (y)")
    private let second = Migration(2, "ALTER TABLE a ADD COLUMN z")

    init() throws { scratch = try ScratchDirectory() }

    @Test func `steps are taken once, and what was there stays`() throws {
        let database = try Database(path)
        #expect(try Migrations(applicationID: 7, steps: [first]).apply(to: database) == 0)
        try database.execute("INSERT INTO a VALUES (1)")
        let both = Migrations(applicationID: 7, steps: [first, second])
        #expect(try both.apply(to: database) == 1)
        #expect(try both.apply(to: database) == 2)
        #expect(try database.integer("SELECT count(*) FROM a WHERE z IS NULL") == 1)
    }

    @Test func `a step that fails half-way leaves the version before it`() throws {
        let database = try Database(path)
        let broken = Migration(2, "CREATE TABLE c (x); CREATE TABLE a (x)")
        #expect(throws: DatabaseError.self) {
            try Migrations(applicationID: 7, steps: [first, broken]).apply(to: database)
        }
        #expect(try database.integer("PRAGMA user_version") == 1)
        #expect(try database.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'c'") == 0)
    }

    @Test func `a file of a later version is refused and left as it is`() throws {
        let database = try Database(path)
        try Migrations(applicationID: 7, steps: [first, second]).apply(to: database)
        let error = #expect(throws: DatabaseError.self) {
            try Migrations(applicationID: 7, steps: [first]).apply(to: database)
        }
        #expect(error?.kind == .foreign)
        #expect(error?.description.contains("later version") == true)
        #expect(try database.integer("PRAGMA user_version") == 2)
    }

    @Test func `somebody else's file is refused`() throws {
        let database = try Database(path)
        try database.execute("CREATE TABLE theirs (x)")
        let error = #expect(throws: DatabaseError.self) {
            try Migrations(applicationID: 7, steps: [first]).apply(to: database)
        }
        #expect(error?.kind == .foreign)
    }

    @Test func `the table of models holds what it promises`() throws {
        let database = try Database(path)
        try Migrations(applicationID: ModelsSchema.applicationID, steps: [ModelsSchema.models]).apply(to: database)
        try database.execute(
            "INSERT INTO models (id, name, provider, created_at, updated_at) VALUES ('m1', 'gpt', 'openai', 0, 0)")
        let error = #expect(throws: DatabaseError.self) { try database.execute("UPDATE models SET status = 'gone'") }
        #expect(error?.kind == .constraint)
    }
}
