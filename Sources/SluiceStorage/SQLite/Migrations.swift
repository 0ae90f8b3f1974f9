/// One step of a schema. Once released, its text never changes: what is new is a step of its own.
package struct Migration: Sendable {
    /// Counts from 1, without gaps.
    package let version: Int
    package let text: String

    package init(_ version: Int, _ text: String) {
        self.version = version
        self.text = text
    }
}

/// The steps that lead to a file's schema, and the mark by which files of its kind are known.
package struct Migrations: Sendable {
    /// PRAGMA application_id: tells Sluice's files from others, and one kind from another.
    package let applicationID: Int32
    package let steps: [Migration]

    package init(applicationID: Int32, steps: [Migration]) {
        precondition(steps.map(\.version) == Array(1...max(steps.count, 1)), "migrations count from 1, without gaps")
        self.applicationID = applicationID
        self.steps = steps
    }

    package var version: Int { steps.count }

    /// Brings the file up to date: each step in a transaction of its own, so that a file is of one version or of the next.
    ///
    /// Every step adds to what is there; nothing is removed that an older version wrote.
    ///
    /// - Returns: the version that was found; 0 for a new file.
    /// - Throws: `foreign` for a file of a later version, or one that is not of this kind: it is left as it is.
    @discardableResult package func apply(to database: Database) throws(DatabaseError) -> Int {
        let found = try check(database)
        for step in steps.dropFirst(found) {
            try database.transaction { () throws(DatabaseError) in
                // Another process may have been faster.
                guard try database.integer("PRAGMA user_version") < step.version else { return }
                try database.execute(step.text)
                try database.execute(
                    "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(step.version)")
            }
        }
        return found
    }

    /// The file's version.
    package func check(_ database: Database) throws(DatabaseError) -> Int {
        let found = try database.integer("PRAGMA user_version")
        let kind = try database.integer("PRAGMA application_id")
        let tableCount = try database.integer("SELECT count(*) FROM sqlite_schema")
        if kind != Int(applicationID), kind != 0 || found != 0 || tableCount != 0 {
            throw DatabaseError(
                .foreign, path: database.path, reason: "is not a file of this kind: name another directory for Sluice's files")
        }
        if found > version {
            throw DatabaseError(
                .foreign, path: database.path,
                reason: """
                    was written by a later version of Sluice (schema \(found), this one knows \(version)): start that \
                    version, or move the file away
                    """)
        }
        return found
    }
}
