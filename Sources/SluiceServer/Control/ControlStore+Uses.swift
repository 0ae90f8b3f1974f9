internal import SluicePolicy
internal import SluiceStorage

/// When keys were used, and what targets have done: written down now and then, so that a restart does not forget it.
extension ControlStore {
    /// A key that was not used for so long has no time any more.
    private static let usesKept = 400 * 86_400

    func write(_ uses: [KeyUse], _ totals: [TargetID: TargetTotals]) throws(DatabaseError) {
        if uses.isEmpty && totals.isEmpty { return }
        try database.transaction { () throws(DatabaseError) in
            var row = try database.prepare(
                "INSERT INTO key_uses VALUES (?1, ?2) ON CONFLICT DO UPDATE SET used_at = max(used_at, excluded.used_at)")
            for use in uses {
                try row.bind(1, use.id)
                try row.bind(2, use.seconds)
                try row.run()
            }
            var target = try database.prepare("INSERT OR REPLACE INTO target_totals VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
            for (id, total) in totals {
                try target.bind(1, id.provider)
                try target.bind(2, id.model)
                try target.bind(3, total.answers)
                try target.bind(4, total.failures)
                try target.bind(5, total.timed)
                try target.bind(6, total.timedMicros)
                try target.run()
            }
        }
    }

    /// - Parameter now: seconds since 1970.
    func keyUses(at now: Int) throws(DatabaseError) -> [KeyUse] {
        var forget = try database.prepare("DELETE FROM key_uses WHERE used_at < ?1")
        try forget.bind(1, now - Self.usesKept)
        try forget.run()
        var rows = try database.prepare("SELECT key, used_at FROM key_uses")
        var uses: [KeyUse] = []
        while try rows.step() { uses.append(KeyUse(id: rows.string(0), seconds: rows.integer(1))) }
        return uses
    }

    func targetTotals() throws(DatabaseError) -> [TargetID: TargetTotals] {
        var rows = try database.prepare("SELECT provider, model, answers, failures, timed, timed_us FROM target_totals")
        var totals: [TargetID: TargetTotals] = [:]
        while try rows.step() {
            var total = TargetTotals()
            total.answers = rows.integer(2)
            total.failures = rows.integer(3)
            total.timed = rows.integer(4)
            total.timedMicros = rows.integer(5)
            totals[TargetID(provider: rows.string(0), model: rows.string(1))] = total
        }
        return totals
    }
}
