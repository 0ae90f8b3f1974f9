/// The tables of `records.db`.
///
/// What is searched by is in one narrow table of numbers, which a page walks fast; names are numbers of `names`; texts
/// and bodies are fetched for the records of a page alone. A record's key is its time and a count (`RecordKey`): every
/// index ends with it, so that each of them has records in order.
package enum RecordSchema {
    /// PRAGMA application_id: "Slcr".
    static let applicationID: Int32 = 0x536C_6372

    package static let migrations = Migrations(applicationID: applicationID, steps: [first])

    private static let first = Migration(
        1,
        """
        CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
        INSERT INTO names VALUES (0, '');

        CREATE TABLE invocations (
            key INTEGER PRIMARY KEY,
            id BLOB NOT NULL,
            origin INTEGER NOT NULL,            -- names: the node that made it; 0: this one
            user INTEGER NOT NULL,              -- names
            principal INTEGER NOT NULL,
            team INTEGER NOT NULL,
            model INTEGER NOT NULL,
            provider INTEGER NOT NULL,
            outcome INTEGER NOT NULL,           -- 0: complete
            http_status INTEGER NOT NULL,
            request_hash INTEGER NOT NULL,
            start_time INTEGER NOT NULL,        -- milliseconds since 1970
            end_time INTEGER NOT NULL,
            duration_us INTEGER NOT NULL,
            first_byte_us INTEGER NOT NULL,     -- -1: none
            input_tokens INTEGER NOT NULL,
            output_tokens INTEGER NOT NULL,
            cached_tokens INTEGER NOT NULL,
            reasoning_tokens INTEGER NOT NULL,
            total_tokens INTEGER NOT NULL,
            cost_micros INTEGER NOT NULL,       -- -1: not known
            usage_source INTEGER NOT NULL,
            is_stream INTEGER NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX invocations_by_id ON invocations (id);
        CREATE INDEX invocations_by_request ON invocations (request_hash);
        CREATE INDEX invocations_by_user ON invocations (user);
        CREATE INDEX invocations_by_principal ON invocations (principal);
        CREATE INDEX invocations_by_team ON invocations (team);
        CREATE INDEX invocations_by_model ON invocations (model);
        CREATE INDEX invocations_by_provider ON invocations (provider);
        CREATE INDEX invocations_by_outcome ON invocations (outcome) WHERE outcome <> 0;
        CREATE INDEX invocations_by_http_status ON invocations (http_status) WHERE http_status <> 200;

        CREATE TABLE details (
            key INTEGER PRIMARY KEY,
            request_id TEXT NOT NULL,
            business_line INTEGER NOT NULL,     -- names
            credential INTEGER NOT NULL,
            scene INTEGER NOT NULL,
            upstream_model INTEGER NOT NULL,
            route INTEGER NOT NULL,
            cache_state INTEGER NOT NULL,
            error_code INTEGER NOT NULL,
            error_owner INTEGER NOT NULL,
            error_message TEXT,
            attempts TEXT NOT NULL,             -- JSON
            parameters TEXT                     -- JSON
        ) STRICT;

        CREATE TABLE bodies (
            key INTEGER PRIMARY KEY,
            seal INTEGER NOT NULL,              -- names: the key that sealed it; 0: none
            flags INTEGER NOT NULL,             -- 1: the request was longer, 2: the response was
            request BLOB,
            response BLOB
        ) STRICT;
        CREATE INDEX bodies_by_seal ON bodies (seal);

        CREATE TABLE usage_by_day (
            day INTEGER NOT NULL,               -- days since 1970, UTC
            principal INTEGER NOT NULL,
            user INTEGER NOT NULL,
            team INTEGER NOT NULL,
            model INTEGER NOT NULL,
            provider INTEGER NOT NULL,
            requests INTEGER NOT NULL,
            errors INTEGER NOT NULL,
            cache_hits INTEGER NOT NULL,
            input_tokens INTEGER NOT NULL,
            output_tokens INTEGER NOT NULL,
            cached_tokens INTEGER NOT NULL,
            reasoning_tokens INTEGER NOT NULL,
            cost_micros INTEGER NOT NULL,
            unpriced INTEGER NOT NULL,          -- requests whose cost is not known
            duration_us INTEGER NOT NULL,
            PRIMARY KEY (day, principal, user, team, model, provider)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE marks (name TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        """)
}
