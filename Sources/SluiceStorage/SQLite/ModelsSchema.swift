/// The table of models, in the file of what the management API keeps (`sluice.db`): the first step of its schema.
package enum ModelsSchema {
    /// PRAGMA application_id of `sluice.db`: "Slcc".
    package static let applicationID: Int32 = 0x536C_6363

    /// Prices are in millionths of the currency per million tokens: integers, as all money.
    package static let models = Migration(
        1,
        """
        CREATE TABLE models (
            id TEXT PRIMARY KEY NOT NULL,
            name TEXT NOT NULL,
            provider TEXT NOT NULL,
            upstream_model TEXT NOT NULL DEFAULT '',
            endpoint TEXT NOT NULL DEFAULT '',
            api_key TEXT,                       -- sealed, never plain
            status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled')),
            max_concurrency INTEGER,            -- NULL: no limit of its own
            price_input INTEGER,                -- micro-units a million tokens; NULL: unknown
            price_output INTEGER,
            price_cached_input INTEGER,
            version INTEGER NOT NULL DEFAULT 1, -- counts up with every change
            settings TEXT NOT NULL DEFAULT '{}',-- whatever else a model's entry in the configuration may say, as JSON
            created_at INTEGER NOT NULL,        -- milliseconds since 1970
            updated_at INTEGER NOT NULL,
            updated_by TEXT NOT NULL DEFAULT '',
            average_latency_ms INTEGER,         -- measured; NULL: not yet
            success_rate REAL,                  -- measured, 0 to 1
            measured_requests INTEGER NOT NULL DEFAULT 0,
            measured_at INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE UNIQUE INDEX models_by_name ON models (name, provider, upstream_model);
        """)
}
