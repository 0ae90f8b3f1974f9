internal import SluiceStorage

/// The tables of what the management API keeps, in `sluice.db`.
enum ControlSchema {
    static let migrations = Migrations(
        applicationID: ModelsSchema.applicationID, steps: [ModelsSchema.models, control, uses])

    private static let control = Migration(
        2,
        """
        CREATE TABLE control_revisions (
            revision INTEGER PRIMARY KEY NOT NULL,
            at INTEGER NOT NULL,                -- milliseconds since 1970
            author TEXT NOT NULL,               -- a principal's id
            reason TEXT NOT NULL,
            node TEXT NOT NULL,
            differences TEXT NOT NULL           -- JSON, without secrets
        ) STRICT;
        -- What a unit says from a revision on; NULL: it is gone from then on.
        CREATE TABLE control_units (
            unit TEXT NOT NULL,
            revision INTEGER NOT NULL,
            value BLOB,
            is_sealed INTEGER NOT NULL,
            PRIMARY KEY (unit, revision)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE control_notes (name TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
        """)

    /// Models are units; what is measured of them, and when keys were used, is written beside them.
    private static let uses = Migration(
        3,
        """
        DROP TABLE models;
        CREATE TABLE key_uses (key TEXT PRIMARY KEY NOT NULL, used_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE target_totals (
            provider TEXT NOT NULL,
            model TEXT NOT NULL,                -- as the provider spells it
            answers INTEGER NOT NULL,
            failures INTEGER NOT NULL,
            timed INTEGER NOT NULL,             -- answers whose time was taken
            timed_us INTEGER NOT NULL,          -- all of their times
            PRIMARY KEY (provider, model)
        ) STRICT, WITHOUT ROWID;
        """)
}
